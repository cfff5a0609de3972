//! Several accounts: what one of them lives through is nothing to the others, and they come and go by
//! themselves.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;

use super::groups::{group, member};
use super::lighting::light;
use super::*;
use crate::core::model::event::Access;
use crate::core::model::members::Member;
use crate::core::model::settings::{AccountSettings, Commands, Discovery, Group};
use crate::core::model::sign_in::{InvitationEnd, ShownInvitation, SignedIn};

/// An account, and whom it reads, by number.
type Readers<'a> = (&'a str, &'a [(&'a str, usize)]);

/// Who is read by which account: a person with a code, one with a browser, and an app with two people and a
/// group.
const ACCOUNTS: [Readers<'_>; 3] =
    [("code", &[("alice", 1)]), ("browser", &[("bob", 2)]), ("app", &[("carol", 3), ("dave", 4)])];

/// The n-th account of as many, each with a tenant of its own.
fn account(name: &str) -> AccountSettings {
    let mut account = AccountSettings::for_tests();
    account.name = Some(name.parse().unwrap());
    account.app.tenant = name.into();
    account.sign_in.announce = name != "app";
    account.sign_in.invites = match name {
        "code" => Some(SignInBy::DeviceCode),
        "browser" => Some(SignInBy::Browser),
        _ => None,
    };
    account
}

/// These accounts, with their people.
fn of_accounts(accounts: &[Readers<'_>]) -> Settings {
    let user = |(index, (_, people)): (usize, &Readers<'_>)| {
        let account = AccountId::new(index);
        let of_one =
            people.iter().map(move |(name, n)| User { account, ..watched(name, &id(*n).to_string()) });
        of_one.collect::<Vec<_>>()
    };
    Settings {
        users: accounts.iter().enumerate().flat_map(user).collect(),
        accounts: accounts.iter().map(|(name, _)| account(name)).collect(),
        ..settings()
    }
}

/// What goes wrong with an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trouble {
    /// Every token is refused.
    Unauthorized,
    Throttled,
    /// Nothing is answered before the request's own time is over.
    Hung,
    /// The sign-in service refuses, until a person signs in.
    SignedOut,
    /// The same, and the tenant allows no codes.
    CodesBlocked,
    Forbidden,
}

const TROUBLES: [Trouble; 6] = [
    Trouble::Unauthorized,
    Trouble::Throttled,
    Trouble::Hung,
    Trouble::SignedOut,
    Trouble::CodesBlocked,
    Trouble::Forbidden,
];

/// From when until when it does, in seconds: for a while, and from the start on.
const LASTS: [Lasts; 2] = [(61.3, 400.7), (0.0, 400.7)];

type Lasts = (f64, f64);

/// The group of an account, whose only member is called as the account, with `-m` behind it.
fn group_of(index: usize) -> Group {
    let (name, _) = ACCOUNTS[index];
    Group { account: AccountId::new(index), ..group(90 + index, &format!("{name}-{{upn_local}}")) }
}

/// A bridge, and the cloud and the broker around it.
struct World {
    bridge: Bridge,
    broken: Option<(usize, Trouble, Lasts)>,
    now: f64,
    coming: Vec<(f64, Event)>,
    /// Everything that was published or asked for, in order: when, and what about whom.
    seen: Vec<(f64, String)>,
    /// What the log says.
    logged: Vec<String>,
}

impl World {
    fn new(settings: Settings, broken: Option<(usize, Trouble)>) -> Self {
        let [lasts, _] = LASTS;
        Self::broken_while(settings, broken.map(|(of, trouble)| (of, trouble, lasts)))
    }

    fn broken_while(settings: Settings, broken: Option<(usize, Trouble, Lasts)>) -> Self {
        let bridge = claimed(settings, 7, at(0.0));
        let coming = vec![(0.0, Event::Started)];
        Self { bridge, broken, now: 0.0, coming, seen: Vec::new(), logged: Vec::new() }
    }

    fn run(&mut self, until: f64) {
        while self.now < until {
            let wake = self.bridge.wake_at(at(self.now).tick).map_or(until, |tick| tick.0.as_secs_f64());
            let next = (0..self.coming.len()).min_by(|&a, &b| self.coming[a].0.total_cmp(&self.coming[b].0));
            let (when, event) = match next.filter(|&next| self.coming[next].0 <= wake) {
                Some(next) => self.coming.remove(next),
                None => (wake, Event::Woken),
            };
            self.now = when.max(self.now);
            self.tell(event);
        }
    }

    fn tell(&mut self, event: Event) {
        let effects = self.bridge.on(event, at(self.now));
        for effect in effects {
            match effect {
                Effect::Graph(of, order) => self.ask(of, &order),
                Effect::SignIn(of, order) => {
                    self.seen.push((self.now, format!("sign-in {} {order:?}", of.index())));
                    self.invite(of, &order);
                }
                Effect::Broker(BrokerOrder::Publish(messages)) => {
                    self.coming.push((self.now, Event::Acknowledged(messages.len())));
                    let lines =
                        messages.iter().map(|message| format!("{} = {}", message.topic, message.payload));
                    self.seen.extend(lines.map(|line| (self.now, line)));
                }
                Effect::Broker(BrokerOrder::Connect(..)) => self.coming.push((self.now, Event::Connected)),
                Effect::Broker(BrokerOrder::Subscribe(_)) => self.coming.push((self.now, subscribed())),
                Effect::Broker(BrokerOrder::Unsubscribe(_) | BrokerOrder::Disconnect) => {}
                Effect::Report(report) => self.logged.push(report.to_string()),
                Effect::Answer(..) | Effect::Finish(_) => {}
            }
        }
    }

    fn trouble(&self, of: AccountId) -> Option<Trouble> {
        let (_, trouble, _) = self.broken.filter(|(broken, _, (from, until))| {
            *broken == of.index() && (*from..*until).contains(&self.now)
        })?;
        Some(trouble)
    }

    fn ask(&mut self, of: AccountId, order: &GraphOrder) {
        self.seen
            .push((self.now, format!("read {} {}", of.index(), line(&Effect::Graph(of, order.clone())))));
        let failure = self.trouble(of).map(|trouble| match trouble {
            Trouble::Unauthorized => ReadFailure::TokenRefused { why: "no".into() },
            Trouble::Throttled => ReadFailure::Throttled { retry_after: Some(Duration::from_secs(17)) },
            Trouble::Hung => ReadFailure::Passing { why: "no answer within 10s".into(), retry_after: None },
            Trouble::SignedOut | Trouble::CodesBlocked => {
                ReadFailure::SignInRequired { advice: "run `presence2mqtt login`".into() }
            }
            Trouble::Forbidden => {
                ReadFailure::Forbidden { advice: "consent with `presence2mqtt login`".into() }
            }
        });
        let takes = if self.trouble(of) == Some(Trouble::Hung) { 10.0 } else { 0.05 };
        let end = match (failure, order) {
            (Some(failure), order) => failed(order, failure),
            (None, GraphOrder::Read(request)) => {
                let ids = match &request.operation {
                    ReadPresence::Me => vec![id(of.index() + 1)],
                    ReadPresence::User(id) | ReadPresence::Communications(id) => vec![*id],
                    ReadPresence::Bulk(ids) => ids.clone(),
                };
                let people = ids.into_iter().map(|id| self.reading(id)).collect();
                read(request.id.number(), Ok(people))
            }
            (None, GraphOrder::ReadMembers(request)) => {
                let members = vec![member(5 + of.index(), "m")];
                let members = MembersPage { members, counted: Some(1), unreadable: 0, next: None };
                page(request.id.number(), Ok(members))
            }
            // What succeeds is looked at, which would be a read's turn anyway.
            (None, GraphOrder::Set(request)) => set(request.id.number(), Err(passing())),
            (None, order) => unreachable!("{order:?}"),
        };
        let Event::Presence(_, end) = end else { unreachable!() };
        self.coming.push((self.now + takes, Event::Presence(of, end)));
    }

    /// Everybody changes at times of their own.
    fn reading(&self, id: ObjectId) -> Reading {
        let words = ["Available", "Busy", "Away", "DoNotDisturb"];
        let n = number(id) as usize;
        let step = (self.now / (11.0 + n as f64 * 3.7)) as usize;
        Reading { id, presence: Some(presence(words[(step + n) % 4], words[(step + n) % 4])) }
    }

    fn invite(&mut self, of: AccountId, order: &SignInOrder) {
        let SignInOrder::Invite(id, by) = order else { return };
        let is_blocked = self.trouble(of) == Some(Trouble::CodesBlocked) && *by == SignInBy::DeviceCode;
        let event = if is_blocked {
            SignInEvent::Ended(*id, InvitationEnd::CodesBlocked("run `presence2mqtt login --browser`".into()))
        } else {
            let code = (*by == SignInBy::DeviceCode).then(|| "ABCD1234".into());
            let shown = ShownInvitation {
                verification_uri: "https://login.example/device".parse().unwrap(),
                user_code: code,
                expires_at: at(self.now + 900.0).wall,
            };
            SignInEvent::Invited(*id, shown)
        };
        self.coming.push((self.now + 0.4, Event::SignIn(of, event)));
    }

    /// What happened to one account and its people, and when to the microsecond.
    fn of(&self, index: usize) -> Vec<(u64, &str)> {
        let (name, people) = ACCOUNTS[index];
        let people = people.iter().map(|(person, _)| format!("presence/{person}/"));
        let own: Vec<String> = [
            format!("read {index} "),
            format!("sign-in {index} "),
            format!("presence/bridge/account/{name}/"),
            format!("presence/{name}-m/"),
            format!("presence/bridge/light/{name}/"),
            format!("wled/{name}/"),
        ]
        .into_iter()
        .chain(people)
        .collect();
        let is_own = |line: &str| own.iter().any(|own| line.starts_with(own));
        let seen = self.seen.iter().filter(|(_, line)| is_own(line));
        seen.map(|(when, line)| ((when * 1e6) as u64, line.as_str())).collect()
    }
}

#[test]
fn the_trouble_of_one_account_changes_no_message_and_no_moment_of_another() {
    // Each follows people, a member of a group and somebody whom nobody knows.
    let light = |(name, people): Readers<'_>| {
        let members = [format!("{name}-m"), format!("{name}-x")];
        let users: Vec<&str> =
            people.iter().map(|(person, _)| *person).chain(members.iter().map(String::as_str)).collect();
        light(name, &users)
    };
    let settings = || Settings {
        groups: (0..3).map(group_of).collect(),
        lights: ACCOUNTS.map(light).into(),
        ..of_accounts(&ACCOUNTS)
    };
    let mut well = World::new(settings(), None);
    well.run(700.0);
    for index in 0..3 {
        for of in ["/availability = ", "-m/availability = ", "wled/"] {
            let published = well.of(index).into_iter().filter(|(_, line)| line.contains(of)).count();
            assert!(published > 10, "{index}: {published} of {of}");
        }
    }
    let cells = (0..3).flat_map(|broken| TROUBLES.map(|trouble| (broken, trouble)));
    for (broken, trouble, lasts) in cells.flat_map(|(of, trouble)| LASTS.map(|lasts| (of, trouble, lasts))) {
        let mut world = World::broken_while(settings(), Some((broken, trouble, lasts)));
        world.run(700.0);
        let cell = format!("{trouble:?} of {broken} from {lasts:?}");
        for index in 0..3 {
            let (seen, expected) = (world.of(index), well.of(index));
            if index == broken {
                assert_ne!(seen, expected, "{cell} is nothing to itself");
                continue;
            }
            let differs = seen.iter().zip(&expected).find(|(one, other)| one != other);
            assert_eq!(differs, None, "{cell} reaches {index}");
            assert_eq!(seen.len(), expected.len(), "{cell} reaches {index}");
        }
        for sentence in world.logged.iter().chain(world.seen.iter().map(|(_, line)| line)) {
            let (all, named) = ("`presence2mqtt login", "`presence2mqtt login --account ");
            assert_eq!(sentence.matches(all).count(), sentence.matches(named).count(), "{cell}: {sentence}");
        }
    }
}

/// These come before anybody of the first account is known, and before those of the second, which no
/// account is signed in to.
fn after_a_restart(settings: Settings, left: &[(&str, &str)]) -> (Bridge, Vec<String>) {
    let mut bridge = claimed(settings, 1, at(0.0));
    bridge.on(Event::Started, at(0.0));
    bridge.on(Event::Connected, at(0.0));
    for (topic, payload) in left {
        bridge.on(retained(topic, payload), at(0.0));
    }
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    let mut said = lines(&bridge.on(Event::Woken, at(0.04)));
    bridge.on(Event::Acknowledged(1000), at(0.05));
    let refused = ReadFailure::SignInRequired { advice: "sign in".into() };
    let Event::Presence(_, refused) = page(0, Err(refused)) else { unreachable!() };
    said.extend(lines(&bridge.on(Event::Presence(AccountId::new(1), refused), at(0.1))));
    bridge.on(Event::Acknowledged(1000), at(0.15));
    (bridge, said)
}

fn read_members(bridge: &mut Bridge, of: usize, request: u64, members: Vec<Member>, now: f64) -> Vec<String> {
    let members = MembersPage { members, counted: None, unreadable: 0, next: None };
    let Event::Presence(_, read) = page(request, Ok(members)) else { unreachable!() };
    lines(&bridge.on(Event::Presence(AccountId::new(of), read), at(now)))
}

#[test]
fn who_left_a_group_is_taken_back_though_nobody_is_signed_in_to_another_account() {
    let discovery =
        Discovery { prefix: "homeassistant".parse().unwrap(), birth_topic: "homeassistant/status".into() };
    let groups = [0, 1].map(|of| Group { discovery: true, ..group_of(of) }).into();
    let settings =
        Settings { groups, discovery: Some(discovery), ..of_accounts(&[("code", &[]), ("browser", &[])]) };
    let state = r#"{"bridge":"presence2mqtt","availability":"Busy","activity":"Busy","since":"2026-11-23T08:00:00Z"}"#;
    let device = |name: &str| {
        format!(
            r#"{{"device":{{"identifiers":["x"],"via_device":"presence2mqtt_bridge_presence2mqtt"}},"origin":{{"name":"presence2mqtt"}},"components":{{"availability":{{"platform":"sensor","state_topic":"presence/{name}/availability"}}}}}}"#
        )
    };
    let (left, waits) = (device("code-left"), device("browser-waits"));
    let topic = |n: usize| format!("homeassistant/device/presence2mqtt_{}/config", id(n));
    let (mut bridge, _) = after_a_restart(
        settings,
        &[
            ("presence/code-left/state", state),
            ("presence/code-lone/health", "stale"),
            ("presence/browser-waits/state", state),
            ("presence/old-name/state", state),
            (&topic(70), &left),
            (&topic(71), &waits),
        ],
    );
    let emptied = |said: &[String]| -> Vec<String> {
        said.iter().filter_map(|line| line.strip_suffix(" =").map(str::to_owned)).collect()
    };
    let said = read_members(&mut bridge, 0, 0, vec![member(5, "m")], 0.2);
    let gone = emptied(&said);
    for expected in [topic(70), "presence/code-left/state".into(), "presence/code-lone/health".into()] {
        assert!(gone.contains(&expected), "{expected} in {gone:?}");
    }
    for expected in ["browser-waits", "old-name", &topic(71)] {
        assert!(!gone.iter().any(|topic| topic.contains(expected)), "{expected} in {gone:?}");
    }
    bridge.on(Event::Acknowledged(1000), at(0.3));
    let mut said = Vec::new();
    for tenth in 3..700 {
        let now = f64::from(tenth) / 10.0;
        let read = bridge.on(Event::Woken, at(now)).into_iter().find_map(|effect| {
            let Effect::Graph(of, GraphOrder::ReadMembers(request)) = effect else { return None };
            (of.index() == 1).then_some(request.id.number())
        });
        if let Some(request) = read {
            said = read_members(&mut bridge, 1, request, Vec::new(), now);
            break;
        }
    }
    let gone = emptied(&said);
    for expected in [topic(71), "presence/browser-waits/state".into(), "presence/old-name/state".into()] {
        assert!(gone.contains(&expected), "{expected} in {gone:?}");
    }
}

#[test]
fn a_light_does_not_wait_for_a_member_of_an_account_that_nobody_is_signed_in_to() {
    let lights = vec![light("door", &["code-m", "browser-m"])];
    let groups = [0, 1].map(group_of).into();
    let settings = Settings { groups, lights, ..of_accounts(&[("code", &[]), ("browser", &[])]) };
    let (mut bridge, _) = after_a_restart(settings, &[]);
    let mut said = read_members(&mut bridge, 0, 0, Vec::new(), 0.2);
    bridge.on(Event::Acknowledged(1000), at(0.25));
    said.extend(lines(&bridge.on(Event::Woken, at(0.3))));
    assert!(said.iter().any(|line| line.starts_with("wled/door")), "nobody is there: {said:?}");
}

#[test]
fn a_name_that_is_taken_when_somebody_signs_in_later_does_not_end_the_run() {
    let groups = vec![group_of(0), Group { name: "code-{upn_local}".parse().unwrap(), ..group_of(1) }];
    let settings = Settings { groups, ..of_accounts(&[("code", &[]), ("browser", &[])]) };
    let mut world = World::broken_while(settings, Some((1, Trouble::SignedOut, (0.0, 50.0))));
    world.run(400.0);
    assert_eq!(retained_by(&world)["presence/code-m/health"], "ok");
    let health = json_of(&world, "presence/bridge/account/browser/health");
    assert!(health["notices"][0].as_str().unwrap().contains("is left out"), "{health}");
}

/// Whoever sends a command to somebody of an account learns which account has to be signed in to.
#[test]
fn the_answer_to_a_command_names_the_account() {
    let commands = Some(Commands { response_topic: None });
    let mut world = World::new(Settings { commands, ..of_accounts(&ACCOUNTS) }, None);
    world.run(5.0);
    let (topic, payload) = ("presence/alice/set".to_owned(), "Busy".into());
    world.tell(Event::Message(Incoming { topic, payload, retained: false, reply_to: None }));
    let answer = json_of(&world, "presence/alice/set/result");
    assert_eq!(answer["error"], "no account is signed in: run `presence2mqtt login --account code`");
}

/// What is retained now, by topic.
fn retained_by(world: &World) -> BTreeMap<&str, &str> {
    let mut retained = BTreeMap::new();
    for (topic, payload) in world.seen.iter().filter_map(|(_, line)| line.split_once(" = ")) {
        if payload.is_empty() {
            retained.remove(topic)
        } else {
            retained.insert(topic, payload)
        };
    }
    retained
}

fn json_of(world: &World, topic: &str) -> serde_json::Value {
    retained_by(world).get(topic).map_or(serde_json::Value::Null, |text| serde_json::from_str(text).unwrap())
}

#[test]
fn health_names_the_worst_and_each_account_has_its_own() {
    let mut world = World::new(of_accounts(&ACCOUNTS), Some((1, Trouble::SignedOut)));
    world.run(60.0);
    let health = json_of(&world, "presence/bridge/health");
    assert_eq!((&health["graph"], &health["detail"]), (&"ok".into(), &serde_json::Value::Null), "{health}");
    world.run(90.0);
    let health = json_of(&world, "presence/bridge/health");
    assert_eq!(
        (&health["graph"], &health["detail"]),
        (&"sign_in_required".into(), &"account browser: run `presence2mqtt login --account browser`".into())
    );
    let expected = serde_json::json!({
        "code": {"graph": "ok", "detail": null},
        "browser": {"graph": "sign_in_required", "detail": "run `presence2mqtt login --account browser`"},
        "app": {"graph": "ok", "detail": null},
    });
    assert_eq!(health["accounts"], expected);
    let own = json_of(&world, "presence/bridge/account/browser/health");
    assert_eq!(
        (&own["graph"], &own["detail"]),
        (&"sign_in_required".into(), &"run `presence2mqtt login --account browser`".into())
    );
    assert_eq!(own["accounts"], serde_json::Value::Null, "{own}");
    assert_eq!(json_of(&world, "presence/bridge/account/code/health")["graph"], "ok");
    assert_eq!(
        json_of(&world, "presence/bridge/account/browser/sign_in")["user_code"],
        serde_json::Value::Null
    );
    assert!(retained_by(&world).contains_key("presence/bridge/account/browser/sign_in"));
    assert!(!retained_by(&world).contains_key("presence/bridge/sign_in"), "on the account's topic only");
    assert_eq!(retained_by(&world)["presence/bob/health"], "sign_in_required");
    assert_eq!(retained_by(&world)["presence/alice/health"], "ok");

    let username = "alice@contoso.example".into();
    let alice = SignedIn { username, object_id: id(1), may_write: false };
    world.tell(Event::SignIn(AccountId::FIRST, SignInEvent::Account(Some(alice))));
    let info = json_of(&world, "presence/bridge/info");
    assert_eq!([&info["account"], &info["auth_method"], &info["cloud"]], [&serde_json::Value::Null; 3]);
    let account = |account: Option<&str>| serde_json::json!({"cloud": "global", "auth_method": "client-secret", "account": account});
    let (signed_in, nobody) = (account(Some("alice@contoso.example")), account(None));
    let expected = serde_json::json!({"code": signed_in, "browser": nobody, "app": nobody});
    assert_eq!(info["accounts"], expected);
}

#[test]
fn two_accounts_of_one_app_share_its_budget_by_turns() {
    let people = |from: usize| (from..from + 30).map(|n| (format!("u{n}"), n)).collect::<Vec<_>>();
    let (one, other) = (people(100), people(200));
    let named = |people: &[(String, usize)]| -> Vec<(&'static str, usize)> {
        people.iter().map(|(name, n)| (&*name.clone().leak(), *n)).collect()
    };
    let (one, other) = (named(&one), named(&other));
    let mut settings = of_accounts(&[("app", &one), ("second", &other)]);
    for (account, budget) in settings.accounts.iter_mut().zip([40, 60]) {
        account.app.tenant = "contoso".into();
        account.reading.endpoint = Endpoint::Users;
        account.reading.request_budget = budget;
    }
    for trouble in [None, Some((0, Trouble::Unauthorized)), Some((0, Trouble::Hung))] {
        let mut world = World::new(settings.clone(), trouble);
        world.run(400.0);
        let reads: Vec<(f64, bool)> = world
            .seen
            .iter()
            .filter(|(_, line)| line.starts_with("read "))
            .map(|(when, line)| (*when, line.starts_with("read 0 ")))
            .collect();
        for (i, (first, _)) in reads.iter().enumerate() {
            let within = reads[i..].iter().filter(|(when, _)| *when < first + 30.0).count();
            assert!(within <= 40, "{within} requests within 30 s from {first}: the smaller budget counts");
        }
        let of_second = reads.iter().filter(|(when, is_first)| !is_first && *when > 100.0).count();
        assert!((180..=230).contains(&of_second), "{of_second} in 300 s {trouble:?}: half of the budget");
    }
    let world = World::new(settings.clone(), None);
    let snapshot = world.bridge.snapshot(&PeopleQuery::nobody(), at(0.0));
    assert_eq!(snapshot.accounts.iter().map(|of| of.graph.budget).collect::<Vec<_>>(), [40, 40]);
}

#[test]
fn commands_without_end_to_one_account_make_nobody_of_another_stale() {
    let mut settings = of_accounts(&[("app", &[("carol", 3)]), ("second", &[("dave", 4)])]);
    settings.commands = Some(Commands { response_topic: None });
    for account in &mut settings.accounts {
        account.app.tenant = "contoso".into();
        account.reading.request_budget = 6;
        account.reading.poll_interval = Duration::from_secs(15);
    }
    // Its own reads, which have their turn, would let the others in.
    settings.accounts[0].reading.poll_interval = Duration::from_secs(3600);
    let mut world = World::new(settings, None);
    for second in 1..400_u32 {
        world.run(f64::from(second));
        let payload = if second % 2 == 0 { "Busy" } else { "Away" };
        let (topic, payload) = ("presence/carol/set".to_owned(), payload.into());
        world.tell(Event::Message(Incoming { topic, payload, retained: false, reply_to: None }));
    }
    let count = |begins: &str| world.seen.iter().filter(|(_, line)| line.starts_with(begins)).count();
    assert!(count("read 0 write") > 20, "{}", count("read 0 write"));
    assert!(count("read 1 ") > 15, "{}", count("read 1 "));
    assert_eq!(retained_by(&world)["presence/dave/health"], "ok");
    assert_eq!(count("presence/dave/health = stale"), 1, "only at the start");
}

/// Whoever sends commands without end to people of one account, or of one with another app, delays nobody's
/// command for long.
#[test]
fn commands_without_end_to_one_account_leave_room_for_those_to_another() {
    let mut settings = of_accounts(&[
        ("app", &[("carol", 3), ("dave", 4)]),
        ("second", &[("erin", 5)]),
        ("third", &[("frank", 6)]),
    ]);
    settings.commands = Some(Commands { response_topic: None });
    for account in &mut settings.accounts {
        account.reading.request_budget = 6;
        account.reading.poll_interval = Duration::from_secs(3600);
    }
    settings.accounts[1].app.tenant = settings.accounts[0].app.tenant.clone();
    let mut world = World::new(settings, None);
    let mut ordered = 0;
    for second in 1..400_u32 {
        world.run(f64::from(second));
        let payload = if second % 2 == 0 { "Busy" } else { "Away" };
        for person in ["carol", "dave", "erin", "frank"] {
            let is_seldom = person == "erin";
            if !is_seldom || second % 40 == 0 {
                ordered += usize::from(is_seldom);
                let (topic, payload) = (format!("presence/{person}/set"), payload.into());
                world.tell(Event::Message(Incoming { topic, payload, retained: false, reply_to: None }));
            }
        }
    }
    let count = |begins: &str| world.seen.iter().filter(|(_, line)| line.starts_with(begins)).count();
    assert_eq!(count("read 1 write"), ordered);
    assert!(count("read 0 write") > 50 && count("read 2 write") > 50);
}

#[test]
fn accounts_come_change_and_go_without_a_message_about_anybody_elses_people() {
    let discovery =
        Discovery { prefix: "homeassistant".parse().unwrap(), birth_topic: "homeassistant/status".into() };
    let with_discovery = |settings: Settings| Settings { discovery: Some(discovery.clone()), ..settings };
    let mut world = World::new(with_discovery(of_accounts(&ACCOUNTS)), None);
    world.run(99.0);
    let bridge_device = "homeassistant/device/presence2mqtt_bridge_presence2mqtt/config";
    let announced = |world: &World| -> BTreeSet<String> {
        let retained = retained_by(world);
        let payload: serde_json::Value = serde_json::from_str(retained[bridge_device]).unwrap();
        let components = payload["components"].as_object().unwrap();
        let there = components.iter().filter(|(_, component)| component["unique_id"].is_string());
        there.map(|(key, _)| key.clone()).filter(|key| key.starts_with("graph")).collect()
    };
    assert_eq!(
        announced(&world),
        ["graph", "graph_app", "graph_browser", "graph_code"].map(String::from).into()
    );

    // The first goes, the second is read more seldom, the third stays as it is, and there is a fourth.
    let now: [Readers<'_>; 3] =
        [("browser", &[("bob", 2)]), ("app", &[("carol", 3), ("dave", 4)]), ("new", &[("erin", 5)])];
    let mut settings = with_discovery(of_accounts(&now));
    settings.accounts[0].reading.poll_interval = Duration::from_secs(60);
    let from = world.seen.len();
    world.tell(Event::Configured(Box::new(settings), vec![Access::Same, Access::Same, Access::New]));
    world.run(99.02);
    let said: Vec<String> = world.seen[from..].iter().map(|(_, line)| line.clone()).collect();
    let is_about = |line: &&String, names: &[&str]| {
        names
            .iter()
            .any(|name| line.starts_with(&format!("presence/{name}/")) || line.contains(&format!("_{name}_")))
    };
    let others: Vec<&String> = said
        .iter()
        .filter(|line| is_about(line, &["bob", "carol", "dave"]) || line.contains("account/app/health ="))
        .filter(|line| !line.starts_with(bridge_device))
        .collect();
    assert!(others.is_empty(), "{others:?}");
    for emptied in
        ["alice/health", "alice/state", "bridge/account/code/health", "bridge/account/code/sign_in"]
    {
        assert!(said.contains(&format!("presence/{emptied} = ")), "{emptied} in {said:?}");
    }
    assert_eq!(
        announced(&world),
        ["graph", "graph_app", "graph_browser", "graph_new"].map(String::from).into()
    );

    world.run(300.0);
    let reads = |account: usize| {
        let read = format!("read {account} ");
        world.seen[from..].iter().filter(|(_, line)| line.starts_with(&read)).count()
    };
    assert!(
        (4..=7).contains(&reads(0)) && reads(1) > 35 && reads(2) > 35,
        "{} {} {}",
        reads(0),
        reads(1),
        reads(2)
    );
    for (name, _) in now.iter().flat_map(|(_, people)| *people) {
        assert_eq!(retained_by(&world)[format!("presence/{name}/health").as_str()], "ok", "{name}");
    }
}

#[test]
fn what_an_earlier_run_said_of_accounts_that_are_gone_is_taken_back() {
    let mut bridge = claimed(of_accounts(&ACCOUNTS[..1]), 1, at(0.0));
    bridge.on(Event::Started, at(0.0));
    bridge.on(Event::Connected, at(0.0));
    let info = |bridge: &str| {
        format!(r#"{{"bridge":"{bridge}","accounts":{{"gone":{{}},"code":{{}},"a/b":{{}}}}}}"#)
    };
    bridge.on(retained("presence/bridge/info", &info("presence2mqtt")), at(0.0));
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    let said = lines(&bridge.on(Event::Woken, at(0.04)));
    for topic in ["health", "sign_in"] {
        assert!(said.contains(&format!("presence/bridge/account/gone/{topic} =")), "{said:?}");
    }
    assert!(!said.iter().any(|line| line.starts_with("presence/bridge/account/code/health =\n")), "{said:?}");
}

/// Of five accounts these, in this order, each with two people.
fn some_of_five(chosen: &[usize]) -> Settings {
    const NAMES: [&str; 5] = ["code", "browser", "c", "d", "e"];
    const PEOPLE: [[(&str, usize); 2]; 5] = [
        [("p10", 10), ("p11", 11)],
        [("p20", 20), ("p21", 21)],
        [("p30", 30), ("p31", 31)],
        [("p40", 40), ("p41", 41)],
        [("p50", 50), ("p51", 51)],
    ];
    let readers: Vec<Readers<'_>> = chosen.iter().map(|&n| (NAMES[n], &PEOPLE[n][..])).collect();
    of_accounts(&readers)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whoever_is_configured_in_the_end_is_read_and_nothing_is_left_of_anybody_else(
        reloads in prop::collection::vec(
            (prop::sample::subsequence(vec![0_usize, 1, 2, 3, 4], 1..=5).prop_shuffle(), 0.0_f64..9.0, any::<bool>()),
            1..7,
        ),
    ) {
        let (first, _, _) = &reloads[0];
        let mut world = World::new(some_of_five(first), None);
        let mut chosen = first.clone();
        for (next, after, is_new) in &reloads {
            world.run(world.now + after);
            let access = if *is_new { Access::New } else { Access::Same };
            // Other tasks know nothing of what is under way.
            world.coming.retain(|(_, event)| !matches!(event, Event::Presence(..) | Event::SignIn(..)));
            let anew: Vec<Access> =
                next.iter().map(|n| if chosen.contains(n) && *is_new { access } else { Access::Renewed }).collect();
            world.tell(Event::Configured(Box::new(some_of_five(next)), anew));
            chosen.clone_from(next);
        }
        world.run(world.now + 20.0);
        let settings = some_of_five(&chosen);
        let retained = retained_by(&world);
        let mut expected: BTreeSet<String> =
            ["info", "health", "state"].map(|topic| format!("presence/bridge/{topic}")).into();
        for user in settings.users.iter() {
            prop_assert_eq!(retained.get(format!("presence/{}/health", user.name).as_str()), Some(&"ok"));
            let topics = ["health", "state", "activity", "availability"];
            expected.extend(topics.map(|topic| format!("presence/{}/{topic}", user.name)));
        }
        let accounts = settings.accounts.iter().flat_map(|account| account.name.iter());
        expected.extend(accounts.map(|name| format!("presence/bridge/account/{name}/health")));
        let there: BTreeSet<String> = retained.keys().map(|topic| (*topic).to_owned()).collect();
        prop_assert_eq!(there, expected);
    }
}
