//! Somebody who listens to everything on the broker and writes it down.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use presence2mqtt::config::{Broker, Mqtt};
use presence2mqtt::core::model::effect::Message;
use presence2mqtt::core::model::mqtt::Qos;
use presence2mqtt::mqtt::address::Address;
use presence2mqtt::mqtt::one_shot::{OneShot, OneShotError};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::play::REFRESH;
use crate::stage::within;

/// Between two attempts to reach a broker that is going away.
const PAUSE: Duration = Duration::from_millis(10);

/// Where instances of a bridge speak to each other.
const SAID: [&str; 2] = ["presence/bridge/standby/ping", "presence/bridge/standby/pong"];

/// What happened to the observer.
#[derive(Debug, Clone)]
pub(crate) struct Note {
    pub(crate) at: Instant,
    pub(crate) what: Noted,
}

#[derive(Debug, Clone)]
pub(crate) enum Noted {
    /// Listens to a broker that it knew nothing of before.
    Connected,
    Lost,
    Heard {
        topic: String,
        payload: String,
        retained: bool,
    },
}

/// Everything so far.
#[derive(Debug, Default)]
pub(crate) struct Record {
    pub(crate) notes: Vec<Note>,
    /// The newest payload of each topic that has one, of the broker at hand.
    pub(crate) now: BTreeMap<String, String>,
    /// The port of the broker that is listened to.
    listens_to: Option<u16>,
}

/// Listens until dropped.
pub(crate) struct Observer {
    mqtt: Mqtt,
    broker: watch::Sender<Option<u16>>,
    record: watch::Receiver<Record>,
    _task: JoinSet<()>,
}

impl Observer {
    /// Listens to the broker at this port, directly: what breaks for the bridge does not break for the
    /// observer.
    pub(crate) async fn start(mqtt: &Mqtt, port: u16) -> Self {
        let (broker, brokers) = watch::channel(Some(port));
        let (records, record) = watch::channel(Record::default());
        let mut task = JoinSet::new();
        task.spawn(listen(mqtt.clone(), brokers, records));
        let observer = Self { mqtt: mqtt.clone(), broker, record, _task: task };
        observer.move_to(port).await;
        observer
    }

    /// Listens to another broker; returns when it does.
    pub(crate) async fn move_to(&self, port: u16) {
        self.broker.send_replace(Some(port));
        self.until("a subscription", |record| record.listens_to == Some(port)).await;
    }

    /// Listens to nobody, for the broker is about to go, and its port may be somebody else's then.
    pub(crate) async fn leave(&self) {
        self.broker.send_replace(None);
        self.until("the end of a subscription", |record| record.listens_to.is_none()).await;
    }

    /// Waits until what was heard satisfies the condition.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&Record) -> bool) {
        let mut record = self.record.clone();
        within(what, record.wait_for(|record| condition(record))).await.unwrap();
    }

    /// Waits for something new; `false` if nothing came before `deadline`.
    pub(crate) async fn hears_by(&self, seen: usize, deadline: Instant) -> bool {
        let mut record = self.record.clone();
        let more = record.wait_for(|record| record.notes.len() > seen);
        tokio::time::timeout_at(deadline.into(), more).await.is_ok()
    }

    pub(crate) fn record(&self) -> watch::Ref<'_, Record> {
        self.record.borrow()
    }

    /// What somebody finds who comes now.
    pub(crate) async fn found_by_a_latecomer(&self) -> Result<BTreeMap<String, String>, String> {
        let mut connection = self.connect().await?;
        let found = connection.retained("presence/#").await;
        connection.close().await;
        let text = |payload| String::from_utf8(payload).unwrap();
        let found = found.map_err(|error| error.to_string())?;
        Ok(found.into_iter().map(|message| (message.topic, text(message.payload))).collect())
    }

    /// Publishes as somebody else.
    pub(crate) async fn publish(&self, topic: &str, payload: &str, retain: bool) -> Result<(), String> {
        let mut connection = self.connect().await?;
        let published = connection.publish(message(topic, payload, retain)).await;
        connection.close().await;
        published.map_err(|error| error.to_string())
    }

    /// Publishes the same again and again, until there is no broker any more or nobody waits for that.
    pub(crate) async fn repeat(&self, topic: &str, payload: &str, every: Duration) {
        while let Ok(mut connection) = self.connect().await {
            while connection.publish(message(topic, payload, false)).await.is_ok() {
                tokio::time::sleep(every).await;
            }
        }
        tokio::time::sleep(PAUSE).await;
    }

    /// Leaves on a broker what another one kept.
    pub(crate) async fn restore(
        &self,
        port: u16,
        kept: BTreeMap<String, String>,
    ) -> Result<(), OneShotError> {
        let mut connection = OneShot::connect(&address(&self.mqtt, port)).await?;
        for (topic, payload) in kept {
            connection.publish(message(&topic, &payload, true)).await?;
        }
        connection.close().await;
        Ok(())
    }

    async fn connect(&self) -> Result<OneShot, String> {
        let port = self.broker.borrow().ok_or("there is no broker")?;
        OneShot::connect(&address(&self.mqtt, port)).await.map_err(|error| error.to_string())
    }
}

fn message(topic: &str, payload: &str, retain: bool) -> Message {
    let (topic, payload) = (topic.to_owned(), payload.to_owned());
    Message { topic, payload, qos: Qos::AtLeastOnce, retain, expires: None, correlation: None }
}

fn address(mqtt: &Mqtt, port: u16) -> Address {
    let mut mqtt = mqtt.clone();
    mqtt.brokers = Broker { port, ..mqtt.brokers.in_turn(0).clone() }.into();
    mqtt.settings.keep_alive = Duration::from_secs(30);
    Address::of_command(&mqtt, "observer")
}

async fn listen(mqtt: Mqtt, mut brokers: watch::Receiver<Option<u16>>, records: watch::Sender<Record>) {
    loop {
        let port = *brokers.borrow_and_update();
        tokio::select! {
            // An error is the end of the connection, which is noted below like the broker's.
            _ended = listen_to(port, &mqtt, &records), if port.is_some() => tokio::time::sleep(PAUSE).await,
            changed = brokers.changed() => if changed.is_err() { return },
        }
        records.send_if_modified(|record| {
            let was_connected = record.listens_to.take().is_some();
            if was_connected {
                record.note(Noted::Lost);
            }
            was_connected
        });
    }
}

async fn listen_to(
    port: Option<u16>,
    mqtt: &Mqtt,
    records: &watch::Sender<Record>,
) -> Result<(), OneShotError> {
    let Some(port) = port else { return Ok(()) };
    let mut connection = OneShot::connect(&address(mqtt, port)).await?;
    connection.subscribe("presence/#").await?;
    records.send_modify(|record| {
        record.now.clear();
        record.listens_to = Some(port);
        record.note(Noted::Connected);
    });
    loop {
        let message = connection.message().await?;
        let (topic, retained) = (message.topic, message.retained);
        let payload = String::from_utf8(message.payload).unwrap();
        records.send_modify(|record| {
            match payload.is_empty() {
                true => record.now.remove(&topic),
                // What others say to the bridge, and instances to each other, is not kept.
                false if topic == REFRESH || SAID.contains(&topic.as_str()) => None,
                false => record.now.insert(topic.clone(), payload.clone()),
            };
            record.note(Noted::Heard { topic, payload, retained });
        });
    }
}

impl Record {
    fn note(&mut self, what: Noted) {
        self.notes.push(Note { at: Instant::now(), what });
    }
}
