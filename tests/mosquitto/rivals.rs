//! Who else is, or seems to be, in the bridge's place: another run, another client with its client id, words
//! of those who are gone.

use std::time::{Duration, Instant};

use rumqttc::{AsyncClient, Event, MqttOptions, Packet};
use tokio::sync::watch;
use tokio::task::JoinSet;

use crate::harness::{
    Bridge, Configuration, Heard, Listener, Mosquitto, Setup, Source, finished, password_file, retained, soon,
};

/// Somebody who takes the client id over whenever they lose it, as often as they can, like a client with a
/// fixed reconnect delay.
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
    bridge.says("another client connects with the same mqtt.client_id").await;
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

const STATE: &str = "presence/bridge/state";
const HEALTH: &str = "presence/alice/health";

/// How long it takes from the start until the bridge is `online`.
async fn time_to_online(configuration: &Configuration, listener: &Listener) -> (Bridge, Duration) {
    let (mark, began) = (listener.mark(), Instant::now());
    let bridge = Bridge::start(configuration);
    let is_online = |heard: &Heard| heard.topic == STATE && heard.payload == "online" && !heard.retained;
    listener.until("online", |heard| heard[mark..].iter().any(is_online)).await;
    let online = listener.since(mark).into_iter().find(is_online).unwrap().at;
    (bridge, online.duration_since(began))
}

#[tokio::test]
async fn a_second_run_ends_and_the_first_never_notices() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    for protocol in ["3.1.1", "5"] {
        let configuration = Configuration::new(&source, &broker.url()).set("mqtt.protocol", protocol);
        let first = Bridge::start(&configuration.clone().set("mqtt.instance", "attic"));
        listener.until_newest(STATE, "online").await;
        listener.until_newest(HEALTH, "ok").await;
        let mark = listener.mark();
        let second = Bridge::start(&configuration.clone().set("mqtt.instance", "cellar")).end().await;
        println!("figure: a second run (MQTT {protocol}) ends after {:?}", second.after);
        assert_eq!(second.code, Some(78), "{}", second.output.stderr);
        let says = "another presence2mqtt with this configuration runs on attic";
        assert!(second.output.stderr.contains(says), "{}", second.output.stderr);
        source.set("alice", "Busy", "Busy");
        listener.next(mark, "presence/alice/availability", "Busy").await;
        source.set("alice", "Available", "Available");
        listener.next(mark, "presence/alice/availability", "Available").await;
        let states = listener.since(mark).into_iter().filter(|heard| heard.topic == STATE);
        assert_eq!(states.count(), 0);
        assert_eq!(first.lines("WARN"), [""; 0]);
        // When the first has gone, also without a word, its place is free at once.
        assert_eq!(first.stop("KILL").await.code, None);
        let (third, time) = time_to_online(&configuration, &listener).await;
        println!("figure: online {time:?} after the start behind one that was killed");
        assert!(time < Duration::from_secs(3), "{time:?}");
        assert_eq!(third.stop("TERM").await.code, Some(0));
        let (fourth, time) = time_to_online(&configuration, &listener).await;
        println!("figure: online {time:?} after the start behind one that was stopped");
        assert!(time < Duration::from_secs(3), "{time:?}");
        assert_eq!(fourth.stop("TERM").await.code, Some(0));
    }
}

#[tokio::test]
async fn words_of_a_stranger_prevent_no_start() {
    let (source, broker) = (Source::start().await, Mosquitto::start().await);
    let listener = Listener::start(broker.port).await;
    let configuration = Configuration::new(&source, &broker.url());
    listener.publish("presence/bridge/info", r#"{"bridge":"another"}"#, true).await;
    listener.publish(STATE, "online", true).await;
    listener.until_newest(STATE, "online").await;
    let checked = finished(&configuration, &["check", "--online"]).await;
    assert_eq!(checked.code, Some(0), "{}{}", checked.output.stdout, checked.output.stderr);
    assert!(checked.output.stdout.contains("no bridge answers"), "{}", checked.output.stdout);
    let began = Instant::now();
    let bridge = Bridge::start(&configuration);
    let named = |payload: &str| payload.contains("was that of another bridge");
    listener
        .until("the stranger's name", |heard| {
            heard.iter().any(|heard| heard.topic == "presence/bridge/health" && named(&heard.payload))
        })
        .await;
    listener.until_newest(HEALTH, "ok").await;
    listener
        .until("a health without the name", |heard| {
            let newest = heard.iter().rfind(|heard| heard.topic == "presence/bridge/health");
            newest.is_some_and(|heard| !named(&heard.payload))
        })
        .await;
    println!("figure: right {:?} after the start at a stranger's words", began.elapsed());
    let held = retained(broker.port, "presence/bridge/#").await;
    assert!(held["presence/bridge/info"].contains(r#""bridge":"presence2mqtt""#), "{held:?}");
    assert!(!named(&held["presence/bridge/health"]), "{held:?}");
    let checked = finished(&configuration, &["check", "--online"]).await;
    assert!(
        checked.output.stdout.contains("the bridge of this configuration runs on"),
        "{}",
        checked.output.stdout
    );
    assert_eq!(bridge.stop("TERM").await.code, Some(0));
}

/// Kills the broker when it has saved the `online`, and then the bridge.
async fn kill_both(broker: &Mosquitto, bridge: Bridge, listener: &Listener) {
    // It saves at the second change, and says so before it does: only the next time the last one is over.
    for n in 0..8 {
        listener.publish(&format!("filler/{n}"), "x", true).await;
    }
    let is_saved = |said: &str| {
        let behind_online = said.rsplit_once(&format!("'{STATE}'"));
        behind_online.is_some_and(|(_, behind)| behind.matches("Saving in-memory").count() > 1)
    };
    broker.says_so("the saving of online", is_saved).await;
    broker.kill().await;
    assert_eq!(bridge.stop("KILL").await.code, None);
}

#[tokio::test]
async fn what_outlived_bridge_and_broker_delays_a_start_and_prevents_none() {
    let source = Source::start().await;
    let mut broker = Mosquitto::with(Setup { persistent: true, ..Setup::default() }).await;
    let configuration = Configuration::new(&source, &broker.url());
    {
        let listener = Listener::start(broker.port).await;
        let bridge = Bridge::start(&configuration);
        listener.until_newest(STATE, "online").await;
        kill_both(&broker, bridge, &listener).await;
    }
    broker.start_again().await;
    assert_eq!(retained(broker.port, STATE).await[STATE], "online");
    let listener = Listener::start(broker.port).await;
    let (bridge, time) = time_to_online(&configuration, &listener).await;
    println!("figure: online {time:?} after the start at an online of nobody's");
    assert!((Duration::from_secs(3)..Duration::from_secs(8)).contains(&time), "{time:?}");
    bridge.says("no bridge answers there: taking its place").await;
    listener.until_newest(HEALTH, "ok").await;

    // Nor does it keep anybody from cleaning up.
    kill_both(&broker, bridge, &listener).await;
    broker.start_again().await;
    assert_eq!(retained(broker.port, STATE).await[STATE], "online");
    let cleaned = finished(&configuration, &["clean"]).await;
    assert_eq!(cleaned.code, Some(0), "{}", cleaned.output.stderr);
    assert_eq!(retained(broker.port, "presence/#").await.len(), 0);
}

#[tokio::test]
async fn a_broker_that_makes_one_client_of_both_lets_the_bridge_start() {
    let (source, home) = (Source::start().await, tempfile::tempdir().unwrap());
    let passwords = password_file(home.path(), "bridge", "secret");
    let guarded = format!(
        "allow_anonymous false\npassword_file {}\nuse_username_as_clientid true",
        passwords.display()
    );
    let broker = Mosquitto::with(Setup { guarded: Some(guarded), ..Setup::default() }).await;
    let configuration = Configuration::new(&source, &broker.guarded_url("mqtt"));
    let configuration = configuration.set("mqtt.username", "bridge").set("mqtt.password", "secret");
    let listener = Listener::start(broker.port).await;
    for _run in 0..2 {
        let (bridge, time) = time_to_online(&configuration, &listener).await;
        println!("figure: online {time:?} after the start where the user name is the client id");
        assert!(time < Duration::from_secs(3), "{time:?}");
        let mark = listener.mark();
        listener.until_newest(HEALTH, "ok").await;
        let states = listener.since(mark).into_iter().filter(|heard| heard.topic == STATE);
        assert_eq!(states.count(), 0);
        assert_eq!(bridge.stop("TERM").await.code, Some(0));
    }
}

#[tokio::test]
async fn where_nobody_may_ask_the_bridge_starts_all_the_same() {
    let (source, home) = (Source::start().await, tempfile::tempdir().unwrap());
    let list = home.path().join("access");
    std::fs::write(
        &list,
        "topic readwrite presence/#\ntopic deny presence/bridge/standby/ping\ntopic deny presence/bridge/standby/pong\n",
    )
    .unwrap();
    let guarded = format!("allow_anonymous true\nacl_file {}", list.display());
    let broker = Mosquitto::with(Setup { guarded: Some(guarded), ..Setup::default() }).await;
    let listener = Listener::start(broker.port).await;
    for protocol in ["3.1.1", "5"] {
        let configuration =
            Configuration::new(&source, &broker.guarded_url("mqtt")).set("mqtt.protocol", protocol);
        listener.publish(STATE, "online", true).await;
        listener.until_newest(STATE, "online").await;
        let (bridge, time) = time_to_online(&configuration, &listener).await;
        println!("figure: online {time:?} after the start where nobody may ask");
        // Before MQTT 5 a broker does not say that it drops the ping.
        let waits = if protocol == "5" { 0..3 } else { 3..8 };
        assert!(waits.contains(&time.as_secs()), "{time:?}");
        listener.until_newest(HEALTH, "ok").await;
        assert_eq!(bridge.stop("TERM").await.code, Some(0));
    }
}
