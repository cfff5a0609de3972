//! Another client with the bridge's client id.

use std::time::{Duration, Instant};

use rumqttc::{AsyncClient, Event, MqttOptions, Packet};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::harness::{Bridge, Configuration, Listener, Mosquitto, Source, soon};

/// Somebody who takes the client id over whenever they lose it, as often as they can, like a client with a fixed
/// reconnect delay.
struct Rival {
    let_in: watch::Receiver<usize>,
    _task: JoinSet<()>,
}

impl Rival {
    fn start(port: u16) -> Self {
        let (counts, let_in) = watch::channel(0);
        let mut task = JoinSet::new();
        task.spawn(async move {
            loop {
                let options = MqttOptions::new("presence2mqtt", "127.0.0.1", port);
                let (_client, mut events) = AsyncClient::new(options, 1);
                while let Ok(event) = events.poll().await {
                    if matches!(event, Event::Incoming(Packet::ConnAck(_))) {
                        counts.send_modify(|count| *count += 1);
                    }
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        });
        Self { let_in, _task: task }
    }
}

#[tokio::test]
async fn a_rival_is_named_and_not_fought_and_the_bridge_is_back_when_it_has_gone() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    listener.until_newest("presence/alice/health", "ok").await;
    let began = Instant::now();
    let mut rival = Rival::start(broker.port);
    bridge.says("another client comes with the same mqtt.client_id").await;
    let turns = *soon("three turns", rival.let_in.wait_for(|turns| *turns >= 3)).await.unwrap();
    println!("figure: a rival is named after {:?} and {turns} of its connections", began.elapsed());
    assert!(turns <= 4, "{turns}");
    // One turn more, at the pace of somebody who does not fight.
    let named = Instant::now();
    soon("another turn", rival.let_in.wait_for(|now| *now > turns)).await.unwrap();
    assert!(named.elapsed() > Duration::from_secs(3), "{:?}", named.elapsed());
    let named = bridge.lines("WARN").iter().filter(|line| line.contains("another client")).count();
    assert_eq!(named, 1, "{}", bridge.log());
    drop(rival);
    let gone = Instant::now();
    let mark = listener.mark();
    listener.next(mark, "presence/bridge/state", "online").await;
    println!("figure: back {:?} after the rival has gone", gone.elapsed());
    listener
        .until("the notice", |heard| {
            heard[mark..].iter().any(|heard| {
                heard.topic == "presence/bridge/health" && heard.payload.contains("another client")
            })
        })
        .await;
}
