//! What a broker does to any client, seen without the bridge.

use std::time::{Duration, Instant};

use rumqttc::{
    AsyncClient, Event, EventLoop, LastWill, MqttOptions, Packet, QoS, SubscribeFilter, SubscribeReasonCode,
};
use tokio::time::timeout;

use crate::LOGIN;
use crate::harness::{Heard, Listener, soon};

/// For what a broker may do or not.
pub(crate) const MAYBE: Duration = Duration::from_secs(2);

const ROUNDS: usize = 3;

/// Before a connection that failed is tried again.
const AGAIN: Duration = Duration::from_millis(100);

/// How many of the topics that are retained a wildcard brings.
pub(crate) async fn wildcard(port: u16, filter: &str, topics: usize) -> String {
    let listener = Listener::only(port, filter).await;
    let brought = |heard: &[Heard]| heard.iter().filter(|heard| heard.retained).count();
    match timeout(MAYBE, listener.until("all of it", |heard| brought(heard) >= topics)).await {
        Ok(()) => "yes".to_owned(),
        Err(_) if brought(&listener.heard()) == 0 => "**no**".to_owned(),
        Err(_) => format!("**{} of {topics}**", brought(&listener.heard())),
    }
}

/// Whether so many filters are taken at once.
pub(crate) async fn eight_filters(port: u16) -> String {
    let (client, mut events) = connected(MqttOptions::new("eight-filters", "127.0.0.1", port)).await;
    let filter = |i| SubscribeFilter::new(format!("eight/{i}/+"), QoS::AtLeastOnce);
    client.subscribe_many((0..8).map(filter)).await.unwrap();
    loop {
        match soon("an answer to SUBSCRIBE", events.poll()).await {
            Ok(Event::Incoming(Packet::SubAck(answer))) => {
                let refused =
                    answer.return_codes.iter().filter(|code| **code == SubscribeReasonCode::Failure);
                return match refused.count() {
                    0 => "accepted".to_owned(),
                    refused => format!("**{refused} refused**"),
                };
            }
            Ok(_) => {}
            Err(_) => return "**closed**".to_owned(),
        }
    }
}

/// What became of the first of two clients of one name, and of its will.
pub(crate) async fn takeover(port: u16) -> (String, String) {
    let listener = Listener::only(port, "takeover/+").await;
    let (mut closed, mut published) = (0, 0);
    for round in 0..ROUNDS {
        // A name for each round: NATS makes one that comes again and again wait.
        let (name, topic) = (format!("takeover-{round}"), format!("takeover/{round}"));
        let mut options = MqttOptions::new(&name, "127.0.0.1", port);
        options.set_last_will(LastWill::new(&topic, "lost", QoS::AtLeastOnce, false));
        let (_first, mut first) = connected(options).await;
        let (_second, _events) = connected(MqttOptions::new(&name, "127.0.0.1", port)).await;
        closed += usize::from(timeout(MAYBE, async { while first.poll().await.is_ok() {} }).await.is_ok());
        published += usize::from(timeout(MAYBE, listener.until_newest(&topic, "lost")).await.is_ok());
    }
    let times = |n: usize| match n {
        0 => "no".to_owned(),
        ROUNDS => "yes".to_owned(),
        n => format!("{n} of {ROUNDS} times"),
    };
    (times(closed), times(published))
}

/// Somebody else with this name comes once, and goes.
pub(crate) async fn comes_once(port: u16, name: &str) {
    let (client, mut events) = connected(MqttOptions::new(name, "127.0.0.1", port)).await;
    client.disconnect().await.unwrap();
    soon("the end of a connection", async { while events.poll().await.is_ok() {} }).await;
}

/// How long a client that does nothing else needs from now until the broker has stored so many retained
/// messages, however often it has to connect for it: the first one, and all.
pub(crate) async fn stores(port: u16, messages: usize) -> (Duration, Duration) {
    let began = Instant::now();
    let options = MqttOptions::new("bare", "127.0.0.1", port);
    let (client, mut events) = AsyncClient::new(options, messages);
    for i in 0..messages {
        client.publish(format!("bare/{i}"), QoS::AtLeastOnce, true, "stored").await.unwrap();
    }
    let (mut stored, mut first) = (0, None);
    while stored < messages {
        match events.poll().await {
            Ok(Event::Incoming(Packet::PubAck(_))) => {
                stored += 1;
                first.get_or_insert(began.elapsed());
            }
            Ok(_) => {}
            // The next poll connects anew, and sends again what was not acknowledged.
            Err(_) => tokio::time::sleep(AGAIN).await,
        }
    }
    (first.unwrap(), began.elapsed())
}

async fn connected(mut options: MqttOptions) -> (AsyncClient, EventLoop) {
    if let Some((user, password)) = LOGIN {
        options.set_credentials(user, password);
    }
    let (client, mut events) = AsyncClient::new(options, 8);
    let accepted =
        async { while !matches!(events.poll().await.unwrap(), Event::Incoming(Packet::ConnAck(_))) {} };
    soon("a connection", accepted).await;
    (client, events)
}
