//! A simulated tenant, an embedded broker, the bridge between them, and somebody who listens.

use std::collections::BTreeMap;
use std::path::Path;
use std::time::Duration;

use presence2mqtt::config::{self, Config, Environment};
use presence2mqtt::core::model::effect::{Ending, Message};
use presence2mqtt::core::model::event::Incoming;
use presence2mqtt::core::model::mqtt::Qos;
use presence2mqtt::core::model::request::{ReadFailure, Request, RequestId};
use presence2mqtt::demo::broker::EmbeddedBroker;
use presence2mqtt::graph::client::GraphClient;
use presence2mqtt::graph::operation::Ask;
use presence2mqtt::mqtt::address::Address;
use presence2mqtt::mqtt::one_shot::OneShot;
use presence2mqtt::run::{self, RunError};
use presence2mqtt::simulate::{Person, Server, Settings, Tenant};
use tokio::net::TcpListener;
use tokio::sync::oneshot;
use tokio::task::JoinHandle;

/// No wait in these tests is longer.
pub(crate) const LIMIT: Duration = Duration::from_secs(20);

pub(crate) struct Stage {
    pub(crate) tenant: Tenant,
    pub(crate) server: Server,
    pub(crate) port: u16,
    broker: Option<EmbeddedBroker>,
}

/// A running bridge.
pub(crate) struct Running {
    stop: oneshot::Sender<()>,
    task: JoinHandle<Result<Ending, RunError>>,
}

/// What was heard so far, the newest payload of each topic and everything in order.
pub(crate) struct Listener {
    connection: OneShot,
    pub(crate) now: BTreeMap<String, String>,
    pub(crate) heard: Vec<(String, String)>,
}

impl Stage {
    /// A tenant in which nobody moves unless told to, and a broker.
    pub(crate) async fn set(settings: Settings) -> Self {
        let mut stage = Self::without_broker(settings).await;
        stage.start_broker().await;
        stage
    }

    pub(crate) async fn without_broker(settings: Settings) -> Self {
        let tenant = Tenant::new(Settings { speed: 0.0, ..settings });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::start(listener, tenant.clone()).unwrap();
        // Taken for a moment, so that it is free when the broker wants it.
        let port = TcpListener::bind("127.0.0.1:0").await.unwrap().local_addr().unwrap().port();
        Self { tenant, server, port, broker: None }
    }

    pub(crate) async fn start_broker(&mut self) {
        self.broker = Some(EmbeddedBroker::start(self.port).await.unwrap());
    }

    /// Stops the broker; it forgets everything.
    pub(crate) async fn stop_broker(&mut self) {
        self.broker.take().unwrap().stop().await;
    }

    /// A configuration for this stage; `graph` and `users` are more of their sections.
    pub(crate) fn config(&self, graph: &str, users: &str) -> Config {
        let text = self.text(graph, users);
        config::parse(&text, Path::new("stage.toml"), &Environment::from_iter([])).unwrap()
    }

    /// The same as it is written.
    pub(crate) fn text(&self, graph: &str, users: &str) -> String {
        let Settings { tenant_id, client_id, client_secret, .. } = self.tenant.settings();
        let (url, port) = (self.server.url(), self.port);
        format!(
            "[mqtt]\nurl = \"mqtt://127.0.0.1:{port}\"\n\
             [graph]\ntenant_id = \"{tenant_id}\"\nclient_id = \"{client_id}\"\n\
             graph_url = \"{url}\"\nlogin_url = \"{url}\"\npoll_interval = \"1s\"\n{graph}\n\
             [graph.auth]\nmethod = \"client-secret\"\nclient_secret = \"{client_secret}\"\n{users}"
        )
    }

    /// Everybody in the tenant, under the first part of their principal name.
    pub(crate) fn everybody(&self) -> String {
        let user = |person: Person| {
            let name = person.principal_name.split('@').next().unwrap().to_owned();
            format!("[[users]]\nname = \"{name}\"\nid = \"{}\"\n", person.id)
        };
        self.tenant.people().into_iter().map(user).collect()
    }

    pub(crate) async fn listen(&self, config: &Config) -> Listener {
        Listener::to(config).await
    }
}

impl Running {
    pub(crate) fn start(config: &Config) -> Self {
        let (stop, stopped) = oneshot::channel();
        let config = config.clone();
        let asked = async { drop(stopped.await) };
        let task = tokio::spawn(async move { run::run(&config, asked, run::no_reloads()).await });
        Self { stop, task }
    }

    /// Stops the bridge and says how it ended.
    pub(crate) async fn stop(self) -> Ending {
        self.stop.send(()).unwrap();
        within(self.task).await.unwrap().unwrap()
    }

    /// How the bridge ends by itself.
    pub(crate) async fn end(self) -> Ending {
        within(self.task).await.unwrap().unwrap()
    }
}

impl Listener {
    /// Listens on the broker of a configuration.
    pub(crate) async fn to(config: &Config) -> Self {
        let mut connection = OneShot::connect(&Address::of_command(&config.mqtt, "test")).await.unwrap();
        connection.subscribe("presence/#").await.unwrap();
        Self { connection, now: BTreeMap::new(), heard: Vec::new() }
    }

    /// Leaves something retained.
    pub(crate) async fn publish(&mut self, topic: &str, payload: &str) {
        self.send(topic, payload, true).await;
    }

    /// Says something to whoever listens now.
    pub(crate) async fn tell(&mut self, topic: &str, payload: &str) {
        self.send(topic, payload, false).await;
    }

    async fn send(&mut self, topic: &str, payload: &str, retain: bool) {
        let (topic, payload) = (topic.to_owned(), payload.to_owned());
        let message =
            Message { topic, payload, qos: Qos::AtLeastOnce, retain, expires: None, correlation: None };
        within(self.connection.publish(message)).await.unwrap();
    }

    /// Hears one message more.
    pub(crate) async fn next(&mut self) -> Incoming {
        let message = within(self.connection.message()).await.unwrap();
        let payload = String::from_utf8(message.payload.clone()).unwrap();
        self.heard.push((message.topic.clone(), payload.clone()));
        self.now.insert(message.topic.clone(), payload);
        message
    }

    /// Listens until the topics hold these payloads.
    pub(crate) async fn until(&mut self, expected: &[(&str, &str)]) {
        let holds = |now: &BTreeMap<String, String>| {
            expected.iter().all(|(topic, payload)| now.get(*topic).is_some_and(|held| held == payload))
        };
        let wait = async {
            while !holds(&self.now) {
                self.next().await;
            }
        };
        if tokio::time::timeout(LIMIT, wait).await.is_err() {
            panic!("waited for {expected:?}, heard {:#?}", self.now);
        }
    }

    /// Listens until a topic with this beginning has this payload; says which.
    pub(crate) async fn until_prefix(&mut self, prefix: &str, payload: &str) -> String {
        loop {
            let mut now = self.now.iter();
            if let Some((topic, _)) = now.find(|(topic, held)| topic.starts_with(prefix) && *held == payload)
            {
                return topic.clone();
            }
            self.next().await;
        }
    }

    /// Listens until a topic's payload passes.
    pub(crate) async fn until_topic(&mut self, topic: &str, passes: impl Fn(&str) -> bool) -> String {
        loop {
            if let Some(payload) = self.now.get(topic).filter(|payload| passes(payload)) {
                return payload.clone();
            }
            self.next().await;
        }
    }
}

/// One request of a client, as the fetcher does it.
pub(crate) async fn ask<O: Ask>(client: &GraphClient, operation: O) -> Result<O::Answer, ReadFailure> {
    within(client.ask(&Request {
        id: RequestId::new(0),
        operation,
        token_max_age: None,
        own_token_age: None,
    }))
    .await
}

/// The same with a token that is not older than this moment, as after a refusal.
pub(crate) async fn ask_with_new_token<O: Ask>(
    client: &GraphClient,
    operation: O,
) -> Result<O::Answer, ReadFailure> {
    let token_max_age = Some(Duration::ZERO);
    let request = Request { id: RequestId::new(0), operation, token_max_age, own_token_age: None };
    within(client.ask(&request)).await
}

/// The same after somebody else signed in at this moment.
pub(crate) async fn ask_as_somebody_else<O: Ask>(
    client: &GraphClient,
    operation: O,
) -> Result<O::Answer, ReadFailure> {
    let now = Some(Duration::ZERO);
    let request = Request { id: RequestId::new(0), operation, token_max_age: now, own_token_age: now };
    within(client.ask(&request)).await
}

/// Fails instead of waiting for ever.
pub(crate) async fn within<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(LIMIT, future).await.expect("waited too long")
}
