//! What an earlier run left, read back from brokers that do not send all of it by themselves.

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use super::*;
use crate::core::model::event::Event::{Connected, Started, Woken};

/// A broker that holds what an earlier run left, and how it sends it.
struct Peer {
    kept: BTreeMap<String, String>,
    /// Whether filters with wildcards bring what is retained, and how much one SUBSCRIBE brings at most.
    wildcards: bool,
    queue: usize,
    /// Whether it answers where no wildcards are in a filter.
    answers: bool,
    filters: BTreeSet<String>,
    most_filters: usize,
}

impl Peer {
    fn keeps(kept: impl IntoIterator<Item = (String, String)>) -> Self {
        Self {
            kept: kept.into_iter().collect(),
            wildcards: true,
            queue: usize::MAX,
            answers: true,
            filters: BTreeSet::new(),
            most_filters: 0,
        }
    }

    /// Lets the bridge connect, and says what it reports and publishes first, and when.
    fn meets(&mut self, bridge: &mut Bridge) -> (f64, Vec<Effect>) {
        let mut now = 0.0;
        let mut effects = VecDeque::from(bridge.on(Started, at(now)));
        effects.extend(bridge.on(Connected, at(now)));
        loop {
            while let Some(effect) = effects.pop_front() {
                match effect {
                    Effect::Broker(BrokerOrder::Subscribe(asked)) => {
                        let filters = asked.into_iter().map(|asked| asked.filter).collect();
                        for event in self.answer(filters) {
                            effects.extend(bridge.on(event, at(now)));
                        }
                    }
                    Effect::Broker(BrokerOrder::Unsubscribe(gone)) => {
                        gone.iter().for_each(|filter| assert!(self.filters.remove(filter), "{filter}"));
                    }
                    Effect::Broker(BrokerOrder::Publish(_)) => {
                        return (now, effects.into_iter().chain([effect]).collect());
                    }
                    Effect::Broker(BrokerOrder::Connect(..) | BrokerOrder::Disconnect)
                    | Effect::Graph(..)
                    | Effect::SignIn(..)
                    | Effect::Answer(..)
                    | Effect::Report(_)
                    | Effect::Finish(_) => {}
                }
            }
            now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
            effects.extend(bridge.on(Woken, at(now)));
        }
    }

    fn answer(&mut self, filters: Vec<String>) -> Vec<Event> {
        let mut kept = Vec::new();
        for filter in &filters {
            if !filter.contains('+') {
                kept.extend(self.kept.get_key_value(filter));
            } else if self.wildcards {
                let levels: Vec<&str> = filter.split('/').collect();
                kept.extend(self.kept.iter().filter(|(topic, _)| matches(&levels, topic)));
            }
        }
        let events = kept.into_iter().take(self.queue).map(|(topic, payload)| retained(topic, payload));
        let is_first = filters.iter().any(|filter| filter.contains('+') || filter.ends_with("refresh"));
        let events = events.chain([subscribed()]).filter(|_| self.answers || is_first).collect();
        self.filters.extend(filters);
        self.most_filters = self.most_filters.max(self.filters.len());
        events
    }
}

fn matches(filter: &[&str], topic: &str) -> bool {
    let mut topic = topic.split('/');
    filter.iter().all(|level| topic.next().is_some_and(|given| *level == "+" || *level == given))
        && topic.next().is_none()
}

fn name(n: usize) -> String {
    format!("u{n:04}")
}

/// So many people.
fn many(people: usize) -> Settings {
    let users = (0..people).map(|n| watched(&name(n), &id(n).to_string())).collect();
    changed(with_discovery(settings()), |it| it.users = users)
}

fn state(n: usize) -> (String, String) {
    let state = r#"{"availability":"Busy","activity":"Busy","since":"2026-11-20T08:00:00Z","bridge":"presence2mqtt"}"#;
    (format!("presence/{}/state", name(n)), state.to_owned())
}

/// What an earlier run left of so many people.
fn left(people: usize) -> impl Iterator<Item = (String, String)> {
    let own = [("state", "offline"), ("info", r#"{"bridge":"presence2mqtt"}"#), ("health", "{}")];
    let own = own.map(|(level, payload)| (format!("presence/bridge/{level}"), payload.to_owned()));
    let health = |n| (format!("presence/{}/health", name(n)), "ok".to_owned());
    (0..people).flat_map(move |n| [state(n), health(n)]).chain(own)
}

/// Of how many people it is known since when they are where they are, once Graph has answered.
fn remembered(bridge: &mut Bridge, people: usize, now: f64) -> usize {
    let mut since = BTreeMap::new();
    let mut effects = VecDeque::from(bridge.on(Event::Acknowledged(1000), at(now)));
    for (request, some) in (0..people).collect::<Vec<_>>().chunks(650).enumerate() {
        let some = some.iter().map(|&n| reading(n, "Busy", "Busy")).collect();
        effects.extend(bridge.on(answer(request as u64, some), at(now)));
    }
    for later in 0..100 {
        let now = now + 0.1 * f64::from(later);
        effects.extend(bridge.on(Woken, at(now)));
        while let Some(effect) = effects.pop_front() {
            if let Effect::Broker(BrokerOrder::Publish(messages)) = effect {
                for message in messages.iter().filter(|message| message.payload.contains("\"since\"")) {
                    since.insert(message.topic.clone(), message.payload.contains("2026-11-20T08:00:00Z"));
                }
                effects.extend(bridge.on(Event::Acknowledged(messages.len()), at(now)));
            }
        }
    }
    since.into_values().filter(|is_old| *is_old).count()
}

fn notices(bridge: &Bridge, now: f64) -> String {
    bridge.snapshot(&PeopleQuery::nobody(), at(now)).notices.join("; ")
}

#[test]
fn where_wildcards_bring_nothing_configured_people_are_read_back_by_name() {
    let mut peer = Peer { wildcards: false, ..Peer::keeps(left(100)) };
    let mut bridge = claimed(many(100), 1, at(0.0));
    let (now, _) = peer.meets(&mut bridge);
    assert!(now < 0.2, "{now}");
    assert!(notices(&bridge, now).contains("no retained messages to subscriptions with wildcards"));
    assert!(peer.filters.len() < 200 && peer.most_filters < 200, "{}", peer.most_filters);
    // All filters are taken back later, a few at a time.
    let gone = lines(&bridge.on(Woken, at(now + 3.0))).join(" ");
    assert!(
        gone.contains("unsubscribe presence/+/state")
            && gone.contains("/state homeassistant/device/presence2mqtt_0"),
        "{gone}"
    );
    assert_eq!(remembered(&mut bridge, 100, now + 3.0), 100);
}

#[test]
fn it_is_reported_once_and_not_held_on_to_when_late_messages_come() {
    let mut bridge = claimed(many(1), 1, at(0.0));
    let mut rows =
        vec![Started, Connected, retained("presence/bridge/state", "offline"), subscribed(), subscribed()];
    for event in rows.drain(..) {
        bridge.on(event, at(0.0));
    }
    let asked = lines(&bridge.on(Woken, at(0.04))).join(" ");
    for topic in [
        "presence/bridge/info",
        "presence/u0000/state",
        "homeassistant/device/presence2mqtt_bridge_presence2mqtt/config",
    ] {
        assert!(asked.contains(topic), "{topic} in {asked}");
    }
    bridge.on(retained("presence/bridge/info", r#"{"bridge":"presence2mqtt"}"#), at(0.05));
    bridge.on(subscribed(), at(0.05));
    let said = lines(&bridge.on(Woken, at(0.09)));
    assert_eq!(said.iter().filter(|line| line.contains("with wildcards")).count(), 1, "{said:?}");
    assert!(notices(&bridge, 0.1).contains("with wildcards"));
    // It was only slow.
    bridge.on(retained("presence/u0000/health", "ok"), at(1.0));
    assert_eq!(notices(&bridge, 1.0), "");
}

#[test]
fn a_light_that_is_gone_is_found_where_the_bridge_announced_it() {
    let follow = "presence/bridge/light/door/follow";
    let announced = serde_json::json!({
        "device": {"identifiers": ["presence2mqtt_bridge_presence2mqtt"]}, "origin": {"name": "presence2mqtt"},
        "components": {"follow_door": {"platform": "switch", "state_topic": follow}, "follow_old": {"platform": "switch"}},
    });
    let kept = left(1).chain([
        (announcing::BRIDGE.to_owned(), announced.to_string()),
        (follow.to_owned(), "ON".to_owned()),
    ]);
    let mut peer = Peer { wildcards: false, ..Peer::keeps(kept) };
    let said = lines(&peer.meets(&mut claimed(many(1), 1, at(0.0))).1);
    assert!(said.contains(&format!("{follow} =")), "{said:?}");
    assert!(!said.join(" ").contains("light/old"), "{said:?}");
}

#[test]
fn another_bridge_is_named_where_wildcards_bring_nothing() {
    let mut bridge = claimed(many(1), 1, at(0.0));
    let own = [("presence/bridge/state", "online"), ("presence/bridge/info", r#"{"bridge":"another"}"#)];
    let own = own.map(|(topic, payload)| (topic.to_owned(), payload.to_owned()));
    for event in [Started, Connected] {
        bridge.on(event, at(0.0));
    }
    bridge.on(retained(&own[0].0, &own[0].1), at(0.0));
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    bridge.on(Woken, at(0.04));
    bridge.on(retained(&own[1].0, &own[1].1), at(0.05));
    bridge.on(subscribed(), at(0.05));
    let said = lines(&bridge.on(Woken, at(0.09))).join("\n");
    assert!(said.contains("was that of another bridge, \"another\""), "{said}");
}

#[test]
fn what_a_short_queue_cuts_is_asked_for_by_name() {
    let mut peer = Peer { queue: 200, ..Peer::keeps(left(1000)) };
    let mut bridge = claimed(many(1000), 1, at(0.0));
    let (now, _) = peer.meets(&mut bridge);
    assert!(now < 0.2, "{now}");
    assert_eq!(notices(&bridge, now), "");
    assert!(peer.most_filters < 200, "{}", peer.most_filters);
    assert_eq!(remembered(&mut bridge, 1000, now), 1000);
}

#[test]
fn people_who_were_never_read_cost_next_to_nothing() {
    // Nothing at all is retained; only what a connection leaves that never got further; few and many of
    // others.
    let will = || left(0).filter(|(topic, _)| topic == "presence/bridge/state");
    let rows = [
        ("nothing", Vec::new(), 20),
        ("a will", will().collect(), 100),
        ("a few", left(10).collect(), 20),
        ("many", left(500).map(|(topic, payload)| (topic.replace("/u", "/v"), payload)).collect(), 100),
    ];
    for (what, kept, most) in rows {
        for wildcards in [true, false] {
            let mut peer = Peer { wildcards, ..Peer::keeps(kept.clone()) };
            let mut bridge = claimed(many(5000), 1, at(0.0));
            let (now, _) = peer.meets(&mut bridge);
            assert!(now < 0.2, "{what}: {now}");
            if wildcards {
                assert!(peer.most_filters <= most, "{what}: {}", peer.most_filters);
            }
        }
    }
}

#[test]
fn the_first_publication_waits_five_seconds_at_most() {
    let mut peer = Peer { wildcards: false, answers: false, ..Peer::keeps(left(1000)) };
    let mut bridge = claimed(many(1000), 1, at(0.0));
    let (now, _) = peer.meets(&mut bridge);
    assert!((5.0..5.1).contains(&now), "{now}");
}

#[test]
fn announcements_are_waited_for_where_somebody_is_announced() {
    let device = |name: String| {
        let bridge = "presence2mqtt_bridge_presence2mqtt";
        let payload = format!(
            r#"{{"device":{{"identifiers":["{name}"],"via_device":"{bridge}"}},"origin":{{"name":"presence2mqtt"}}}}"#
        );
        (format!("homeassistant/device/{name}/config"), payload)
    };
    let names = ["bridge_presence2mqtt".to_owned(), id(0).to_string(), id(1).to_string()];
    for (came, first) in [(3, 0.0), (2, 0.04), (0, 0.04)] {
        let devices = names.iter().take(came).map(|name| device(format!("presence2mqtt_{name}")));
        let mut peer = Peer::keeps(left(2).chain(devices));
        let (prefix, birth_topic) = ("homeassistant".parse().unwrap(), "homeassistant/status".into());
        let settings = changed(many(2), |it| it.discovery = Some(Discovery { prefix, birth_topic }));
        let (now, _) = peer.meets(&mut claimed(settings, 1, at(0.0)));
        assert!((first..first + 0.001).contains(&now), "{came}: {now}");
    }
}

#[test]
fn late_messages_are_waited_for_where_something_is_missing() {
    let light = |it: &mut Settings| it.lights = vec![lighting::light("door", &["u0000"])];
    let group = |it: &mut Settings| it.groups = vec![groups::group(100, "{upn_local}")];
    let follow = Some(("presence/bridge/light/door/follow", "OFF"));
    type More<'a> = Option<(&'a str, &'a str)>;
    type Change<'a> = &'a dyn Fn(&mut Settings);
    let nothing: Change<'_> = &|_| {};
    let rows: [(&str, &str, More<'_>, Change<'_>, f64); 9] = [
        ("nothing is missing", "-", None, nothing, 0.0),
        ("who was here", "presence/bridge/info", None, nothing, 0.04),
        ("whether they are", "presence/bridge/state", None, nothing, 0.04),
        ("one of the people", "presence/u0001/state", None, nothing, 0.04),
        ("a state of somebody else", "-", Some(("presence/zoe/health", "stale")), nothing, 0.04),
        ("whether a light is paused", "-", None, &light, 0.04),
        ("nothing of the light", "-", follow, &light, 0.0),
        ("who the members are", "-", None, &group, 0.04),
        ("everything", "presence", None, nothing, 0.04),
    ];
    for (what, missing, more, change, first) in rows {
        let more = more.map(|(topic, payload)| (topic.to_owned(), payload.to_owned()));
        let mut peer = Peer::keeps(left(2).filter(|(topic, _)| !topic.starts_with(missing)).chain(more));
        let settings = changed(changed(many(2), |it| it.discovery = None), change);
        let (now, _) = peer.meets(&mut claimed(settings, 1, at(0.0)));
        assert!((first..first + 0.001).contains(&now), "{what}: {now}");
    }
}
