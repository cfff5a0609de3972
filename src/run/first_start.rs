//! A first start: serves the set-up on the page, obeys it, and ends with the configuration that it wrote.

use std::future::pending;
use std::path::{Path, PathBuf};
use std::pin::Pin;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{MissedTickBehavior, interval};

use super::around::{Around, Reload};
use super::clock::Clock;
use super::error::RunError;
use super::settings::{attendant, graph_client};
use crate::chain::chain;
use crate::config::{Cloud, Config, Environment, FirstStart};
use crate::core::model::account::AccountId;
use crate::core::model::name::ObjectId;
use crate::core::model::sign_in::{InvitationEnd, InvitationId, SignInEvent, SignInOrder, SignedIn};
use crate::graph::client::GraphClient;
use crate::graph::once;
use crate::graph::sign_in::attendant;
use crate::graph::sign_in::delegated::DelegatedSignIn;
use crate::graph::sign_in::discovery::{Discovered, discover};
use crate::graph::sign_in::store::RunLock;
use crate::http::first_start::visits;
use crate::setup::draft::Draft;
use crate::setup::events::{Existing, NoBroker, Order, Outcome};
use crate::setup::place::Present;
use crate::setup::steps::Setup;
use crate::setup::{broker, lights, place};

/// How often systemd is told that all is well.
const LOOK: Duration = Duration::from_millis(500);

/// Events of a sign-in under way. When it is full the attendant waits.
const EVENTS: usize = 16;

/// A piece of work that ends in an outcome.
type Work = Pin<Box<dyn Future<Output = Outcome> + Send>>;

/// What the set-up needs to be obeyed.
struct Edges<'e, L> {
    file: PathBuf,
    /// What is known to be on the disk.
    present: Present,
    environment: &'e Environment,
    load: L,
    work: Option<Work>,
    attending: Option<Attending>,
    /// What was written, as the program reads it.
    config: Option<Config>,
}

/// Whoever signs people in.
struct Attending {
    /// Whose sign-in is stored.
    signed_in: Option<SignedIn>,
    orders: mpsc::Sender<SignInOrder>,
    events: mpsc::Receiver<SignInEvent>,
    /// Ends with this.
    _task: JoinSet<()>,
    /// No other bridge has this sign-in, and it can be stored.
    _claim: Option<RunLock>,
}

/// Serves the set-up until its files are written, or somebody wrote them by hand and said so.
pub(super) async fn until_written<L: Fn() -> Reload>(
    first: &FirstStart,
    (environment, load): (&Environment, L),
    reloads: &mut mpsc::Receiver<Reload>,
    around: &mut Around,
) -> Result<Config, RunError> {
    let is_root = place::is_root();
    let file = first.file.clone().unwrap_or_else(|| place::file(None, environment, is_root));
    place::try_out(&file)?;
    let (guide, mut visits) = visits();
    around.doors.open_for_setup(&first.http, guide)?;
    around.supervisor.ready();
    around.supervisor.clock_began();
    let clock = Clock::start();
    let present = Present { text: Some(first.text.clone()), password: place::password(&file) };
    let existing = existing(&file, &present, first.sections.clone());
    let mut setup = Setup::new(beginning(first), existing);
    let mut edges = Edges { file, present, environment, load, work: None, attending: None, config: None };
    let mut look = interval(LOOK);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    for order in setup.begin() {
        edges.obey(&order, &setup);
    }
    loop {
        let orders = tokio::select! {
            Some(mut visit) = visits.recv() => {
                setup.seen(visit.port());
                let orders = visit.answer().map(|(step, answer)| setup.answer(step, answer));
                visit.show(setup.view());
                orders.unwrap_or_default()
            }
            outcome = edges.next() => setup.outcome(outcome),
            question = around.doors.next() => {
                // What a visitor asks for who came before the set-up; nothing is known yet.
                drop(question?);
                continue;
            }
            Some(reload) = reloads.recv() => {
                around.supervisor.reloading();
                match reload {
                    // Ready is said when the bridge begins.
                    Ok(config) => return Ok(config),
                    Err(why) => {
                        tracing::warn!(error = why, "still no configuration; the set-up goes on");
                        around.supervisor.ready();
                        continue;
                    }
                }
            }
            _ = look.tick() => {
                around.supervisor.turned(clock.now().tick, || "waiting for the set-up on the page".to_owned());
                continue;
            }
        };
        for order in orders {
            edges.obey(&order, &setup);
        }
        if let Some(config) = edges.config.take_if(|_| setup.is_done()) {
            return Ok(config);
        }
    }
}

/// What is known before anybody is asked.
fn beginning(first: &FirstStart) -> Draft {
    Draft { kept: first.kept.clone(), given: first.given, ..Draft::new() }
}

fn existing(file: &Path, present: &Present, sections: Vec<String>) -> Existing {
    let shown = |path: &Path| path.display().to_string();
    Existing { file: shown(file), sections, password: present.password.as_deref().map(shown) }
}

impl<L: Fn() -> Reload> Edges<'_, L> {
    /// What happens next.
    async fn next(&mut self) -> Outcome {
        let Self { work, attending, .. } = self;
        let done = async {
            match work {
                Some(work) => work.await,
                None => pending().await,
            }
        };
        let told = async {
            match attending {
                Some(attending) => attending.events.recv().await,
                None => pending().await,
            }
        };
        tokio::select! {
            outcome = done => {
                self.work = None;
                outcome
            }
            event = told => {
                let ended = || SignInEvent::Ended(InvitationId::default(), InvitationEnd::Failed("the sign-in ended unexpectedly".into()));
                if event.is_none() {
                    self.attending = None;
                }
                Outcome::SignIn(event.unwrap_or_else(ended))
            }
        }
    }

    fn obey(&mut self, order: &Order, setup: &Setup) {
        let draft = setup.draft();
        self.work = match order {
            Order::Rest => {
                self.attending = None;
                None
            }
            Order::LookForBroker => {
                let environment = self.environment.clone();
                work(async move { Outcome::Usual(broker::usual(&environment).await) })
            }
            Order::Attend => {
                self.attending = None;
                match self.attend(draft) {
                    Ok(attending) => {
                        let account = attending.signed_in.clone();
                        self.attending = Some(attending);
                        signed(SignInEvent::Account(account))
                    }
                    Err(why) => not_signed_in(&why),
                }
            }
            Order::SignIn(order) => match &self.attending {
                Some(attending) if attending.orders.try_send(order.clone()).is_ok() => None,
                Some(_) => not_signed_in("the sign-in is busy; try again"),
                None => match self.attend(draft) {
                    Ok(attending) => {
                        // It is empty.
                        let _taken = attending.orders.try_send(order.clone());
                        self.attending = Some(attending);
                        None
                    }
                    Err(why) => not_signed_in(&why),
                },
            },
            Order::Write => {
                let outcome = self.write(draft);
                work(std::future::ready(outcome))
            }
            Order::Discover | Order::TryBroker | Order::ReadPresence | Order::LookForLights | Order::Show => {
                let config = draft.config(&self.file, self.environment).map_err(|error| error.to_string());
                let order = order.clone();
                work(async move { tried(order, config).await })
            }
        };
    }

    /// Writes the files, unless somebody else did so meanwhile.
    fn write(&mut self, draft: &Draft) -> Outcome {
        let present = Present::at(&self.file);
        if present != self.present {
            let existing = existing(&self.file, &present, present.sections());
            self.present = present;
            return Outcome::Changed(existing);
        }
        let there = place::there(&self.file);
        let written =
            place::write(draft, &self.file, self.environment, &there).map_err(|error| chain(&error));
        // Whatever is there now is of this set-up.
        self.present = Present::at(&self.file);
        let read = written.and_then(|()| (self.load)());
        self.attending = None;
        // Else the next start would be refused.
        Outcome::Written(read.map(|config| self.config = Some(config)))
    }

    fn attend(&self, draft: &Draft) -> Result<Attending, String> {
        let config = draft.config(&self.file, self.environment).map_err(|error| error.to_string())?;
        let client = client(&config)?;
        let claim = client.delegated().map(DelegatedSignIn::claim).transpose();
        let claim = claim.map_err(|error| chain(&error))?;
        // What is damaged is replaced by the next sign-in.
        let signed_in = client.delegated().and_then(|delegated| delegated.signed_in().ok().flatten());
        let (orders, ordered) = mpsc::channel(EVENTS);
        let (told, events) = mpsc::channel(EVENTS);
        let mut task = JoinSet::new();
        task.spawn(attendant::run(attendant(&config.accounts[0], &client), ordered, told));
        Ok(Attending { signed_in, orders, events, _task: task, _claim: claim })
    }
}

fn work(work: impl Future<Output = Outcome> + Send + 'static) -> Option<Work> {
    Some(Box::pin(work))
}

fn not_signed_in(why: &str) -> Option<Work> {
    let end = InvitationEnd::Failed(why.into());
    signed(SignInEvent::Ended(InvitationId::default(), end))
}

fn signed(event: SignInEvent) -> Option<Work> {
    work(std::future::ready(Outcome::SignIn(event)))
}

fn client(config: &Config) -> Result<GraphClient, String> {
    graph_client(config, AccountId::FIRST).map_err(|error| chain(&error))
}

/// What comes of an order that needs the configuration as far as it is known.
async fn tried(order: Order, config: Result<Config, String>) -> Outcome {
    match order {
        Order::Discover => Outcome::Discovered(discovered(config).await),
        Order::TryBroker => Outcome::Tried(connected(config).await),
        Order::ReadPresence => Outcome::Presence(presence(config).await),
        Order::LookForLights => Outcome::Lights(match config {
            Ok(config) => lights::look(&config).await.map_err(|error| chain(&error)),
            Err(why) => Err(why),
        }),
        Order::Show
        | Order::LookForBroker
        | Order::Attend
        | Order::SignIn(_)
        | Order::Write
        | Order::Rest => Outcome::Shown(shown(config).await),
    }
}

async fn discovered(config: Result<Config, String>) -> Result<(ObjectId, Cloud), String> {
    let found = discover(client(&config?)?.authority()).await.map_err(|error| chain(&error))?;
    let Discovered { tenant, cloud } = found;
    Ok((tenant, cloud))
}

async fn connected(config: Result<Config, String>) -> Result<(), NoBroker> {
    let config = config.map_err(|why| NoBroker { wants_a_name: false, why })?;
    match broker::connect(&config).await {
        Ok(broker) => {
            broker.close().await;
            Ok(())
        }
        Err(error) => Err(NoBroker { wants_a_name: broker::wants_a_name(&error), why: chain(&error) }),
    }
}

async fn presence(config: Result<Config, String>) -> Result<String, String> {
    let config = config?;
    let people: Vec<_> = config.users.iter().map(|user| user.id.clone()).collect();
    let read = once::read(&client(&config)?, config.accounts[0].settings.endpoint, &people).await;
    let first = read.into_iter().next().ok_or("no person is configured")?;
    let (_, presence) = first.map_err(|failure| failure.to_string())?;
    let (availability, activity) = (presence.availability().as_str(), presence.words.activity_word());
    let activity = if activity == availability { String::new() } else { format!(", {activity}") };
    Ok(format!("Your presence now: {availability}{activity}."))
}

async fn shown(config: Result<Config, String>) -> Result<String, String> {
    let config = config?;
    let light = config.lights.first().ok_or("there is no light")?;
    lights::show(light, &config).await.map_err(|error| chain(&error))
}
