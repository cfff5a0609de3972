//! The one loop: it gives events to the core and carries out the effects.
//!
//! In reading order: `around` is what stays from turn to turn, `clock` is where its time comes from, `leaps`
//! tells when it went on unseen, `edges` are the tasks it talks to, `settings` is what a configuration means
//! for them, `error` how a run may fail. `first_start` asks for a configuration where there is none. `doors`
//! lets visitors ask it and `acts` tells them how it went, and `supervisor` tells systemd how it is.

mod acts;
mod around;
mod clock;
mod doors;
mod edges;
mod error;
mod first_start;
mod leaps;
mod settings;
mod supervisor;

use std::pin::Pin;
use std::sync::Arc;

use tokio::sync::mpsc;

pub use self::around::Reload;
pub use self::clock::Clock;
pub use self::error::RunError;
pub use self::settings::{certificate_ends, graph_client, settings};
pub use self::supervisor::Supervisor;
use crate::chain::chain;
use crate::config::{Config, Environment, FirstStart};
use crate::core::bridge::Bridge;
use crate::core::model::effect::{Effect, Ending};
use crate::core::model::event::Event;
use crate::core::model::name::ClientId;
use crate::core::model::people_page::PeopleQuery;
use crate::core::model::report::{Loudness, Report};
use crate::core::model::settings::Settings;
use crate::http::question::Asked;
use acts::Acts;
use around::Around;
use edges::Edges;
use leaps::Leaps;

/// For a run without reloads.
#[must_use]
pub fn no_reloads() -> mpsc::Receiver<Reload> {
    mpsc::channel(1).1
}

/// How one turn of the bridge ended.
enum Ended {
    /// The run is over.
    Finished(Ending),
    /// The next turn begins, with a configuration that needs another connection to the broker.
    Restart(Arc<Config>),
}

/// Runs the bridge until `stop`, or until it finds at the start that it must not run. Each configuration from
/// `reloads` replaces the one before; a closed channel means that none will come.
///
/// # Errors
///
/// If the Graph client cannot be made, or a task dies.
pub async fn run(
    config: &Config,
    stop: impl Future<Output = ()>,
    reloads: mpsc::Receiver<Reload>,
) -> Result<Ending, RunError> {
    supervised(Arc::new(config.clone()), stop, reloads, Supervisor::none()).await
}

/// The same, and reports to `supervisor` how it goes.
///
/// # Errors
///
/// The same.
pub async fn supervised(
    config: Arc<Config>,
    stop: impl Future<Output = ()>,
    reloads: mpsc::Receiver<Reload>,
    supervisor: Supervisor,
) -> Result<Ending, RunError> {
    let mut around = Around::new(supervisor);
    let ending = turns(config, stop, reloads, &mut around).await;
    around.doors.close().await;
    ending
}

/// The same for a first start: the page asks for what is missing and writes it, and then `load` reads it.
///
/// # Errors
///
/// The same, and if the configuration cannot be written.
pub async fn set_up(
    first: &FirstStart,
    (environment, load): (&Environment, impl Fn() -> Reload),
    stop: impl Future<Output = ()>,
    mut reloads: mpsc::Receiver<Reload>,
    supervisor: Supervisor,
) -> Result<Ending, RunError> {
    let mut around = Around::new(supervisor);
    let mut stop = std::pin::pin!(stop);
    let asking = first_start::until_written(first, (environment, load), &mut reloads, &mut around);
    let config = tokio::select! {
        config = asking => config.map(Some),
        () = &mut stop => Ok(None),
    };
    let ending = match config {
        Ok(Some(config)) => turns(Arc::new(config), stop, reloads, &mut around).await,
        Ok(None) => {
            around.supervisor.stopping();
            Ok(Ending::Stopped)
        }
        Err(error) => Err(error),
    };
    around.doors.close().await;
    ending
}

async fn turns(
    mut config: Arc<Config>,
    stop: impl Future<Output = ()>,
    mut reloads: mpsc::Receiver<Reload>,
    around: &mut Around,
) -> Result<Ending, RunError> {
    let mut stop = std::pin::pin!(stop);
    let (mut before, mut trouble) = (None, None);
    loop {
        let mut turn = match Turn::begin(&config, before.as_ref(), trouble.take(), around).await {
            Ok(turn) => turn,
            Err(error) => match before.take() {
                // Continues with the configuration that worked before.
                Some(working) => {
                    (config, trouble) = (working, Some(chain(&error)));
                    continue;
                }
                None => return Err(error),
            },
        };
        let ended = turn.run(stop.as_mut(), &mut reloads, around).await;
        turn.edges.end().await;
        match (ended?, before.take()) {
            (Ended::Restart(next), _) => before = Some(std::mem::replace(&mut config, next)),
            // The configuration that worked before has no conflict, and the stop request is for the whole
            // run.
            (Ended::Finished(Ending::Conflict(_)), Some(_)) if turn.was_asked_to_stop => {
                return Ok(Ending::Stopped);
            }
            (Ended::Finished(Ending::Conflict(sentence)), Some(working)) => {
                (config, trouble) = (working, Some(sentence));
            }
            (Ended::Finished(ending), _) => return Ok(ending),
        }
    }
}

/// The bridge with one broker, to which it reconnects as often as needed.
struct Turn {
    config: Arc<Config>,
    edges: Edges,
    /// The client id that the previous turn used.
    predecessor: Option<ClientId>,
    /// Why another configuration was given up in favour of this one.
    trouble: Option<String>,
    /// The configuration for the next turn.
    next: Option<Arc<Config>>,
    stopping: bool,
    /// Stopping because `stop` was received, not because of another configuration.
    was_asked_to_stop: bool,
}

impl Turn {
    async fn begin(
        config: &Arc<Config>,
        before: Option<&Arc<Config>>,
        trouble: Option<String>,
        around: &mut Around,
    ) -> Result<Self, RunError> {
        let predecessor = before.map(|before| before.mqtt.settings.client_id.clone());
        let plan = around.doors.plan(config).await?;
        let edges = Edges::start(config, &around.meters)?;
        around.doors.follow(plan, config);
        around.supervisor.ready();
        Ok(Self {
            config: Arc::clone(config),
            edges,
            predecessor,
            trouble,
            next: None,
            stopping: false,
            was_asked_to_stop: false,
        })
    }

    async fn run(
        &mut self,
        mut stop: Pin<&mut impl Future<Output = ()>>,
        reloads: &mut mpsc::Receiver<Reload>,
        around: &mut Around,
    ) -> Result<Ended, RunError> {
        let (clock, mut leaps) = (Clock::start(), Leaps::watch());
        around.supervisor.clock_began();
        let settings = Settings { predecessor: self.predecessor.take(), ..settings(&self.config) };
        let mut acts = Acts::default();
        let mut core = Bridge::new(settings, fastrand::u64(..), clock.now());
        let mut effects = core.on(Event::Started, clock.now());
        if let Some(why) = self.trouble.take() {
            effects.extend(core.on(Event::NotConfigured(why), clock.now()));
        }
        loop {
            for effect in effects {
                match effect {
                    Effect::Graph(account, order) => self.edges.ask_graph(account, order)?,
                    Effect::Broker(order) => self.edges.publisher.order(order)?,
                    Effect::SignIn(account, order) => self.edges.sign_in(account, order)?,
                    Effect::Answer(visitor, acted) => acts.end(visitor, acted),
                    Effect::Report(report) => log(&report),
                    Effect::Finish(ending) => return Ok(self.ended(ending)),
                }
            }
            let now = clock.now().tick;
            around.supervisor.turned(now, || core.snapshot(&PeopleQuery::nobody(), clock.now()).headline());
            let wake_at = [core.wake_at(now), around.supervisor.wake_at()].into_iter().flatten().min();
            let event = tokio::select! {
                event = self.edges.next() => event?,
                asked = around.doors.next() => match asked? {
                    Asked::Question(question) => {
                        question.answer(|wanted| core.snapshot(wanted, clock.now()));
                        effects = Vec::new();
                        continue;
                    }
                    Asked::Act(act, visitor) => Event::Act(acts.begin(visitor), act),
                },
                () = clock.sleep_until_any(wake_at) => Event::Woken,
                () = leaps.next() => Event::Woken,
                Some(reload) = reloads.recv(), if !self.stopping => {
                    self.reload(reload, around).await
                }
                () = &mut stop, if !self.stopping => {
                    self.stopping = true;
                    self.was_asked_to_stop = true;
                    around.supervisor.stopping();
                    Event::Stop
                }
            };
            effects = core.on(event, clock.now());
        }
    }

    fn ended(&mut self, ending: Ending) -> Ended {
        match (self.next.take(), ending) {
            (Some(next), Ending::Stopped) => Ended::Restart(next),
            (_, ending) => Ended::Finished(ending),
        }
    }

    /// Changes the edges for another configuration, and tells the core what has changed.
    async fn reload(&mut self, reload: Reload, around: &mut Around) -> Event {
        around.supervisor.reloading();
        let outcome = match reload {
            Ok(config) => match self.take(config, around).await {
                Ok(event) => Ok(event),
                Err(error) => {
                    around.doors.restore(&self.config).await;
                    Err(chain(&error))
                }
            },
            Err(why) => Err(why),
        };
        if !self.stopping {
            // Otherwise at the beginning of the next turn.
            around.supervisor.ready();
        }
        outcome.unwrap_or_else(Event::NotConfigured)
    }

    async fn take(&mut self, config: Config, around: &mut Around) -> Result<Event, RunError> {
        let plan = around.doors.plan(&config).await?;
        if !settings::same_broker(&self.config, &config) {
            edges::could_start(&self.config, &config)?;
            around.doors.follow(plan, &config);
            tracing::info!("the broker's settings changed; reconnecting with the new ones");
            self.next = Some(Arc::new(config));
            self.stopping = true;
            return Ok(Event::Stop);
        }
        let access = self.edges.replace_access(&self.config, &config, &around.meters)?;
        around.doors.follow(plan, &config);
        self.config = Arc::new(config);
        Ok(Event::Configured(Box::new(settings(&self.config)), access))
    }
}

fn log(report: &Report) {
    match report.loudness() {
        Loudness::Warn => tracing::warn!("{report}"),
        Loudness::Info => tracing::info!("{report}"),
        Loudness::Debug => tracing::debug!("{report}"),
    }
}
