//! Two bridges, one truth: one is active, the other takes over, whatever happened to the first.

use std::time::{Duration, Instant};

use crate::harness::{
    Bridge, Configuration, Finished, Heard, Listener, Mosquitto, Setup, Source, finished, retained, soon,
};

const STATE: &str = "presence/bridge/state";
const HEALTH: &str = "presence/alice/health";
const AVAILABILITY: &str = "presence/alice/availability";

/// A tenant, a broker, and two bridges with the same configuration.
struct Office {
    source: Source,
    broker: Mosquitto,
    listener: Listener,
    configuration: Configuration,
    /// The active one first.
    attic: Bridge,
    cellar: Bridge,
}

impl Office {
    async fn open(setup: Setup) -> Self {
        let (source, broker) = (Source::start().await, Mosquitto::with(setup).await);
        let listener = Listener::start(broker.port).await;
        let configuration = Configuration::new(&source, &broker.url()).set("mqtt.standby", true);
        let configuration = configuration.set("mqtt.keep_alive", "30s");
        let attic = Bridge::start(&configuration.clone().set("mqtt.instance", "attic"));
        let began = Instant::now();
        listener.until_newest(HEALTH, "ok").await;
        println!("figure: alone, right {:?} after the start", began.elapsed());
        let cellar = Bridge::start(&configuration.clone().set("mqtt.instance", "cellar"));
        listener.until_newest("presence/bridge/standby/cellar", "waiting").await;
        let waits = |heard: &[Heard]| {
            let newest = heard.iter().rfind(|heard| heard.topic == "presence/bridge/info");
            newest.is_some_and(|info| {
                info.payload.contains(r#""standby":{"active":"attic","waiting":["cellar"]}"#)
            })
        };
        listener.until("the name of the one that waits", waits).await;
        Self { source, broker, listener, configuration, attic, cellar }
    }

    /// When what Graph says is on the broker again, published by the one in the cellar, after `mark`.
    async fn is_right_by(&self, instance: &str, mark: usize) -> Instant {
        let active = format!(r#""active":"{instance}""#);
        let is_right = |heard: &[Heard]| {
            let heard = &heard[mark..];
            let newest = |topic: &str| heard.iter().rfind(|heard| heard.topic == topic);
            newest("presence/bridge/info").is_some_and(|info| info.payload.contains(&active))
                && newest(STATE).is_some_and(|state| state.payload == "online")
                && newest(HEALTH).is_some_and(|health| health.payload == "ok")
                && newest(AVAILABILITY).is_some_and(|word| word.payload == "Busy")
        };
        self.listener.until("right values by the other one", is_right).await;
        self.listener.heard().iter().rfind(|heard| heard.topic == HEALTH).unwrap().at
    }

    /// What is said between a fault and its end, to be looked at for old values.
    fn old_words(&self, since: usize) -> Vec<Heard> {
        let heard = self.listener.since(since).into_iter();
        heard
            .filter(|heard| heard.topic == AVAILABILITY && heard.payload != "Busy" && !heard.retained)
            .collect()
    }

    /// Both are well, and neither fights.
    async fn closes(self) {
        for bridge in [self.attic, self.cellar] {
            assert!(!bridge.log().contains("another client"), "{}", bridge.log());
            let Finished { code, .. } = bridge.stop("TERM").await;
            assert_eq!(code, Some(0));
        }
        let held = retained(self.broker.port, "presence/bridge/#").await;
        assert_eq!(held[STATE], "offline");
        assert!(!held.keys().any(|topic| topic.contains("standby")), "{held:?}");
    }
}

#[tokio::test]
async fn one_that_is_killed_is_followed_within_six_seconds() {
    let mut office = Office::open(Setup::default()).await;
    let (mark, began) = (office.listener.mark(), Instant::now());
    office.attic.signal("KILL");
    office.source.set("alice", "Busy", "Busy");
    let took = office.is_right_by("cellar", mark).await - began;
    println!("figure: right {took:?} after the active one was killed");
    assert!(took <= Duration::from_secs(6), "{took:?}");
    // The one that is back does not take its place back.
    let mark = office.listener.mark();
    office.attic = Bridge::start(&office.configuration.clone().set("mqtt.instance", "attic"));
    office.listener.next(mark, "presence/bridge/standby/attic", "waiting").await;
    let is_ping = |heard: &&Heard| heard.topic == "presence/bridge/standby/ping";
    office.listener.until("eight seconds", |all| all[mark..].iter().filter(is_ping).count() >= 8).await;
    assert!(!office.listener.since(mark).iter().any(|heard| heard.topic == STATE));
    assert_eq!(office.old_words(mark).len(), 0);
    office.closes().await;
}

#[tokio::test]
async fn one_that_is_frozen_is_followed_within_nine_seconds_and_waits_when_it_thaws() {
    let office = Office::open(Setup::default()).await;
    let began = Instant::now();
    office.attic.signal("STOP");
    office.source.set("alice", "Busy", "Busy");
    let mark = office.listener.mark();
    let took = office.is_right_by("cellar", mark).await - began;
    println!("figure: right {took:?} after the active one was frozen");
    assert!(took <= Duration::from_secs(9), "{took:?}");
    let mark = office.listener.mark();
    office.attic.signal("CONT");
    office.listener.until_newest("presence/bridge/standby/attic", "waiting").await;
    office.attic.says("no longer active").await;
    assert_eq!(office.old_words(mark).len(), 0);
    // Nor does it read any more.
    let (mark, before) = (office.listener.mark(), office.source.tenant.requests().log.len());
    let is_ping = |heard: &&Heard| heard.topic == "presence/bridge/standby/ping";
    office.listener.until("five seconds", |all| all[mark..].iter().filter(is_ping).count() >= 5).await;
    let requests = office.source.tenant.requests().log.len() - before;
    println!("figure: {requests} requests to Graph in five seconds");
    assert!(requests <= 6, "{requests}");
    office.closes().await;
}

#[tokio::test]
async fn one_that_is_stopped_hands_over_within_a_second() {
    let Office { source, listener, attic, cellar, configuration, broker } =
        Office::open(Setup::default()).await;
    source.set("alice", "Busy", "Busy");
    listener.until_newest(AVAILABILITY, "Busy").await;
    let (mark, began) = (listener.mark(), Instant::now());
    assert_eq!(attic.stop("TERM").await.code, Some(0));
    let attic = Bridge::start(&configuration.clone().set("mqtt.instance", "attic"));
    let office = Office { source, broker, listener, configuration, attic, cellar };
    let took = office.is_right_by("cellar", mark).await - began;
    println!("figure: right {took:?} after the active one was stopped");
    assert!(took <= Duration::from_secs(1), "{took:?}");
    office.listener.until_newest("presence/bridge/standby/attic", "waiting").await;
    office.closes().await;
}

#[tokio::test]
async fn broker_and_active_one_that_die_together_are_back_within_twelve_seconds() {
    for persistent in [true, false] {
        let setup = Setup { persistent, ..Setup::default() };
        let Office { source, listener, attic, cellar, configuration, mut broker } = Office::open(setup).await;
        broker.kill().await;
        attic.signal("KILL");
        assert_eq!(attic.end().await.code, None);
        source.set("alice", "Busy", "Busy");
        let (mark, began) = (listener.mark(), Instant::now());
        broker.start_again().await;
        let attic = Bridge::start(&configuration.clone().set("mqtt.instance", "attic"));
        let office = Office { source, broker, listener, configuration, attic, cellar };
        // Whichever of the two comes first.
        let is_right = |heard: &[Heard]| {
            let newest =
                |topic: &str| heard[mark..].iter().rfind(|heard| heard.topic == topic && !heard.retained);
            newest(STATE).is_some_and(|state| state.payload == "online")
                && newest(HEALTH).is_some_and(|health| health.payload == "ok")
                && newest(AVAILABILITY).is_some_and(|word| word.payload == "Busy")
        };
        office.listener.until("right values", is_right).await;
        let took = began.elapsed();
        println!("figure: right {took:?} after broker and active one died (store kept: {persistent})");
        assert!(took <= Duration::from_secs(12), "{took:?}");
        office.closes().await;
    }
}

#[tokio::test]
async fn where_pings_do_not_come_back_check_says_so_and_nobody_fights() {
    let (source, home) = (Source::start().await, tempfile::tempdir().unwrap());
    let list = home.path().join("access");
    std::fs::write(&list, "topic readwrite #\ntopic deny presence/bridge/standby/ping\n").unwrap();
    let guarded = format!("allow_anonymous true\nacl_file {}", list.display());
    let broker = Mosquitto::with(Setup { guarded: Some(guarded), ..Setup::default() }).await;
    let configuration = Configuration::new(&source, &broker.guarded_url("mqtt")).set("mqtt.standby", true);
    let checked = finished(&configuration, &["check", "--online"]).await;
    assert_eq!(checked.code, Some(69), "{}{}", checked.output.stdout, checked.output.stderr);
    assert!(checked.output.stdout.contains("does not come back"), "{}", checked.output.stdout);
    let listener = Listener::start(broker.port).await;
    let bridge = Bridge::start(&configuration.clone().set("mqtt.instance", "attic"));
    listener.until_newest("presence/bridge/standby/attic", "waiting").await;
    bridge.says("its pings do not come back").await;
    assert_eq!(listener.newest(STATE), None);
    soon("the end", bridge.stop("TERM")).await;
    let open = Configuration::new(&source, &broker.url()).set("mqtt.standby", true);
    let checked = finished(&open, &["check", "--online"]).await;
    assert_eq!(checked.code, Some(0), "{}{}", checked.output.stdout, checked.output.stderr);
    assert!(checked.output.stdout.contains("pings come back"), "{}", checked.output.stdout);
}
