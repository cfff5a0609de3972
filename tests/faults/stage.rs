//! Everything that takes part: the tenant, the broker, the lines to both, the bridge, and the observer.

use std::sync::Mutex as Guarded;
use std::time::{Duration, Instant};

use presence2mqtt::config::Config;
use presence2mqtt::core::model::effect::Ending;
use presence2mqtt::demo::broker::EmbeddedBroker;
use presence2mqtt::run::{self, Reload, RunError};
use presence2mqtt::simulate::{self, Server, Tenant};
use tokio::net::TcpListener;
use tokio::sync::{Mutex, mpsc, oneshot};
use tokio::task::JoinSet;

use crate::line::Line;
use crate::observer::Observer;
use crate::people::People;
use crate::setup::{REQUESTS, Setup};

/// For anything that has no promised limit of its own.
const LIMIT: Duration = Duration::from_secs(20);

/// Who an earlier configuration followed.
pub(crate) const LEFTOVER: &str = "former";

/// The stage of one scenario.
pub(crate) struct Stage {
    pub(crate) people: People,
    pub(crate) graph: Line,
    pub(crate) broker_line: Line,
    pub(crate) observer: Observer,
    pub(crate) bridge: Mutex<Bridge>,
    /// From when until when Graph told nobody's presence.
    pub(crate) silences: Guarded<Vec<(Instant, Instant)>>,
    /// When the tenant's clock began.
    pub(crate) began: Instant,
    broker: Mutex<Option<EmbeddedBroker>>,
    server: Server,
}

/// The bridge, running or not.
pub(crate) struct Bridge {
    pub(crate) config: Config,
    /// When each run began.
    pub(crate) runs: Vec<Instant>,
    stop: Option<oneshot::Sender<()>>,
    reload: Option<mpsc::Sender<Reload>>,
    task: JoinSet<Result<Ending, RunError>>,
}

impl Stage {
    /// Everything but the bridge runs.
    pub(crate) async fn set(setup: &Setup, secret: Option<&str>, random: &mut fastrand::Rng) -> Self {
        let limits = simulate::Settings { request_limit: REQUESTS as usize, ..simulate::Settings::default() };
        let tenant = Tenant::new(simulate::Settings {
            users: setup.people(),
            speed: 0.0,
            seed: random.u64(..),
            ..limits
        });
        let began = Instant::now();
        let people = People::new(tenant.clone(), random);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Server::start(listener, tenant.clone()).unwrap();
        let graph = Line::to(Some(port));
        let broker = EmbeddedBroker::start(0).await.unwrap();
        let broker_line = Line::to(Some(broker.port()));
        let settings = tenant.settings();
        let inline = format!("client_secret = \"{}\"", settings.client_secret);
        let person = |place| people.person(place).clone();
        let secret = secret.unwrap_or(&inline);
        let config = setup.config(&settings, secret, person, broker_line.port(), graph.port());
        let observer = Observer::start(&config.mqtt, broker.port()).await;
        Self {
            bridge: Mutex::new(Bridge {
                config,
                runs: Vec::new(),
                stop: None,
                reload: None,
                task: JoinSet::new(),
            }),
            broker: Mutex::new(Some(broker)),
            silences: Guarded::default(),
            people,
            graph,
            broker_line,
            observer,
            began,
            server,
        }
    }

    /// Leaves on the broker what a bridge with another configuration would have left.
    pub(crate) async fn leave_somebody(&self) {
        let state = r#"{"availability":"Busy","activity":"InACall","since":"2026-11-23T09:14:22Z","bridge":"presence2mqtt"}"#;
        for (field, payload) in
            [("state", state), ("activity", "InACall"), ("availability", "Busy"), ("health", "ok")]
        {
            let topic = format!("presence/{LEFTOVER}/{field}");
            self.observer.publish(&topic, payload, true).await.unwrap();
        }
    }

    /// The broker goes, and everything it kept.
    pub(crate) async fn lose_broker(&self) {
        let broker = self.broker.lock().await.take().unwrap();
        self.broker_line.lead_to(None);
        self.observer.leave().await;
        within("the end of the broker", broker.stop()).await;
    }

    /// Another broker is where the first one was. The observer is the first to know it.
    pub(crate) async fn start_broker(&self) {
        let broker = EmbeddedBroker::start(0).await.unwrap();
        self.observer.move_to(broker.port()).await;
        self.broker_line.lead_to(Some(broker.port()));
        *self.broker.lock().await = Some(broker);
    }

    /// Ends everything, and waits for it.
    pub(crate) async fn strike(self) {
        if let Some(broker) = self.broker.into_inner() {
            within("the end of the broker", broker.stop()).await;
        }
        within("the end of the tenant", self.server.stop()).await;
    }
}

impl Bridge {
    pub(crate) fn start(&mut self) {
        let (stop, stopped) = oneshot::channel();
        let config = self.config.clone();
        self.runs.push(Instant::now());
        // Room for all that come while the bridge is busy with one: a signal is not lost either.
        let (reload, reloads) = mpsc::channel(8);
        let asked = async { drop(stopped.await) };
        self.task.spawn(async move { run::run(&config, asked, reloads).await });
        (self.stop, self.reload) = (Some(stop), Some(reload));
    }

    /// The next run follows one user less; the last one stays.
    pub(crate) fn leave_out_the_last(&mut self) {
        if let [kept @ .., _] = &self.config.users[..]
            && !kept.is_empty()
        {
            self.config.users = kept.into();
        }
    }

    /// Hands the bridge its configuration again, or why there is none.
    pub(crate) fn reload(&self, broken: bool) {
        let reload = if broken { Err("it is broken".to_owned()) } else { Ok(self.config.clone()) };
        // A bridge that has ended takes nothing, and reads its configuration when it starts.
        let _taken = self.reload.as_ref().is_some_and(|to| to.try_send(reload).is_ok());
    }

    /// Ends the bridge without a word, as a crash or a power cut does.
    pub(crate) async fn kill(&mut self) {
        self.task.shutdown().await;
        self.stop = None;
    }

    /// Stops the bridge, which must end as asked.
    pub(crate) async fn stop(&mut self) {
        drop(self.stop.take());
        let ending = within("the end of the bridge", self.task.join_next()).await;
        assert_eq!(ending.expect("the bridge ran").unwrap().unwrap(), Ending::Stopped);
    }
}

/// Fails instead of waiting for ever.
pub(crate) async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(LIMIT, future).await {
        Ok(result) => result,
        Err(_) => panic!("not within {LIMIT:?}: {what}"),
    }
}
