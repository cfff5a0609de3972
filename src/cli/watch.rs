//! `presence2mqtt watch`

use std::io::Write;
use std::time::Duration;

use clap::Args;

use super::exit::{self, Failure};
use super::logging::Drawn;
use super::progress::Progress;
use super::signals;
use super::terminal::Terminal;
use crate::config::Listening;
use crate::core::model::backoff::Backoff;
use crate::core::model::name::TopicLevel;
use crate::core::model::report::NO_WILDCARDS;
use crate::core::model::topic::{BridgeField, Field, Topics};
use crate::mqtt::address::Address;
use crate::mqtt::one_shot::{OneShot, OneShotError};
use crate::run::Clock;
use crate::view::picture::Picture;
use crate::view::show::{Look, Show, ShowEnd};

/// Between two attempts to reach a broker that was there.
const AGAIN: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(15));

/// Whoever is thrown out so soon, twice, is so because of another client.
const SOON: Duration = Duration::from_secs(10);

/// Whom to watch, and how long.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Names of people on the broker [default: all]
    #[arg(value_name = "USER")]
    users: Vec<TopicLevel>,
    /// Print the table once and end
    #[arg(long)]
    once: bool,
}

impl Options {
    pub(super) fn drawn(&self) -> Drawn {
        if self.once { Drawn::Nothing } else { Drawn::InPlace }
    }
}

/// Where the broker is, and what to listen to there.
struct Place {
    address: Address,
    filter: String,
    has_groups: bool,
}

/// Shows everybody on the broker until it is asked to end.
pub(super) async fn run(
    listening: &Listening,
    options: &Options,
    (terminal, progress): (Terminal, Progress),
    out: &mut impl Write,
) -> Result<(), Failure> {
    let Listening { mqtt, names, users, has_groups } = listening;
    let topics = Topics::from_settings(&mqtt.settings);
    let place = Place {
        address: Address::of_command(mqtt, "watch"),
        filter: topics.every_topic(),
        has_groups: *has_groups,
    };
    let look = Look { live: terminal.out, colours: terminal.colours_out(), timed: true };
    let picture = Picture::new(&mqtt.settings.base_topic, &mqtt.settings.bridge_name).of(options
        .users
        .iter()
        .cloned()
        .collect());
    let of_users = users.iter().flat_map(|user| Field::IN_ORDER.map(|field| topics.of_user(user, field)));
    let of_bridge = [BridgeField::State, BridgeField::Info, BridgeField::Health];
    let named = of_bridge.map(|field| topics.of_bridge(field)).into_iter().chain(of_users).collect();
    let mut show = Show::new(picture, names.clone(), look, out).asking_for(named);
    if !options.once
        && let Some(typed) = terminal.typed()
    {
        show = show.turning(typed);
    }
    let mut stop = std::pin::pin!(signals::stop()?);
    let mut first = tokio::select! {
        broker = progress.during("connecting to the broker", place.connect()) => {
            broker.map_err(exit::of_broker)?
        }
        () = &mut stop => return Ok(()),
    };
    let outcome = tokio::select! {
        outcome = async {
            if options.once {
                progress.during("waiting for retained messages", show.gather_quietly(&mut first)).await?;
                place.say_who_is_missing(&show);
                show.print_all()
            } else {
                place.watch(&mut first, &mut show).await
            }
        } => outcome,
        () = &mut stop => Ok(()),
    };
    first.close().await;
    if !options.once {
        show.end().map_err(failure)?;
    }
    outcome.map_err(failure)
}

impl Place {
    async fn connect(&self) -> Result<OneShot, OneShotError> {
        let mut broker = OneShot::connect(&self.address).await?;
        match broker.subscribe(&self.filter).await {
            Ok(()) => Ok(broker),
            Err(error) => {
                broker.close().await;
                Err(error)
            }
        }
    }

    /// Nobody can name the members of groups but the bridge.
    fn say_who_is_missing(&self, show: &Show<'_, impl Write>) {
        if self.has_groups && show.is_by_name() {
            tracing::warn!("{NO_WILDCARDS}: members of groups are shown when something about them changes");
        }
    }

    /// Shows what the broker says; comes back when it does. Ends only when there is nobody to show it to.
    async fn watch(&self, broker: &mut OneShot, show: &mut Show<'_, impl Write>) -> Result<(), ShowEnd> {
        let mut backoff = Backoff::new(AGAIN.0, AGAIN.1);
        let mut random = fastrand::Rng::new();
        let (clock, mut thrown_out) = (Clock::start(), 0);
        loop {
            let began = clock.now().tick;
            let end = match show.gather(broker).await {
                Ok(()) => {
                    self.say_who_is_missing(show);
                    backoff.reset();
                    show.listen(broker).await
                }
                Err(end) => end,
            };
            let mut why = match end {
                ShowEnd::Broker(error) => error,
                ShowEnd::Out(error) => return Err(error.into()),
            };
            let is_soon = clock.now().tick.since(began) < SOON && exit::is_thrown_out(&why);
            thrown_out = if is_soon { thrown_out + 1 } else { 0 };
            if thrown_out > 1 {
                // To come back a third time would throw the bridge out a third time.
                return Err(ShowEnd::Broker(why));
            }
            *broker = loop {
                show.lost(&why.to_string())?;
                show.while_drawing(tokio::time::sleep(backoff.failed(&mut random))).await?;
                match show.while_drawing(self.connect()).await? {
                    Ok(broker) => break broker,
                    Err(error) => why = error,
                }
            };
        }
    }
}

fn failure(end: ShowEnd) -> Failure {
    match end {
        ShowEnd::Broker(error) => exit::of_broker(error),
        ShowEnd::Out(error) => error.into(),
    }
}
