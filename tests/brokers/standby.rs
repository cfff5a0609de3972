//! Two bridges at one broker: the one that waits takes over, whatever became of the one that was active.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crate::broker::Broker;
use crate::harness::{Bridge, Configuration, Finished, Heard, Listener};
use crate::office::{Office, STATE};
use crate::table::{Column, time};

/// A cluster that has just started takes subscriptions late.
const FRESH: Duration = Duration::from_secs(60);

/// How long values may be without anybody who is active, since the fault.
const KILLED: Duration = Duration::from_secs(6);
const FROZEN: Duration = Duration::from_secs(9);
const TOGETHER: Duration = Duration::from_secs(12);
const STOPPED: Duration = Duration::from_secs(1);

/// A machine that starts brokers and bridges meanwhile is slow.
const SLOW: Duration = Duration::from_secs(4);

const INFO: &str = "presence/bridge/info";

/// The faults one after the other: each time the active one fails, and is a waiting one afterwards.
pub(crate) async fn takes_turns(broker: &mut Broker, office: &Office, column: &Column) {
    let configuration = office.configuration(&broker.url()).set("mqtt.standby", true);
    let (active, waiting) = both(&configuration, &configuration, broker.port()).await;

    let (observer, began) = (Listener::start(broker.port()).await, Instant::now());
    active.signal("KILL");
    let took = follows(&observer, "cellar", began, KILLED).await;
    column.add("standby: active one killed, right after", time(took));
    said_once(&observer, 0);
    assert_eq!(active.end().await.code, None);
    let (active, waiting) = (waiting, waits("attic", &configuration, &observer).await);

    let (observer, began) = (Listener::start(broker.port()).await, Instant::now());
    active.signal("STOP");
    let took = follows(&observer, "attic", began, FROZEN).await;
    column.add("standby: active one frozen, right after", time(took));
    said_once(&observer, 0);
    let mark = observer.mark();
    active.signal("CONT");
    observer.next(mark, "presence/bridge/standby/cellar", "waiting").await;
    active.says("no longer active").await;
    let old = observer.since(mark).into_iter().filter(|heard| heard.topic.ends_with("/availability"));
    assert_eq!(old.count(), 0);
    let (active, waiting) = (waiting, active);

    let (mark, began) = (observer.mark(), Instant::now());
    assert_eq!(active.stop("TERM").await.code, Some(0));
    let took = follows_since(&observer, mark, "cellar", began, STOPPED).await;
    column.add("standby: active one stopped, right after", time(took));
    said_once(&observer, mark);
    let (active, waiting) = (waiting, waits("attic", &configuration, &observer).await);

    drop(observer);
    broker.lose_everything().await;
    active.signal("KILL");
    assert_eq!(active.end().await.code, None);
    broker.start_again().await;
    let began = Instant::now();
    let observer = Listener::start(broker.port()).await;
    let took = follows(&observer, "attic", began, TOGETHER).await;
    column.add("standby: broker and active one die, right after", time(took));
    said_once(&observer, 0);
    let Finished { code, .. } = waiting.stop("TERM").await;
    assert_eq!(code, Some(0));
}

/// One that is active in the attic, and one that waits in the cellar.
pub(crate) async fn both(attic: &Configuration, cellar: &Configuration, port: u16) -> (Bridge, Bridge) {
    let observer = Listener::start(port).await;
    let began = Instant::now();
    let active = Bridge::start(&attic.clone().set("mqtt.instance", "attic"));
    follows(&observer, "attic", began, FRESH).await;
    (active, waits("cellar", cellar, &observer).await)
}

async fn waits(instance: &str, configuration: &Configuration, observer: &Listener) -> Bridge {
    let mark = observer.mark();
    let bridge = Bridge::start(&configuration.clone().set("mqtt.instance", instance));
    observer.next(mark, &format!("presence/bridge/standby/{instance}"), "waiting").await;
    bridge
}

/// How long after `began` this instance is active and everything is right.
pub(crate) async fn follows(
    observer: &Listener,
    instance: &str,
    began: Instant,
    limit: Duration,
) -> Duration {
    follows_since(observer, 0, instance, began, limit).await
}

async fn follows_since(
    observer: &Listener,
    mark: usize,
    instance: &str,
    began: Instant,
    limit: Duration,
) -> Duration {
    let active = format!(r#""active":"{instance}""#);
    let is_right = |heard: &[Heard]| {
        let live = || heard[mark..].iter().filter(|heard| !heard.retained);
        let newest = |topic: &str| live().rfind(|heard| heard.topic == topic);
        let healths = live().filter(|heard| heard.topic.ends_with("/health") && heard.payload == "ok");
        newest(INFO).is_some_and(|info| info.payload.contains(&active))
            && newest(STATE).is_some_and(|state| state.payload == "online")
            && healths.count() >= crate::office::PEOPLE - 1
    };
    observer.until_within(limit + SLOW, &format!("right values by {instance}"), is_right).await;
    began.elapsed()
}

/// The next one has said no value twice.
fn said_once(observer: &Listener, mark: usize) {
    let is_value =
        |heard: &Heard| heard.topic.ends_with("/availability") || heard.topic.ends_with("/activity");
    let mut said = BTreeSet::new();
    for heard in observer.since(mark).into_iter().filter(|heard| !heard.retained && is_value(heard)) {
        assert!(said.insert((heard.topic.clone(), heard.payload.clone())), "said twice: {heard:?}");
    }
}
