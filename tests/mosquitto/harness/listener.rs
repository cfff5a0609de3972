//! Somebody who listens on the broker, and knows nothing of the program.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS, SubscribeFilter};
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{LIMIT, within};
use crate::LOGIN;

/// Between two attempts to reach a broker that is down.
const PAUSE: Duration = Duration::from_millis(10);

/// A NATS server that has just come back to its cluster lets nobody in for a while.
const SUBSCRIBES_WITHIN: Duration = Duration::from_secs(60);

/// Filters in one SUBSCRIBE: more are not accepted everywhere.
const FILTERS: usize = 8;

/// A message as it arrived.
#[derive(Debug, Clone)]
pub(crate) struct Heard {
    pub(crate) topic: String,
    pub(crate) payload: String,
    pub(crate) retained: bool,
    pub(crate) at: Instant,
}

/// Listens until dropped, and comes back when the broker does.
pub(crate) struct Listener {
    client: AsyncClient,
    heard: watch::Receiver<Vec<Heard>>,
    _task: JoinSet<()>,
}

impl Listener {
    /// Listens to everything.
    pub(crate) async fn start(port: u16) -> Self {
        Self::only(port, "#").await
    }

    /// Listens to these topics only, and falls behind nobody.
    pub(crate) async fn only(port: u16, filter: &str) -> Self {
        Self::each(port, [filter]).await
    }

    /// Listens to what each of these filters brings.
    pub(crate) async fn each(port: u16, filters: impl IntoIterator<Item: Into<String>>) -> Self {
        let name = format!("listener-{:016x}", fastrand::u64(..));
        let mut options = MqttOptions::new(&name, "127.0.0.1", port);
        options.set_max_packet_size(1024 * 1024, 1024 * 1024);
        if let Some((user, password)) = LOGIN {
            options.set_credentials(user, password);
        }
        // Quality 0: Mosquitto cuts the queue of a late subscriber at quality 1.
        let filters = filters.into_iter().map(Into::into).chain([MARKER.to_owned()]);
        let filters: Vec<_> = filters.map(|filter| SubscribeFilter::new(filter, QoS::AtMostOnce)).collect();
        let (client, event_loop) = AsyncClient::new(options, 16 + filters.len());
        let (hears, heard) = watch::channel(Vec::new());
        let (subscribes, mut subscribed) = watch::channel(false);
        let mut task = JoinSet::new();
        task.spawn(listen(event_loop, client.clone(), filters, hears, subscribes));
        let subscribed = subscribed.wait_for(|subscribed| *subscribed);
        within(SUBSCRIBES_WITHIN, "a subscription", subscribed).await.unwrap();
        Self { client, heard, _task: task }
    }

    /// Everything heard so far, oldest first.
    pub(crate) fn heard(&self) -> Vec<Heard> {
        self.heard.borrow().clone()
    }

    /// How much was heard so far: for [`since`](Self::since).
    pub(crate) fn mark(&self) -> usize {
        self.heard.borrow().len()
    }

    /// What was heard since the mark.
    pub(crate) fn since(&self, mark: usize) -> Vec<Heard> {
        self.heard.borrow()[mark..].to_vec()
    }

    /// The newest payload on a topic.
    pub(crate) fn newest(&self, topic: &str) -> Option<String> {
        newest(&self.heard.borrow(), topic).map(|heard| heard.payload.clone())
    }

    /// Waits until what was heard satisfies the condition.
    pub(crate) async fn until(&self, what: &str, condition: impl Fn(&[Heard]) -> bool) {
        self.until_within(LIMIT, what, condition).await;
    }

    /// Waits no longer than this.
    pub(crate) async fn until_within(
        &self,
        limit: Duration,
        what: &str,
        condition: impl Fn(&[Heard]) -> bool,
    ) {
        let mut heard = self.heard.clone();
        within(limit, what, heard.wait_for(|heard| condition(heard))).await.unwrap();
    }

    /// Waits until the newest payload on a topic is `payload`.
    pub(crate) async fn until_newest(&self, topic: &str, payload: &str) {
        let what = format!("{payload:?} on {topic}");
        self.until(&what, |all| newest(all, topic).is_some_and(|heard| heard.payload == payload)).await;
    }

    /// Waits until `payload` comes on a topic after the mark; says when it came.
    pub(crate) async fn next(&self, mark: usize, topic: &str, payload: &str) -> Instant {
        let wanted = |heard: &&Heard| heard.topic == topic && heard.payload == payload;
        let what = format!("{payload:?} on {topic}");
        self.until(&what, |all| all[mark..].iter().any(|heard| wanted(&heard))).await;
        self.heard.borrow()[mark..].iter().find(wanted).unwrap().at
    }

    pub(crate) async fn publish(&self, topic: &str, payload: &str, retain: bool) {
        self.client.publish(topic, QoS::AtLeastOnce, retain, payload).await.unwrap();
    }
}

/// What a broker holds at this moment: the retained messages that somebody gets who comes now.
pub(crate) async fn retained(port: u16, filter: &str) -> BTreeMap<String, String> {
    let listener = Listener::only(port, filter).await;
    // What is retained is queued before the answer to the subscription; a message sent after that comes
    // behind it.
    listener.publish(MARKER, "", false).await;
    listener.until("the marker", |heard| heard.iter().any(|heard| heard.topic == MARKER)).await;
    let heard = listener.heard().into_iter().filter(|heard| heard.retained);
    heard.map(|heard| (heard.topic, heard.payload)).collect()
}

/// Outside of every base topic; each listener hears its own and perhaps another's, and each comes behind what
/// was retained.
const MARKER: &str = "marker";

fn newest<'a>(heard: &'a [Heard], topic: &str) -> Option<&'a Heard> {
    heard.iter().rev().find(|heard| heard.topic == topic)
}

async fn listen(
    mut event_loop: EventLoop,
    client: AsyncClient,
    filters: Vec<SubscribeFilter>,
    hears: watch::Sender<Vec<Heard>>,
    subscribes: watch::Sender<bool>,
) {
    let mut open = 0;
    loop {
        match event_loop.poll().await {
            Ok(Event::Incoming(Packet::ConnAck(_))) => {
                for filters in filters.chunks(FILTERS) {
                    client.try_subscribe_many(filters.iter().cloned()).unwrap();
                }
                open = filters.len().div_ceil(FILTERS);
            }
            Ok(Event::Incoming(Packet::SubAck(_))) => {
                open -= 1;
                if open == 0 {
                    subscribes.send_replace(true);
                }
            }
            Ok(Event::Incoming(Packet::Publish(publish))) => {
                let heard = Heard {
                    payload: String::from_utf8(publish.payload.to_vec()).unwrap(),
                    topic: publish.topic,
                    retained: publish.retain,
                    at: Instant::now(),
                };
                hears.send_modify(|all| all.push(heard));
            }
            Ok(_) => {}
            Err(_) => tokio::time::sleep(PAUSE).await,
        }
    }
}
