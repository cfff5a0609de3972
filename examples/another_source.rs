//! The bridge as a library, with another source of presence than Microsoft Graph: lines on standard input.
//!
//! ```text
//! $ cargo run --example another_source -- examples/minimal.toml
//! alice Busy InACall
//! alice Available
//! ```
//!
//! The core decides who is read when, who may be believed and what the broker should hold; the publisher
//! makes the broker agree. Only the edge towards Graph is another one: `Source`. So topics, last will, Home
//! Assistant, lights and the clean end at Ctrl-C are those of the real bridge. Who said nothing yet is
//! `stale`; when the input ends, everybody is.
//!
//! The configuration is one of the bridge's own. Its `[graph]` has to be there, but nobody looks at it.

use std::collections::{BTreeMap, VecDeque};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use presence2mqtt::config::{self, Config, Environment};
use presence2mqtt::core::bridge::Bridge;
use presence2mqtt::core::model::account::AccountId;
use presence2mqtt::core::model::effect::{BrokerOrder, Effect, Ending, GraphOrder};
use presence2mqtt::core::model::event::{Event, PresenceEvent};
use presence2mqtt::core::model::name::{ObjectId, UserId};
use presence2mqtt::core::model::presence::Presence;
use presence2mqtt::core::model::request::{Ended, Operation, ReadFailure, ReadPresence, Reading, RequestId};
use presence2mqtt::core::model::settings::{
    AccountSettings, App, GraphSettings, ReadingSettings, Settings, SignInSettings, User,
};
use presence2mqtt::core::model::topic::{BridgeField, OFFLINE, Topics};
use presence2mqtt::core::model::words::PresenceWords;
use presence2mqtt::mqtt::address::{Address, Will};
use presence2mqtt::mqtt::publisher;
use presence2mqtt::run::Clock;
use tokio::sync::mpsc;

/// Asking this source costs nothing, so it is asked often; what somebody says is on the broker after this.
const POLL_INTERVAL: Duration = Duration::from_millis(100);

/// The core looks at the clock this often, to notice that the machine slept.
const LOOK: Duration = Duration::from_millis(500);

/// More than the core ever has under way.
const ROOM: usize = 256;

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "main reads the environment")]
async fn main() -> ExitCode {
    // For brokers behind TLS: which implementation is meant must be said once. Only a second call fails.
    let _first = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let file = std::env::args_os().nth(1).map(PathBuf::from);
    let config = match config::load(file.as_deref(), &Environment::from_iter(std::env::vars())) {
        Ok(config) => config,
        Err(error) => return fail(error),
    };
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    match run(&config, lines(), stop).await {
        Ending::Stopped => ExitCode::SUCCESS,
        Ending::Conflict(sentence) => fail(sentence),
    }
}

/// Publishes what the lines say, until `stop`.
pub(crate) async fn run(
    config: &Config,
    lines: mpsc::Receiver<String>,
    stop: impl Future<Output = ()>,
) -> Ending {
    let topics = Topics::from_settings(&config.mqtt.settings);
    let will = Will { topic: topics.of_bridge(BridgeField::State), payload: OFFLINE };
    let (orders, ordered) = mpsc::channel(ROOM);
    let (reporter, reports) = mpsc::channel(ROOM);
    let publisher = publisher::run(Address::of_bridge(&config.mqtt, will), ordered, reporter);
    let decide = decide(settings(config), Source::new(config, lines), orders, reports, stop);
    // The publisher ends when its orders do, which is when `decide` does.
    tokio::join!(decide, publisher).0
}

/// Feeds the core and obeys it.
async fn decide(
    settings: Settings,
    mut source: Source,
    orders: mpsc::Sender<BrokerOrder>,
    mut reports: mpsc::Receiver<Event>,
    stop: impl Future<Output = ()>,
) -> Ending {
    let (mut stop, mut stopping) = (std::pin::pin!(stop), false);
    let clock = Clock::start();
    let mut core = Bridge::new(settings, fastrand::u64(..), clock.now());
    let mut events = VecDeque::from([Event::Started]);
    loop {
        let commands = events.pop_front().map(|event| core.on(event, clock.now()));
        for command in commands.into_iter().flatten() {
            match command {
                Effect::Graph(_, order) => {
                    events.extend(source.obey(order).map(|event| Event::Presence(AccountId::FIRST, event)))
                }
                // There is room, or the publisher is gone and the run with it.
                Effect::Broker(order) => drop(orders.try_send(order)),
                Effect::Report(report) => say(report),
                Effect::Finish(ending) => return ending,
                // Only Graph has people who sign in, and only the status page has visitors.
                Effect::SignIn(_, _) | Effect::Answer(..) => {}
            }
        }
        if !events.is_empty() {
            continue;
        }
        let now = clock.now().tick;
        let wake_at = core.wake_at(now).map_or(now + LOOK, |at| at.min(now + LOOK));
        tokio::select! {
            Some(event) = reports.recv() => events.push_back(event),
            line = source.lines.recv(), if !source.ended => source.take(line),
            () = clock.sleep_until(wake_at) => events.push_back(Event::Woken),
            () = &mut stop, if !stopping => {
                stopping = true;
                events.push_back(Event::Stop);
            }
        }
    }
}

/// As configured, but for what is Graph's.
fn settings(config: &Config) -> Settings {
    let mut configured = presence2mqtt::run::settings(config);
    let graph = configured.accounts.swap_remove(0);
    let account = AccountSettings {
        name: None,
        reading: ReadingSettings { poll_interval: POLL_INTERVAL, ..graph.reading },
        app: App { cloud: "none", ..graph.app },
        sign_in: SignInSettings { invites: None, ..graph.sign_in },
        auth_method: "none",
        ..graph
    };
    let users = configured.users.iter().cloned().map(|user| User { account: AccountId::FIRST, ..user });
    Settings {
        graph: GraphSettings { stale_after: Some(Duration::from_secs(2)), ..configured.graph },
        accounts: vec![account],
        commands: None,
        users: users.collect(),
        ..configured
    }
}

/// What takes the place of Graph.
struct Source {
    lines: mpsc::Receiver<String>,
    ended: bool,
    ids: BTreeMap<String, ObjectId>,
    said: BTreeMap<ObjectId, Presence>,
}

impl Source {
    /// People are known by the object ids of the configuration.
    fn new(config: &Config, lines: mpsc::Receiver<String>) -> Self {
        let ids = config.users.iter().filter_map(|user| match user.id {
            UserId::Object(id) => Some((user.name.as_str().to_owned(), id)),
            UserId::Me | UserId::Principal(_) => None,
        });
        Self { lines, ended: false, ids: ids.collect(), said: BTreeMap::new() }
    }

    /// Keeps what a line says, such as `alice Busy InACall`; no line is the end.
    fn take(&mut self, line: Option<String>) {
        let Some(line) = line else {
            self.ended = true;
            return;
        };
        let words: Vec<&str> = line.split_whitespace().collect();
        let id = words.first().and_then(|name| self.ids.get(*name));
        let activity = words.get(2).or(words.get(1)).copied();
        let said = words.get(1).and_then(|availability| PresenceWords::from_graph(availability, activity));
        let (Some(&id), Some(said)) = (id, said) else {
            return say(format_args!(
                "wanted somebody's name, an availability and an activity; got {line:?}"
            ));
        };
        self.said.insert(id, Presence::of(said));
    }

    /// The core asks, as it would ask Graph, and is told how it ended.
    fn obey(&self, order: GraphOrder) -> Option<PresenceEvent> {
        match order {
            GraphOrder::Read(asked) => {
                let outcome = self.read(&asked.operation);
                Some(PresenceEvent::Read(Ended { request: asked.id, further: 0, outcome }))
            }
            GraphOrder::Resolve(asked) => Some(PresenceEvent::Resolved(self.unknown(asked.id))),
            GraphOrder::ReadMembers(asked) => Some(PresenceEvent::Members(self.unknown(asked.id))),
            // Only Graph has presence that can be set, connections and tokens.
            GraphOrder::Set(_) | GraphOrder::ForgetConnections | GraphOrder::WarmUp => None,
        }
    }

    fn read(&self, operation: &ReadPresence) -> Result<Vec<Reading>, ReadFailure> {
        self.goes_on()?;
        let ids = match operation {
            ReadPresence::Bulk(ids) => ids.as_slice(),
            ReadPresence::User(id) | ReadPresence::Communications(id) => std::slice::from_ref(id),
            ReadPresence::Me => return Err(ReadFailure::NotFound),
        };
        let reading = |&id| Reading { id, presence: self.said.get(&id).cloned() };
        Ok(ids.iter().map(reading).collect())
    }

    /// Lines have neither principal names nor groups.
    fn unknown<O: Operation>(&self, request: RequestId<O>) -> Ended<O> {
        Ended { request, further: 0, outcome: self.goes_on().and(Err(ReadFailure::NotFound)) }
    }

    /// A failure is one of Graph's too: the core knows what each means.
    fn goes_on(&self) -> Result<(), ReadFailure> {
        if self.ended {
            return Err(ReadFailure::Passing { why: "the input has ended".into(), retry_after: None });
        }
        Ok(())
    }
}

/// The lines of standard input.
#[expect(clippy::disallowed_methods, reason = "who reads standard input waits there, and for nobody else")]
fn lines() -> mpsc::Receiver<String> {
    let (sender, lines) = mpsc::channel(ROOM);
    std::thread::spawn(move || {
        let lines = io::stdin().lines().map_while(Result::ok);
        lines.map_while(|line| sender.blocking_send(line).ok()).for_each(drop);
    });
    lines
}

fn fail(why: impl std::fmt::Display) -> ExitCode {
    say(why);
    ExitCode::from(presence2mqtt::cli::exit::CONFIG)
}

fn say(sentence: impl std::fmt::Display) {
    // If standard error is gone there is nobody to tell.
    let _told = writeln!(io::stderr(), "{sentence}");
}
