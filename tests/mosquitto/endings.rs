//! How the bridge goes: killed, asked to go, and asked while the broker does not listen.

use std::time::{Duration, Instant};

use crate::harness::{Bridge, Configuration, Finished, Listener, Mosquitto, Source, retained};

/// What is promised between the request to stop and the end.
const STOPS_WITHIN: Duration = Duration::from_secs(5);

#[tokio::test]
async fn killed_it_is_offline_by_its_will() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    listener.until_newest("presence/bridge/state", "online").await;
    let (mark, killed) = (listener.mark(), Instant::now());
    let finished = bridge.stop("KILL").await;
    assert_eq!(finished.code, None, "ended by the signal");
    let offline = listener.next(mark, "presence/bridge/state", "offline").await;
    println!("figure: offline after kill -9: {:?}", offline.saturating_duration_since(killed));
    assert_eq!(retained(broker.port, "#").await["presence/bridge/state"], "offline");
}

#[tokio::test]
async fn asked_to_stop_it_says_offline_and_ends_with_0() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    for signal in ["TERM", "INT"] {
        let mark = listener.mark();
        let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
        listener.next(mark, "presence/bridge/state", "online").await;
        let finished = bridge.stop(signal).await;
        println!("figure: exit after SIG{signal}: {:?}", finished.after);
        assert_stopped(&finished);
        let found = retained(broker.port, "#").await;
        assert_eq!(found["presence/bridge/state"], "offline");
        assert_eq!(found["presence/alice/availability"], "Available", "presence itself stays");
        let offline = listener.since(mark).iter().filter(|heard| heard.payload == "offline").count();
        assert_eq!(offline, 1, "said once, without the help of the will");
    }
}

#[tokio::test]
async fn asked_to_stop_while_the_broker_is_frozen_it_ends_in_time() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    listener.until_newest("presence/alice/health", "ok").await;
    broker.freeze();
    let finished = bridge.stop("TERM").await;
    println!("figure: exit after SIGTERM with a frozen broker: {:?}", finished.after);
    assert_stopped(&finished);
    broker.thaw();
    listener.until_newest("presence/bridge/state", "offline").await;
}

#[tokio::test]
async fn asked_to_stop_while_the_broker_is_away_it_ends_at_once() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    bridge.says("the bridge is online").await;
    broker.kill().await;
    bridge.says("no connection to the broker").await;
    let finished = bridge.stop("TERM").await;
    println!("figure: exit after SIGTERM without a broker: {:?}", finished.after);
    assert_stopped(&finished);

    let bridge = Bridge::start(&Configuration::new(&source, &broker.url()));
    bridge.says("no connection to the broker").await;
    assert_stopped(&bridge.stop("INT").await);
}

fn assert_stopped(finished: &Finished) {
    assert_eq!(finished.code, Some(0), "{}", finished.output.stderr);
    assert!(finished.after < STOPS_WITHIN, "{:?}", finished.after);
}
