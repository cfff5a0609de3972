//! What holds whatever happens.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::groups::{group, members};
use super::lighting::light;
use super::*;
use crate::core::broker::in_flight::WINDOW_MAX;
use crate::core::lights::hours::Hours;
use crate::core::lights::settings::Settings as Light;
use crate::core::model::event::Access;
use crate::core::model::settings::Group;
use crate::core::model::topic::Field;

const BUDGET: u32 = 20;

fn of(people: &[usize]) -> Settings {
    let users = people.iter().map(|n| watched(&format!("u{n}"), &id(*n).to_string())).collect();
    let names: Vec<String> = people.iter().map(|n| format!("u{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let hours = Hours { week: "09:10-09:40; 10:00-21:00".parse().unwrap(), zone: jiff::tz::TimeZone::UTC };
    // One shows everybody always, one only somebody and only sometimes.
    let lights = vec![light("all", &names), Light { active: Some(hours), ..light("some", &names[..1]) }];
    let refresh_members = Duration::from_secs(60);
    let groups = vec![Group { refresh_members, ..group(100, "{upn_local}") }];
    changed(Settings { users, groups, lights, ..settings() }, |it| {
        it.accounts[0].reading.request_budget = BUDGET
    })
}

/// What the world does next; times and requests are filled in as the run goes.
#[derive(Debug, Clone)]
enum Step {
    Wait(u64),
    Answer(Vec<(usize, usize)>),
    Fail(u8),
    Broker(bool),
    Acknowledge,
    /// The time of day jumps.
    Jump(i32),
    /// The configuration is read again, with these people.
    Reload(Vec<usize>),
    /// These are in the group from now on.
    Group(Vec<usize>),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1_u64..40_000).prop_map(Step::Wait),
        4 => prop::collection::vec((1_usize..9, 0_usize..9), 0..9).prop_map(Step::Answer),
        2 => (0_u8..8).prop_map(Step::Fail),
        1 => any::<bool>().prop_map(Step::Broker),
        3 => Just(Step::Acknowledge),
        1 => (-20_000_i32..20_000).prop_map(Step::Jump),
        1 => prop::collection::btree_set(1_usize..6, 1..6)
            .prop_map(|people| Step::Reload(people.into_iter().collect())),
        2 => prop::collection::btree_set(4_usize..9, 0..5)
            .prop_map(|members| Step::Group(members.into_iter().collect())),
    ]
}

fn failure_of(kind: u8) -> ReadFailure {
    match kind {
        0 | 1 => passing(),
        2 => ReadFailure::Throttled { retry_after: Some(Duration::from_secs(4)) },
        3 => ReadFailure::TokenRefused { why: "expired".into() },
        4 => ReadFailure::SignInRequired { advice: "sign in".into() },
        5 => ReadFailure::Forbidden { advice: "grant".into() },
        6 => ReadFailure::NotFound,
        _ => ReadFailure::Refused { why: "bad id".into() },
    }
}

/// The world around a bridge: a broker that keeps what is retained, and the requests under way.
struct World {
    bridge: Bridge,
    now: f64,
    /// How far the time of day is ahead.
    ahead: f64,
    under_way: Vec<GraphOrder>,
    sent: Vec<f64>,
    retained: BTreeMap<String, String>,
    unacknowledged: usize,
    connected: bool,
    wants_connect: bool,
    answered: BTreeMap<usize, f64>,
    /// Who is in the group.
    members: Vec<usize>,
}

impl World {
    fn new(settings: Settings) -> Self {
        Self {
            bridge: claimed(settings, 5, at(0.0)),
            now: 0.0,
            ahead: 0.0,
            under_way: Vec::new(),
            sent: Vec::new(),
            retained: BTreeMap::new(),
            unacknowledged: 0,
            connected: false,
            wants_connect: false,
            answered: BTreeMap::new(),
            members: Vec::new(),
        }
    }

    fn tell(&mut self, event: Event) {
        for command in self.bridge.on(event, at_after_sleep(self.now, self.ahead)) {
            match command {
                Effect::Graph(_, GraphOrder::Set(_)) => unreachable!("commands are off"),
                Effect::Graph(_, GraphOrder::ForgetConnections) => self.under_way.clear(),
                Effect::Graph(_, order) => {
                    self.sent.push(self.now);
                    self.under_way.push(order);
                }
                // In place of one that may be open; without a goodbye, and the store stays.
                Effect::Broker(BrokerOrder::Connect(..)) => {
                    (self.connected, self.wants_connect, self.unacknowledged) = (false, true, 0);
                }
                Effect::Broker(BrokerOrder::Publish(messages)) => {
                    assert!(self.connected, "published without a connection");
                    self.unacknowledged += messages.len();
                    // A person's last few may go beyond the window.
                    let most = WINDOW_MAX + Field::LEAVING.len();
                    assert!(self.unacknowledged <= most, "{} in flight", self.unacknowledged);
                    self.retained.extend(messages.into_iter().map(|m| (m.topic, m.payload)));
                }
                Effect::Broker(BrokerOrder::Subscribe(_))
                | Effect::Broker(BrokerOrder::Unsubscribe(_))
                | Effect::Broker(BrokerOrder::Disconnect)
                | Effect::SignIn(_, _)
                | Effect::Answer(..)
                | Effect::Report(_) => {}
                Effect::Finish(ending) => panic!("finished without being asked: {ending:?}"),
            }
        }
        self.check_health();
    }

    /// Health is never `ok` before the first answer nor later than `stale_after` without one.
    fn check_health(&self) {
        if !self.connected || self.unacknowledged > 0 {
            return;
        }
        for (n, name) in (1..9).flat_map(|n| [(n, format!("u{n}")), (n, format!("m{n}"))]) {
            let ok =
                self.retained.get(&format!("presence/{name}/health")).is_some_and(|health| health == "ok");
            let confirmed = self.answered.get(&n).is_some_and(|last| self.now <= last + 120.5);
            assert!(!ok || confirmed, "{name} is ok at {} without an answer", self.now);
        }
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Wait(millis) => {
                let until = self.now + millis as f64 / 1000.0;
                while let Some(wake) = self.bridge.wake_at(at(self.now).tick).map(|wake| wake.0.as_secs_f64())
                {
                    if wake > until {
                        break;
                    }
                    self.now = wake.max(self.now);
                    self.tell(Event::Woken);
                    assert!(
                        self.bridge.wake_at(at(self.now).tick).is_none_or(|next| next > at(self.now).tick),
                        "the core would be woken for nothing"
                    );
                }
                self.now = until;
                self.tell(Event::Woken);
            }
            Step::Reload(people) => self.reload(&people),
            Step::Group(members) => self.members = members,
            Step::Jump(seconds) => self.jump(f64::from(seconds)),
            Step::Answer(words) => self.answer(&words),
            Step::Fail(kind) => {
                if let Some(order) = self.under_way.pop() {
                    self.tell(failed(&order, failure_of(kind)));
                }
            }
            Step::Broker(up) => self.broker(up),
            Step::Acknowledge => {
                let count = std::mem::take(&mut self.unacknowledged);
                self.tell(Event::Acknowledged(count));
            }
        }
    }

    fn reload(&mut self, people: &[usize]) {
        self.tell(Event::Configured(Box::new(of(people)), vec![Access::Same]));
    }

    fn jump(&mut self, seconds: f64) {
        self.ahead += seconds;
        self.tell(Event::Woken);
    }

    fn answer(&mut self, words: &[(usize, usize)]) {
        let (request, asked): (_, Vec<ObjectId>) = match self.under_way.pop() {
            None => return,
            Some(GraphOrder::Read(Request { id, operation: ReadPresence::Bulk(ids), .. })) => (id, ids),
            Some(GraphOrder::Read(Request { id, operation: ReadPresence::User(who), .. })) => (id, vec![who]),
            Some(GraphOrder::ReadMembers(Request { id, operation, .. })) => {
                return self.turn_page(id, operation.page);
            }
            Some(other) => unreachable!("not in these settings: {other:?}"),
        };
        let readings: Vec<Reading> = words
            .iter()
            .filter(|(n, _)| asked.contains(&id(*n)))
            .map(|&(n, word)| {
                let word = Availability::ALL[word].as_str();
                reading(n, word, word)
            })
            .collect();
        for reading in &readings {
            self.answered.insert(number(reading.id) as usize, self.now);
        }
        self.tell(answer(request.number(), readings));
    }

    /// Two members on each page; who is on the next one may have changed meanwhile.
    fn turn_page(&mut self, request: RequestId<ReadMembers>, page: Option<PageLink>) {
        let from: usize = page.map_or(0, |PageLink(rest)| rest[1..].parse().unwrap());
        let names: Vec<(usize, String)> =
            self.members.iter().skip(from).take(2).map(|&n| (n, format!("m{n}"))).collect();
        let names: Vec<(usize, &str)> = names.iter().map(|(n, name)| (*n, name.as_str())).collect();
        let next = (from + 2 < self.members.len()).then(|| format!("?{}", from + 2));
        self.tell(members(request.number(), &names, next.as_deref()));
    }

    fn broker(&mut self, up: bool) {
        if up && self.wants_connect {
            (self.connected, self.wants_connect) = (true, false);
            self.tell(Event::Connected);
            self.tell(subscribed());
            self.tell(subscribed());
            self.now += 0.05;
            self.tell(Event::Woken);
        } else if !up && (self.connected || self.wants_connect) {
            (self.connected, self.wants_connect, self.unacknowledged) = (false, false, 0);
            // An empty store: the hardest kind of loss.
            self.retained.clear();
            self.tell(lost());
        }
    }

    /// Lets everything recover and returns what was last read of whom.
    fn recover(&mut self, words: &[(usize, usize)]) {
        for _ in 0..100 {
            self.take(Step::Wait(20_000));
            self.broker(true);
            while !self.under_way.is_empty() {
                self.answer(words);
            }
            self.take(Step::Acknowledge);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]

    #[test]
    fn after_any_history_the_broker_holds_the_truth(steps in prop::collection::vec(step(), 1..80)) {
        let mut world = World::new(of(&[1, 2, 3, 4, 5]));
        world.tell(Event::Started);
        for step in steps {
            world.take(step);
        }
        world.reload(&[5, 3, 1, 2]);
        world.members = vec![7, 5, 8];
        let truth: Vec<(usize, usize)> = [1, 2, 3, 5, 7, 8].map(|n| (n, (n * 2) % 9)).to_vec();
        world.recover(&truth);
        for (n, word) in truth {
            let (kind, word) = (if n < 6 { 'u' } else { 'm' }, Availability::ALL[word].as_str());
            for (field, expected) in [("availability", word), ("activity", word), ("health", "ok")] {
                let topic = format!("presence/{kind}{n}/{field}");
                prop_assert_eq!(world.retained.get(&topic).map(String::as_str), Some(expected), "{}", topic);
            }
            let state = &world.retained[&format!("presence/{kind}{n}/state")];
            prop_assert!(state.contains(word), "{}", state);
        }
        // The third of them does not want to be disturbed.
        prop_assert_eq!(world.retained["presence/bridge/light/all/state"].as_str(), "#ff0000");
        prop_assert!(world.retained["wled/all/api"].contains("[[255,0,0],"), "{}", world.retained["wled/all/api"]);
        for gone in ["u4", "m4", "m5", "m6"] {
            let prefix = format!("presence/{gone}/");
            let left = world.retained.iter().find(|(topic, held)| topic.starts_with(&prefix) && !held.is_empty());
            prop_assert_eq!(left, None, "of somebody who left");
        }
        prop_assert_eq!(world.retained.get("presence/bridge/state").map(String::as_str), Some("online"));
        for (i, first) in world.sent.iter().enumerate() {
            let inside = world.sent[i..].iter().take_while(|time| **time < first + 30.0).count();
            prop_assert!(inside <= BUDGET as usize, "{} requests in one window", inside);
        }
    }
}
