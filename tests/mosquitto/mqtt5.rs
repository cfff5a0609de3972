//! MQTT 5: the edge towards the broker as the core sees it, and what the broker says that 3.1.1 has no words
//! for.
#![allow(clippy::wildcard_enum_match_arm, reason = "what a test does not expect, it shows and fails")]

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::time::Duration;

use presence2mqtt::config::{self, Environment};
use presence2mqtt::core::model::effect::{BrokerOrder, ConnectAs, Message, Subscription};
use presence2mqtt::core::model::event::{Event, LinkFailure};
use presence2mqtt::core::model::mqtt::{Protocol, Qos};
use presence2mqtt::mqtt::address::{Address, Will};
use presence2mqtt::mqtt::publisher;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::harness::{
    Certificates, Configuration, Listener, Mosquitto, Setup, Source, finished, password_file, retained, soon,
};

const PASSWORD: &str = "planted-broker-password";

/// More than the core ever has under way, and far more than the 20 that Mosquitto takes at once in MQTT 5.
const MANY: usize = 150;

/// The publisher, with the test in the core's place.
struct Publisher {
    protocol: Protocol,
    orders: mpsc::Sender<BrokerOrder>,
    reports: mpsc::Receiver<Event>,
    task: JoinHandle<()>,
}

/// What became of messages.
#[derive(Debug, Default, PartialEq)]
struct Fate {
    acknowledged: usize,
    refused: Vec<(String, String)>,
}

impl Publisher {
    /// The same in another version, to see that there is no difference.
    fn in_version(self, protocol: Protocol) -> Self {
        Self { protocol, ..self }
    }

    /// With more keys of `[mqtt]`, each on a line of its own.
    fn start(url: &str, keys: &str) -> Self {
        let text = format!(
            "[mqtt]\nurl = \"{url}\"\n{keys}\n[graph]\ntenant_id = \"contoso.example\"\n\
             client_id = \"11111111-2222-3333-4444-555555555555\"\n\
             [graph.auth]\nmethod = \"client-secret\"\nclient_secret = \"x\"\n\
             [[users]]\nname = \"alice\"\nid = \"66825e03-7ef5-42da-9069-724602c31f6b\"\n"
        );
        let config = config::parse(&text, Path::new("test.toml"), &Environment::from_iter([])).unwrap();
        let will = Will { topic: "presence/bridge/state".to_owned(), payload: "offline" };
        // Both are read at once by those who own them; a full one makes the other side wait.
        let (orders, taken) = mpsc::channel(64);
        let (reports, reported) = mpsc::channel(64);
        let address = Address::of_bridge(&config.mqtt, will);
        let protocol = Protocol::V5;
        Self {
            protocol,
            orders,
            reports: reported,
            task: tokio::spawn(publisher::run(address, taken, reports)),
        }
    }

    async fn order(&self, order: BrokerOrder) {
        soon("room for an order", self.orders.send(order)).await.unwrap();
    }

    async fn report(&mut self) -> Event {
        soon("a report", self.reports.recv()).await.unwrap()
    }

    async fn connect(&mut self) {
        self.order(BrokerOrder::Connect(ConnectAs::Holder, self.protocol)).await;
        let report = self.report().await;
        assert!(matches!(report, Event::Connected), "{report:?}");
    }

    async fn refused(&mut self) -> LinkFailure {
        self.order(BrokerOrder::Connect(ConnectAs::Holder, self.protocol)).await;
        self.ended().await
    }

    async fn ended(&mut self) -> LinkFailure {
        loop {
            if let Event::Disconnected(failure) = self.report().await {
                return failure;
            }
        }
    }

    /// Publishes and waits for every acknowledgement.
    async fn publish(&mut self, messages: Vec<Message>) -> Fate {
        let wanted = messages.len();
        self.order(BrokerOrder::Publish(messages)).await;
        let mut fate = Fate::default();
        while fate.acknowledged < wanted {
            match self.report().await {
                Event::Acknowledged(count) => fate.acknowledged += count,
                Event::PublishRefused { topic, why } => fate.refused.push((topic, why.to_string())),
                other => panic!("{other:?}"),
            }
        }
        fate
    }

    /// Says goodbye, and joins.
    async fn close(mut self) {
        self.order(BrokerOrder::Disconnect).await;
        assert_eq!(self.ended().await, LinkFailure::Lost("closed as asked".into()));
        drop(self.orders);
        soon("the publisher's end", self.task).await.unwrap();
    }
}

fn message(topic: &str, payload: &str) -> Message {
    let (topic, payload) = (topic.to_owned(), payload.to_owned());
    Message { topic, payload, qos: Qos::AtLeastOnce, retain: true, expires: None, correlation: None }
}

fn everything() -> Subscription {
    Subscription { filter: "presence/#".to_owned(), qos: Qos::AtMostOnce }
}

async fn guarded_by(options: impl Into<String>) -> Mosquitto {
    Mosquitto::with(Setup { guarded: Some(options.into()), ..Setup::default() }).await
}

#[tokio::test]
async fn more_messages_than_the_broker_takes_at_once_arrive_in_order() {
    let broker = Mosquitto::start().await;
    let listener = Listener::start(broker.port).await;
    let mut publisher = Publisher::start(&broker.url(), "");
    publisher.connect().await;
    let topics: Vec<_> = (0..MANY).map(|n| format!("presence/{n}/state")).collect();
    let messages: Vec<_> = topics.iter().map(|topic| message(topic, "1")).collect();
    for _ in 0..3 {
        assert_eq!(
            publisher.publish(messages.clone()).await,
            Fate { acknowledged: MANY, refused: Vec::new() }
        );
    }
    listener.until("everything", |heard| heard.len() == 3 * MANY).await;
    let heard: Vec<_> = listener.heard().into_iter().map(|heard| heard.topic).collect();
    assert_eq!(heard, [&topics[..]; 3].concat());
    publisher.close().await;
}

#[tokio::test]
async fn a_refused_message_is_named_and_stops_no_other() {
    let home = tempfile::tempdir().unwrap();
    let list = home.path().join("access");
    fs::write(&list, "topic readwrite presence/#\ntopic deny presence/bob/#\n").unwrap();
    let broker = guarded_by(format!("allow_anonymous true\nacl_file {}", list.display())).await;
    let mut publisher = Publisher::start(&broker.guarded_url("mqtt"), "");
    publisher.connect().await;
    let topic = |n: usize| format!("presence/{}/{n}", if n % 3 == 1 { "bob" } else { "alice" });
    let fate = publisher.publish((0..MANY).map(|n| message(&topic(n), "1")).collect()).await;
    let refused: Vec<_> = fate.refused.iter().map(|(topic, _)| topic.clone()).collect();
    assert_eq!(refused, (0..MANY).map(topic).filter(|t| t.contains("bob")).collect::<Vec<_>>());
    assert_eq!(fate.refused[0].1, "not authorized; allow writing it in the broker's access list");
    assert_eq!(retained(broker.port, "presence/#").await.len(), MANY - refused.len());
    publisher.close().await;
}

#[tokio::test]
async fn large_messages_go_both_ways() {
    let broker = Mosquitto::start().await;
    let mut publisher = Publisher::start(&broker.url(), "");
    publisher.connect().await;
    let large = "x".repeat(20_000);
    publisher.publish(vec![message("presence/alice/state", &large)]).await;
    publisher.order(BrokerOrder::Subscribe(vec![everything()])).await;
    let mut came = Vec::new();
    while came.is_empty() {
        if let Event::Message(message) = publisher.report().await {
            assert!(message.retained);
            came = message.payload;
        }
    }
    assert_eq!(came, large.as_bytes());
    publisher.close().await;
}

#[tokio::test]
async fn what_the_broker_finds_too_large_costs_no_connection() {
    let broker = guarded_by("allow_anonymous true\nmax_packet_size 2000").await;
    let mut publisher = Publisher::start(&broker.url(), "");
    publisher.connect().await;
    let fate = publisher
        .publish(vec![
            message("presence/alice/state", &"x".repeat(3000)),
            message("presence/alice/health", "ok"),
        ])
        .await;
    let why = "its 3000 bytes do not fit into a packet of 2000 bytes; raise the broker's limit".to_owned();
    assert_eq!(fate, Fate { acknowledged: 2, refused: vec![("presence/alice/state".to_owned(), why)] });
    publisher.close().await;
}

#[tokio::test]
async fn a_value_that_expires_is_forgotten_and_another_is_not() {
    let broker = Mosquitto::start().await;
    let mut publisher = Publisher::start(&broker.url(), "");
    publisher.connect().await;
    let expiring =
        Message { expires: Some(Duration::from_secs(1)), ..message("presence/alice/state", "old") };
    publisher.publish(vec![expiring, message("presence/alice/health", "ok")]).await;
    let left = async {
        loop {
            let held = retained(broker.port, "presence/#").await;
            if !held.contains_key("presence/alice/state") {
                return held;
            }
        }
    };
    let expected = BTreeMap::from([("presence/alice/health".to_owned(), "ok".to_owned())]);
    assert_eq!(soon("the end of a value", left).await, expected);
    publisher.close().await;
}

#[tokio::test]
async fn a_refused_password_is_named() {
    let home = tempfile::tempdir().unwrap();
    let passwords = password_file(home.path(), "bridge", PASSWORD);
    let broker = guarded_by(format!("allow_anonymous false\npassword_file {}", passwords.display())).await;
    let mut publisher =
        Publisher::start(&broker.guarded_url("mqtt"), "username = \"bridge\"\npassword = \"wrong\"");
    let failure = publisher.refused().await;
    assert!(
        matches!(&failure, LinkFailure::Refused(why) if why.contains("mqtt.password_file")),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_broker_without_retained_messages_is_of_no_use() {
    let broker = guarded_by("allow_anonymous true\nretain_available false").await;
    let failure = Publisher::start(&broker.url(), "").refused().await;
    assert!(
        matches!(&failure, LinkFailure::Refused(why) if why.contains("keeps no retained messages")),
        "{failure:?}"
    );
}

#[tokio::test]
async fn another_client_of_the_same_id_leaves_a_suspicion() {
    let broker = Mosquitto::start().await;
    let [mut first, mut second] = [(); 2].map(|()| Publisher::start(&broker.url(), ""));
    first.connect().await;
    second.connect().await;
    // Mosquitto gives the reason, in a form that rumqttc does not read.
    assert_eq!(first.ended().await, LinkFailure::Closed);
    second.close().await;
}

#[tokio::test]
async fn a_frozen_broker_is_noticed() {
    let broker = Mosquitto::start().await;
    let mut publisher = Publisher::start(&broker.url(), "keep_alive = \"5s\"");
    publisher.connect().await;
    broker.freeze();
    assert!(matches!(publisher.ended().await, LinkFailure::Lost(_)));
    broker.thaw();
}

#[tokio::test]
async fn every_kind_of_connection_ends_cleanly_or_by_its_will() {
    let certificates = Certificates::new();
    let (plain, tls) = ("allow_anonymous true".to_owned(), certificates.listener());
    let ca = format!("ca_file = \"{}\"", certificates.written("ca.pem"));
    for (scheme, options, keys) in [
        ("mqtt", plain.clone(), ""),
        ("mqtts", tls.clone(), ca.as_str()),
        ("ws", format!("protocol websockets\n{plain}"), ""),
        ("wss", format!("protocol websockets\n{tls}"), ca.as_str()),
    ] {
        let mut broker = guarded_by(options).await;
        let url = broker.guarded_url(scheme);
        for protocol in [Protocol::V3, Protocol::V5] {
            ends(&mut broker, protocol, || Publisher::start(&url, keys).in_version(protocol)).await;
        }
    }
}

async fn ends(broker: &mut Mosquitto, protocol: Protocol, publisher: impl Fn() -> Publisher) {
    let listener = Listener::start(broker.port).await;
    let mut clean = publisher();
    clean.connect().await;
    clean.publish(vec![message("presence/bridge/state", "online")]).await;
    clean.close().await;
    // Whatever a will says comes before what is said after it.
    let end = format!("presence/end/{}", protocol.as_str());
    listener.publish(&end, "", false).await;
    listener.until("the end", |heard| heard.iter().any(|heard| heard.topic == end)).await;
    assert_eq!(listener.newest("presence/bridge/state").as_deref(), Some("online"), "{protocol:?}");

    let mut cut = publisher();
    cut.connect().await;
    drop(cut.orders);
    listener.until_newest("presence/bridge/state", "offline").await;

    let mut left = publisher();
    left.connect().await;
    broker.kill().await;
    assert_eq!(left.ended().await, LinkFailure::Closed, "{protocol:?}");
    let away = left.refused().await;
    assert!(matches!(&away, LinkFailure::Lost(why) if why.contains("connection refused")), "{away:?}");
    broker.start_again().await;
    left.connect().await;
}

#[tokio::test]
async fn a_broker_that_wants_a_certificate_says_so_in_mqtt_5_too() {
    let certificates = Certificates::new();
    let broker = guarded_by(format!("{}\nrequire_certificate true", certificates.listener())).await;
    let ca = format!("ca_file = \"{}\"", certificates.written("ca.pem"));
    let failure = Publisher::start(&broker.guarded_url("mqtts"), &ca).refused().await;
    assert!(
        matches!(&failure, LinkFailure::Refused(why) if why.contains("mqtt.client_cert_file")),
        "{failure:?}"
    );
}

#[tokio::test]
async fn a_command_speaks_mqtt_5_and_keeps_its_secrets() {
    let home = tempfile::tempdir().unwrap();
    let passwords = password_file(home.path(), "bridge", PASSWORD);
    let guarded =
        format!("protocol websockets\nallow_anonymous false\npassword_file {}", passwords.display());
    let broker = guarded_by(guarded).await;
    let source = Source::start().await;
    let configuration = Configuration::new(&source, &broker.guarded_url("ws"))
        .set("mqtt.protocol", "5")
        .set("mqtt.username", "bridge")
        .set("mqtt.password", PASSWORD);
    let cleaned = finished(&configuration, &["-vv", "clean"]).await;
    assert_eq!(cleaned.code, Some(0), "{}", cleaned.output.stderr);
    broker
        .says_so("a client that speaks MQTT 5", |said| {
            said.contains("presence2mqtt-clean-") && said.contains("(p5,")
        })
        .await;
    let said = cleaned.output.stderr + &cleaned.output.stdout;
    let hexadecimal: String = PASSWORD.bytes().map(|byte| format!("{byte:02x}")).collect();
    for secret in [PASSWORD, &hexadecimal] {
        assert!(!said.contains(secret), "{secret} in {said}");
    }
}
