//! Graph's bad day: every kind of answer, about one person or all of them, for twelve seconds or for good,
//! seen second by second.

use std::collections::BTreeMap;

use super::*;

/// What Graph, or something in between, answers.
const KINDS: [&str; 8] = ["400", "401", "403", "404", "429", "503", "HTML", "half JSON"];

/// When the trouble begins, with everybody known and well.
const BEGINS: f64 = 20.0;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum About {
    /// One person is followed, and read alone.
    OneRead,
    /// One of three in a bulk request: missing from the answer, and refused alone.
    OneInBulk,
    /// The whole bulk request of three.
    All,
}

fn failure_of(kind: &str) -> ReadFailure {
    let passing = |why: &str| ReadFailure::Passing { why: why.into(), retry_after: None };
    match kind {
        "400" => ReadFailure::Refused { why: "BadRequest".into() },
        "401" => ReadFailure::TokenRefused { why: "InvalidAuthenticationToken; check graph.cloud".into() },
        "403" => ReadFailure::Forbidden { advice: "grant Presence.Read.All".into() },
        "404" => ReadFailure::NotFound,
        "429" => ReadFailure::Throttled { retry_after: None },
        "503" => passing("Graph answered 503"),
        "HTML" => passing("Graph (or a proxy in between) answered 200 with a page"),
        _ => passing("the answer is not whole"),
    }
}

/// A bridge, its broker, and a Graph that has a bad time.
struct Day {
    bridge: Bridge,
    now: f64,
    about: About,
    /// The kind, and when it ends.
    trouble: (&'static str, f64),
    under_way: Vec<GraphOrder>,
    requests: Vec<f64>,
    renewals: usize,
    /// Every change of a health, in seconds since the trouble began.
    seen: Vec<(f64, String, String)>,
    held: BTreeMap<String, String>,
}

impl Day {
    fn new(kind: &'static str, about: About, until: f64, invites: bool) -> Self {
        let people = if about == About::OneRead { 1 } else { 3 };
        let users = (1..=people).map(|n| watched(&format!("u{n}"), &id(n).to_string())).collect();
        let endpoint = if about == About::OneRead { Endpoint::Users } else { Endpoint::Bulk };
        let settings = changed(Settings { users, ..settings() }, |it| {
            it.accounts[0].reading.endpoint = endpoint;
            it.accounts[0].sign_in.invites = BY_CODE.filter(|_| invites);
        });
        let mut day = Self {
            bridge: claimed(settings, 3, at(0.0)),
            now: 0.0,
            about,
            trouble: (kind, until),
            under_way: Vec::new(),
            requests: Vec::new(),
            renewals: 0,
            seen: Vec::new(),
            held: BTreeMap::new(),
        };
        for event in [Event::Started, Event::Connected, subscribed(), subscribed()] {
            day.tell(event);
        }
        day
    }

    fn tell(&mut self, event: Event) {
        for effect in self.bridge.on(event, at(self.now)) {
            match effect {
                Effect::Graph(_, order) => self.under_way.push(order),
                Effect::Broker(BrokerOrder::Publish(messages)) => {
                    let count = messages.len();
                    messages.into_iter().for_each(|message| self.publish(message));
                    self.tell(Event::Acknowledged(count));
                }
                Effect::Broker(_)
                | Effect::SignIn(_, _)
                | Effect::Answer(..)
                | Effect::Report(_)
                | Effect::Finish(_) => {}
            }
        }
    }

    fn publish(&mut self, Message { topic, payload, .. }: Message) {
        let topic = topic.trim_start_matches("presence/").to_owned();
        let payload = match topic.as_str() {
            "bridge/health" => {
                let health: serde_json::Value = serde_json::from_str(&payload).unwrap();
                let detail = health["detail"].as_str().map_or(String::new(), |detail| format!(": {detail}"));
                format!("{}{detail}", health["graph"].as_str().unwrap())
            }
            _ => payload,
        };
        if topic.ends_with("/health")
            && self.held.insert(topic.clone(), payload.clone()).as_ref() != Some(&payload)
        {
            self.seen.push((self.now - BEGINS, topic, payload));
        }
    }

    /// Goes on until then; every answer takes a tenth of a second.
    fn until(&mut self, end: f64) {
        while self.now < end {
            for order in std::mem::take(&mut self.under_way) {
                self.requests.push(self.now);
                let answer = self.answer(&order);
                self.tell(answer);
            }
            let wake = self.bridge.wake_at(at(self.now).tick).map_or(end, |wake| wake.0.as_secs_f64());
            let next = if self.under_way.is_empty() { wake } else { self.now + 0.1 };
            self.now = next.max(self.now + 0.001).min(end);
            self.tell(Event::Woken);
        }
    }

    fn answer(&mut self, order: &GraphOrder) -> Event {
        let is_bad = self.now >= BEGINS && self.now < BEGINS + self.trouble.1;
        let GraphOrder::Read(request) = order else { panic!("{order:?}") };
        if request.token_max_age == Some(Duration::ZERO) {
            self.renewals += 1;
        }
        let asked = match &request.operation {
            ReadPresence::Bulk(ids) => ids.clone(),
            ReadPresence::User(id) => vec![*id],
            other @ (ReadPresence::Me | ReadPresence::Communications(_)) => panic!("{other:?}"),
        };
        let is_bulk = matches!(request.operation, ReadPresence::Bulk(_));
        let (fails, misses) = match self.about {
            About::OneRead | About::All => (is_bad, false),
            About::OneInBulk => (is_bad && !is_bulk && asked == [id(1)], is_bad && is_bulk),
        };
        if fails {
            return failed(order, failure_of(self.trouble.0));
        }
        let there = asked.into_iter().filter(|asked| !(misses && *asked == id(1)));
        let people = there.map(|id| reading(number(id) as usize, "Busy", "Busy")).collect();
        read(request.id.number(), Ok(people))
    }

    /// What changed since the trouble began.
    fn since(&self) -> Vec<(f64, &str, &str)> {
        let since = self.seen.iter().filter(|(when, ..)| *when >= 0.0);
        since.map(|(when, topic, word)| (*when, topic.as_str(), word.as_str())).collect()
    }
}

fn every() -> impl Iterator<Item = (&'static str, About, bool)> {
    let abouts = [About::OneRead, About::OneInBulk, About::All];
    let rows = KINDS.into_iter().flat_map(move |kind| abouts.map(|about| (kind, about)));
    rows.flat_map(|(kind, about)| [true, false].map(|person| (kind, about, person)))
}

#[test]
fn twelve_seconds_of_any_answer_change_nobodys_health_and_are_over_within_fifteen() {
    for (kind, about, person) in every() {
        let mut day = Day::new(kind, about, 12.0, person);
        day.until(BEGINS + 12.0 + 15.0);
        let people: Vec<_> = day.since().into_iter().filter(|(_, topic, _)| topic.starts_with('u')).collect();
        assert!(people.is_empty(), "{kind} {about:?} {person}: {people:?}");
        assert_eq!(day.held["bridge/health"], "ok", "{kind} {about:?} {person}");
        let (_, healthy) = day.held.iter().find(|(topic, _)| topic.starts_with("u1")).unwrap();
        assert_eq!(healthy, "ok");
        // Everybody was read again, not only not complained about.
        let read_at =
            day.bridge.snapshot(&PeopleQuery::nobody(), at(day.now)).accounts[0].graph.last_success.unwrap();
        assert!(read_at > at(BEGINS + 12.0).wall, "{kind} {about:?}: last read at {read_at}");
    }
}

#[test]
fn what_lasts_is_called_by_its_name_within_half_a_minute() {
    for (kind, about, person) in every() {
        let mut day = Day::new(kind, about, 10_000.0, person);
        day.until(BEGINS + 30.5);
        let said: Vec<String> =
            day.since().iter().map(|(_, topic, word)| format!("{topic} {word}")).collect();
        let is_said = |part: &str| said.iter().any(|line| line.contains(part));
        let alone = about != About::All;
        match kind {
            "403" => assert!(is_said("u1/health forbidden"), "{about:?}: {said:?} {:?}", day.requests),
            "400" | "404" if alone => assert!(is_said("u1/health not_found"), "{kind} {about:?}: {said:?}"),
            "400" | "404" => assert!(is_said("Graph refuses every request"), "{said:?}"),
            // One person among others is read with everybody's token, which is good.
            "401" if about == About::OneInBulk => {}
            "401" => assert!(is_said("check graph.cloud"), "{about:?}: {said:?}"),
            "429" => assert!(is_said("bridge/health throttled"), "{about:?}: {said:?}"),
            _ if about == About::OneInBulk => {}
            _ => assert!(is_said("bridge/health unreachable"), "{kind} {about:?}: {said:?}"),
        }
        assert!(!is_said("sign_in_required"), "only the sign-in service ends a sign-in: {said:?}");
        if about == About::All {
            assert!(!is_said("not_found"), "{kind}: {said:?}");
        }
        // For good: nobody is believed, and it is never called the fault of people.
        day.until(BEGINS + 400.0);
        if about == About::All {
            assert!(!day.since().iter().any(|(_, _, word)| *word == "not_found"), "{kind}");
            assert_ne!(day.held["u1/health"], "ok", "{kind}");
        }
    }
}

#[test]
fn four_hundred_for_everybody_is_no_storm_and_nobodys_fault() {
    let users: Vec<_> = (1..=600).map(|n| watched(&format!("u{n}"), &id(n).to_string())).collect();
    for starts_well in [true, false] {
        let mut day = Day::new("400", About::All, 10_000.0, false);
        day.bridge = claimed(Settings { users: users.clone().into(), ..settings() }, 4, at(0.0));
        (day.now, day.under_way) = (if starts_well { 0.0 } else { BEGINS }, Vec::new());
        for event in [Event::Started, Event::Connected, subscribed(), subscribed()] {
            day.tell(event);
        }
        day.until(BEGINS + 30.0);
        let in_trouble = day.requests.iter().filter(|when| **when >= BEGINS).count();
        assert!(in_trouble <= 40, "{in_trouble} requests");
        println!("400 for all of 600 people, well before: {starts_well}: {in_trouble} requests in 30 s");
        day.until(BEGINS + 600.0);
        assert!(!day.since().iter().any(|(_, _, word)| *word == "not_found"));
    }
}

#[test]
fn every_second_answer_a_401_harms_nobody() {
    let mut day = Day::new("401", About::All, 0.0, true);
    day.until(BEGINS);
    let mut random = fastrand::Rng::with_seed(11);
    let before = day.renewals;
    while day.now < BEGINS + 300.0 {
        day.trouble.1 = if random.bool() { 10_000.0 } else { 0.0 };
        let step = day.now + 0.1;
        day.until(step);
    }
    let people: Vec<_> = day.since().into_iter().filter(|(_, topic, _)| topic.starts_with('u')).collect();
    assert!(people.is_empty(), "{people:?}");
    let renewals = day.renewals - before;
    assert!(renewals <= 15, "{renewals} tokens in five minutes");
    println!("401 half of the time for five minutes: {renewals} token requests");
}

#[test]
fn a_token_refused_after_a_long_silence_ends_no_sign_in() {
    let mut day = Day::new("503", About::All, 10_000.0, true);
    day.until(BEGINS + 600.0);
    day.trouble.0 = "401";
    day.until(BEGINS + 612.0);
    assert_eq!(day.seen.iter().find(|(_, _, word)| word.contains("sign_in_required")), None);
    day.trouble.1 = 0.0;
    day.until(BEGINS + 627.0);
    assert_eq!(day.held["bridge/health"], "ok", "{:?}", day.seen);
}

#[test]
fn a_refusal_right_after_a_sign_in_is_said_at_once() {
    let mut bridge =
        claimed(changed(only_alice(), |it| it.accounts[0].sign_in.invites = BY_CODE), 1, at(0.0));
    for event in [Event::Started, Event::Connected, subscribed(), subscribed()] {
        bridge.on(event, at(0.0));
    }
    bridge.on(Event::Woken, at(0.05));
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1));
    bridge.on(Event::Acknowledged(100), at(0.2));
    bridge.on(Event::Woken, at(5.0));
    bridge.on(failure(1, ReadFailure::SignInRequired { advice: "sign in".into() }), at(5.1));
    bridge.on(Event::Acknowledged(100), at(5.2));
    let said = lines(&bridge.on(Event::SignIn(AccountId::FIRST, SignInEvent::CredentialsChanged), at(60.0)));
    assert!(said.contains(&"read #2 bulk 1".to_owned()), "{said:?}");
    let forbidden = ReadFailure::Forbidden { advice: "grant Presence.Read".into() };
    let said = bridge.on(failure(2, forbidden), at(60.1));
    let all = format!("{said:?}");
    assert!(all.contains(r#"\"graph\":\"forbidden\""#) && all.contains("grant Presence.Read"), "{all}");
    assert!(lines(&said).contains(&"presence/alice/health = forbidden".to_owned()), "{said:?}");
}
