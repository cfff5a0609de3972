//! The one loop that feeds the core and obeys it, and the tasks at its edges.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use crate::config::{Auth, Certificate, Config};
use crate::core::bridge::Bridge;
use crate::core::command::{BrokerOrder, Command, Ending, Protocol};
use crate::core::event::{Event, PresenceEvent};
use crate::core::payload::About;
use crate::core::report::{Loudness, Report};
use crate::core::settings::{Settings, Watched};
use crate::core::sign_in::{SignInEvent, SignInOrder};
use crate::core::time::{Now, Tick};
use crate::core::topic::{BridgeField, OFFLINE, Topics};
use crate::graph::HttpError;
use crate::graph::client::{Access, GraphClient};
use crate::graph::fetcher::{self, FetchOrder};
use crate::graph::sign_in::attendant::{self, Attendant};
use crate::graph::sign_in::method::Method;
use crate::graph::sign_in::store::StoreError;
use crate::mqtt::address::{Address, Will};
use crate::mqtt::publisher;

/// Orders under way to an edge. The core bounds what it orders (64 reads, one window of messages in far fewer
/// batches), so a full channel means that the edge is dead.
const ORDERS: usize = 256;

/// Reports under way from an edge. When it is full the edge waits; the loop never does.
const REPORTS: usize = 256;

/// The core is woken at least this often: timers stand still while the machine sleeps, and only a look at the time of
/// day shows that it did.
const LOOK: Duration = Duration::from_secs(1);

/// Why a run ended that nobody asked to end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The client for Graph could not be made.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The tokens cannot be had for this bridge alone.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A task is gone; half a bridge would misinform.
    #[error("the {0} task ended unexpectedly")]
    TaskDied(&'static str),
}

/// One edge as the loop sees it.
struct Edge<Order, Report> {
    name: &'static str,
    orders: mpsc::Sender<Order>,
    reports: mpsc::Receiver<Report>,
}

/// All edges.
struct Edges {
    fetcher: Edge<FetchOrder, PresenceEvent>,
    attendant: Edge<SignInOrder, SignInEvent>,
    publisher: Edge<BrokerOrder, Event>,
}

/// The two clocks of the process.
struct Clock {
    started: Instant,
}

/// Runs the bridge until `stop`, or until it finds that it must not run.
///
/// # Errors
///
/// If the Graph client cannot be made, or a task dies.
pub async fn run(config: &Config, stop: impl Future<Output = ()>) -> Result<Ending, RunError> {
    let client = Arc::new(graph_client(config)?);
    // Held until the end: tokens that two bridges renewed by turns would be lost to both.
    let _claim = client.delegated().map(|sign_in| sign_in.store.claim()).transpose()?;
    let attendant = attendant(config, &client);
    let settings = settings(config);
    let topics = Topics::new(settings.base_topic.clone(), settings.bridge_name.clone());
    let will = Will { topic: topics.of_bridge(BridgeField::State), payload: OFFLINE };
    let address = Address::of_bridge(&config.mqtt, will);

    let mut tasks = JoinSet::new();
    let attendant = edge("sign-in", &mut tasks, |orders, events| attendant::run(attendant, orders, events));
    let fetcher = edge("fetcher", &mut tasks, |orders, events| fetcher::run(client, orders, events));
    let publisher = edge("publisher", &mut tasks, |orders, events| publisher::run(address, orders, events));
    let ending = turn(settings, Edges { fetcher, attendant, publisher }, stop).await;
    // The edges end when their orders do; what is still under way has no limit of its own worth waiting for.
    tasks.shutdown().await;
    ending
}

/// A client for the Graph of a configuration.
///
/// # Errors
///
/// If its certificate authorities cannot be loaded.
pub fn graph_client(config: &Config) -> Result<GraphClient, HttpError> {
    let graph = &config.graph;
    let access = Access {
        graph_url: &graph.graph_url,
        login_url: &graph.login_url,
        tenant: graph.tenant.as_str(),
        ca_file: graph.ca_file.as_deref(),
        timeout: graph.request_timeout,
    };
    GraphClient::new(
        &access,
        Method::new(&graph.auth, config.users.iter().map(|user| &user.id), graph.request_timeout)?,
    )
}

/// When the app's certificate ends, if it signs in with one that can be read.
#[must_use]
pub fn certificate_ends(config: &Config) -> Option<Timestamp> {
    certificate(config)?.read().ok().map(|read| read.ends)
}

fn certificate(config: &Config) -> Option<&Certificate> {
    match &config.graph.auth {
        Auth::Certificate { certificate, .. } => Some(certificate),
        Auth::Person { .. }
        | Auth::ClientSecret { .. }
        | Auth::WorkloadIdentity { .. }
        | Auth::ManagedIdentity { .. } => None,
    }
}

/// Who invites people to sign in, and notices when a secret's file changes.
fn attendant(config: &Config, client: &GraphClient) -> Attendant {
    let delegated = client.delegated().cloned();
    let mut watched = config.graph.auth.files();
    watched.extend(delegated.as_ref().map(|sign_in| sign_in.store.file()));
    Attendant {
        authority: client.authority().clone(),
        resource: client.resource().to_owned(),
        delegated,
        watched,
        certificate: certificate(config).cloned(),
    }
}

/// What the core needs to know of a configuration.
#[must_use]
pub fn settings(config: &Config) -> Settings {
    let Config { mqtt, graph, users, home_assistant, .. } = config;
    let discovery = home_assistant.discovery.then(|| home_assistant.discovery_prefix.to_string());
    Settings {
        base_topic: mqtt.base_topic.clone(),
        bridge_name: mqtt.bridge_name.clone(),
        client_id: mqtt.client_id.clone(),
        qos: mqtt.qos,
        protocol: Protocol::V3,
        keep_alive: mqtt.keep_alive,
        message_expiry: None,
        refresh_interval: mqtt.refresh_interval,
        endpoint: graph.endpoint,
        poll_interval: graph.poll_interval,
        stale_after: graph.stale_after,
        on_stale: graph.on_stale,
        debounce: graph.debounce,
        include_messages: graph.include_messages,
        request_budget: graph.request_budget,
        certificate_ends: certificate_ends(config),
        invites: matches!(graph.auth, Auth::Person { .. }),
        announce_sign_in: matches!(graph.auth, Auth::Person { announce: true, .. }),
        users: users.iter().map(|user| Watched { name: user.name.clone(), id: user.id.clone() }).collect(),
        about: About {
            version: env!("CARGO_PKG_VERSION"),
            cloud: graph.cloud.as_str(),
            auth_method: graph.auth.as_str(),
            account: None,
            discovery_prefix: discovery,
        },
    }
}

fn edge<Order, Report, Task>(
    name: &'static str,
    tasks: &mut JoinSet<()>,
    task: impl FnOnce(mpsc::Receiver<Order>, mpsc::Sender<Report>) -> Task,
) -> Edge<Order, Report>
where
    Task: Future<Output = ()> + Send + 'static,
{
    let (orders, ordered) = mpsc::channel(ORDERS);
    let (reporter, reports) = mpsc::channel(REPORTS);
    tasks.spawn(task(ordered, reporter));
    Edge { name, orders, reports }
}

async fn turn(
    settings: Settings,
    mut edges: Edges,
    stop: impl Future<Output = ()>,
) -> Result<Ending, RunError> {
    let clock = Clock::start();
    let mut core = Bridge::new(settings, fastrand::u64(..), clock.now());
    let mut stop = std::pin::pin!(stop);
    let mut stopping = false;
    let mut commands = core.on(Event::Started, clock.now());
    loop {
        for command in commands {
            match command {
                Command::Read(read) => edges.fetcher.order(FetchOrder::Read(read))?,
                Command::ForgetConnections => edges.fetcher.order(FetchOrder::ForgetConnections)?,
                Command::Broker(order) => edges.publisher.order(order)?,
                Command::SignIn(order) => edges.attendant.order(order)?,
                Command::Report(report) => log(&report),
                Command::Finish(ending) => return Ok(ending),
            }
        }
        let now = clock.now().tick;
        let wake_at = core.wake_at(now).map_or(now + LOOK, |at| at.min(now + LOOK));
        let event = tokio::select! {
            event = edges.fetcher.report() => Event::Presence(event?),
            event = edges.attendant.report() => Event::SignIn(event?),
            event = edges.publisher.report() => event?,
            () = clock.sleep_until(wake_at) => Event::Woken,
            () = &mut stop, if !stopping => {
                stopping = true;
                Event::Stop
            }
        };
        commands = core.on(event, clock.now());
    }
}

impl<Order, Report> Edge<Order, Report> {
    fn order(&self, order: Order) -> Result<(), RunError> {
        self.orders.try_send(order).map_err(|_| RunError::TaskDied(self.name))
    }

    async fn report(&mut self) -> Result<Report, RunError> {
        self.reports.recv().await.ok_or(RunError::TaskDied(self.name))
    }
}

impl Clock {
    #[expect(clippy::disallowed_methods, reason = "this is where the core's time comes from")]
    fn start() -> Self {
        Self { started: Instant::now() }
    }

    #[expect(clippy::disallowed_methods, reason = "this is where the core's time comes from")]
    fn now(&self) -> Now {
        Now { tick: Tick(self.started.elapsed()), wall: Timestamp::now() }
    }

    async fn sleep_until(&self, tick: Tick) {
        tokio::time::sleep_until(self.started + tick.0).await;
    }
}

fn log(report: &Report) {
    match report.loudness() {
        Loudness::Warn => tracing::warn!("{report}"),
        Loudness::Info => tracing::info!("{report}"),
        Loudness::Debug => tracing::debug!("{report}"),
    }
}
