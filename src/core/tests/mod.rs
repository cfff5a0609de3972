//! The core as tables: times and events in, exact commands out. No test here takes real time.

mod accounts;
mod acting;
mod announcing;
mod broker;
mod claiming;
mod commands;
mod failures;
mod grace;
mod groups;
mod inviting;
mod lifecycle;
mod lighting;
mod people_page;
mod places;
mod polling;
mod properties;
mod publishing;
mod reading_back;
mod rehearsing;
mod reloading;
mod snapshot;
mod standby;
mod waking;

use std::time::Duration;

use crate::core::bridge::Bridge;
use crate::core::model::account::AccountId;
use crate::core::model::act::{Act, ActId};
use crate::core::model::effect::{BrokerOrder, ConnectAs, Effect, GraphOrder, Message};
use crate::core::model::event::{Event, Incoming, LinkFailure, PresenceEvent};
use crate::core::model::members::{MembersPage, PageLink};
use crate::core::model::mqtt::Protocol;
use crate::core::model::name::ObjectId;
use crate::core::model::people_page::{PeopleQuery, Search, Standing};
use crate::core::model::presence::Presence;
use crate::core::model::presence_change::PresenceChange;
use crate::core::model::request::{
    Ended, ReadFailure, ReadMembers, ReadPresence, Reading, Request, RequestId, Whom,
};
use crate::core::model::settings::{Discovery, Endpoint, OnStale, Settings, User};
use crate::core::model::sign_in::{InvitationId, SignInBy, SignInEvent, SignInOrder};
use crate::core::model::snapshot::PeoplePage;
use crate::core::model::time::{Now, Tick};
use crate::core::model::word::Availability;
use crate::core::model::words::PresenceWords;

/// Times are seconds from the start, which is nine o'clock.
fn at(seconds: f64) -> Now {
    let tick = Tick(Duration::from_secs_f64(seconds));
    let nine: jiff::Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
    Now { tick, wall: nine + tick.0 }
}

/// So many seconds by the monotonic clock, and so many more by the time of day.
fn at_after_sleep(awake: f64, slept: f64) -> Now {
    let Now { tick, wall } = at(awake);
    Now { tick, wall: wall + jiff::SignedDuration::from_secs_f64(slept) }
}

/// Object id of the n-th person.
fn id(n: usize) -> ObjectId {
    format!("00000000-0000-4000-8000-{n:012}").parse().unwrap()
}

fn watched(name: &str, id: &str) -> User {
    User {
        name: name.parse().unwrap(),
        id: id.parse().unwrap(),
        display_name: name.to_owned(),
        discovery: true,
        account: AccountId::FIRST,
    }
}

/// Alice and Bob, read in bulk every five seconds.
fn settings() -> Settings {
    let users = vec![watched("alice", &id(1).to_string()), watched("bob", &id(2).to_string())];
    Settings { users: users.into(), ..Settings::for_tests() }
}

/// With which method a person is invited to use a code.
const BY_CODE: Option<SignInBy> = Some(SignInBy::DeviceCode);

/// The same, but for this change.
fn changed(mut settings: Settings, change: impl FnOnce(&mut Settings)) -> Settings {
    change(&mut settings);
    settings
}

fn only_alice() -> Settings {
    Settings { users: vec![watched("alice", &id(1).to_string())].into(), ..settings() }
}

fn presence(availability: &str, activity: &str) -> Presence {
    Presence {
        out_of_office: Some(false),
        sequence_number: Some("A0000000001".into()),
        ..Presence::of(PresenceWords::from_graph(availability, Some(activity)).unwrap())
    }
}

fn reading(n: usize, availability: &str, activity: &str) -> Reading {
    Reading { id: id(n), presence: Some(presence(availability, activity)) }
}

fn answer(request: u64, people: Vec<Reading>) -> Event {
    read(request, Ok(people))
}

fn failure(request: u64, failure: ReadFailure) -> Event {
    read(request, Err(failure))
}

fn read(request: u64, outcome: Result<Vec<Reading>, ReadFailure>) -> Event {
    Event::Presence(
        AccountId::FIRST,
        PresenceEvent::Read(Ended { request: RequestId::new(request), further: 0, outcome }),
    )
}

fn resolved(request: u64, outcome: Result<ObjectId, ReadFailure>) -> Event {
    Event::Presence(
        AccountId::FIRST,
        PresenceEvent::Resolved(Ended { request: RequestId::new(request), further: 0, outcome }),
    )
}

fn page(request: u64, outcome: Result<MembersPage, ReadFailure>) -> Event {
    Event::Presence(
        AccountId::FIRST,
        PresenceEvent::Members(Ended { request: RequestId::new(request), further: 0, outcome }),
    )
}

fn set(request: u64, outcome: Result<(), ReadFailure>) -> Event {
    Event::Presence(
        AccountId::FIRST,
        PresenceEvent::Set(Ended { request: RequestId::new(request), further: 0, outcome }),
    )
}

/// The end of any request that asks for something.
fn failed(order: &GraphOrder, failure: ReadFailure) -> Event {
    match order {
        GraphOrder::Read(request) => read(request.id.number(), Err(failure)),
        GraphOrder::Resolve(request) => resolved(request.id.number(), Err(failure)),
        GraphOrder::ReadMembers(request) => page(request.id.number(), Err(failure)),
        GraphOrder::Set(request) => set(request.id.number(), Err(failure)),
        GraphOrder::ForgetConnections | GraphOrder::WarmUp => unreachable!("it has no end"),
    }
}

fn passing() -> ReadFailure {
    ReadFailure::Passing { why: "connection refused".into(), retry_after: None }
}

fn subscribed() -> Event {
    Event::Subscribed { refused: Vec::new() }
}

fn retained(topic: &str, payload: &str) -> Event {
    Event::Message(Incoming { topic: topic.into(), payload: payload.into(), retained: true, reply_to: None })
}

fn lost() -> Event {
    Event::Disconnected(LinkFailure::Lost("connection refused".into()))
}

/// An effect in one line; JSON shortened to what the tables are about.
fn line(effect: &Effect) -> String {
    match effect {
        Effect::Graph(_, GraphOrder::Read(request)) => {
            let what = match &request.operation {
                ReadPresence::Me => "me".to_owned(),
                ReadPresence::User(id) => format!("user {}", number(*id)),
                ReadPresence::Communications(id) => format!("communications {}", number(*id)),
                ReadPresence::Bulk(ids) => {
                    let ids: Vec<String> = ids.iter().map(|id| number(*id).to_string()).collect();
                    format!("bulk {}", ids.join(","))
                }
            };
            format!("read {:?} {what}{}", request.id, fresh(request))
        }
        Effect::Graph(_, GraphOrder::Resolve(request)) => {
            format!("read {:?} resolve {}{}", request.id, request.operation.0.as_str(), fresh(request))
        }
        Effect::Graph(_, GraphOrder::ReadMembers(request)) => {
            let ReadMembers { group, page } = &request.operation;
            let page = page.as_ref().map_or(String::new(), |PageLink(rest)| format!(" {rest}"));
            format!("read {:?} members {}{page}{}", request.id, number(*group), fresh(request))
        }
        Effect::Graph(_, GraphOrder::Set(request)) => {
            let whom = match request.operation.whom {
                Whom::Me => "me".to_owned(),
                Whom::User(id) => format!("user {}", number(id)),
            };
            format!("write {:?} {whom} {}{}", request.id, change(&request.operation.change), fresh(request))
        }
        Effect::Graph(_, GraphOrder::WarmUp) => "warm up".into(),
        Effect::Graph(_, GraphOrder::ForgetConnections) => "forget connections".into(),
        Effect::Broker(BrokerOrder::Connect(ConnectAs::Holder, _)) => "connect".into(),
        Effect::Broker(BrokerOrder::Connect(ConnectAs::Visitor, _)) => "visit".into(),
        Effect::Broker(BrokerOrder::Disconnect) => "disconnect".into(),
        Effect::Broker(BrokerOrder::Subscribe(list)) => {
            let filters: Vec<&str> = list.iter().map(|subscription| subscription.filter.as_str()).collect();
            format!("subscribe {}", filters.join(" "))
        }
        Effect::Broker(BrokerOrder::Unsubscribe(filters)) => format!("unsubscribe {}", filters.join(" ")),
        Effect::Broker(BrokerOrder::Publish(messages)) => {
            messages.iter().map(message).collect::<Vec<_>>().join("\n")
        }
        Effect::SignIn(_, SignInOrder::Invite(_, SignInBy::DeviceCode)) => "Invite".into(),
        Effect::SignIn(_, SignInOrder::Invite(_, by)) => format!("Invite({by:?})"),
        Effect::SignIn(_, SignInOrder::InviteAnybody(_, by, port)) => {
            format!("InviteAnybody({by:?}, {port:?})")
        }
        Effect::SignIn(
            _,
            order @ (SignInOrder::Change(_)
            | SignInOrder::SignOut
            | SignInOrder::Redeem(_)
            | SignInOrder::TakeBack),
        ) => {
            format!("{order:?}")
        }
        Effect::Answer(_, Ok(done)) => format!("answer: {done}"),
        Effect::Answer(_, Err(why)) => format!("answer: no: {why}"),
        Effect::Report(report) => format!("report: {report}"),
        Effect::Finish(ending) => format!("finish {ending:?}"),
    }
}

/// The n-th invitation to an account.
fn nth(n: u64) -> InvitationId {
    InvitationId::new(n)
}

fn fresh<O>(request: &Request<O>) -> &'static str {
    if request.token_max_age.is_some() { " with a fresh token" } else { "" }
}

fn change(change: &PresenceChange) -> String {
    let words = |lasts: &Option<Duration>| {
        lasts.map_or(String::new(), |lasts| format!(" for {}", humantime::format_duration(lasts)))
    };
    match change {
        PresenceChange::Session { pair, lasts } => format!("session {}/{}{}", pair.0, pair.1, words(lasts)),
        PresenceChange::EndSession => "end session".to_owned(),
        PresenceChange::Prefer { pair, lasts } => format!("prefer {}/{}{}", pair.0, pair.1, words(lasts)),
        PresenceChange::ClearPreferred => "clear preferred".to_owned(),
        PresenceChange::StatusMessage { text, expires: None } => format!("say {text:?}"),
        PresenceChange::StatusMessage { text, expires: Some(expires) } => {
            format!("say {text:?} until {expires}")
        }
    }
}

fn message(message: &Message) -> String {
    // Answers to commands and orders to lights are the only messages that the broker does not keep.
    if !message.retain {
        let correlation = message.correlation.as_deref().map(String::from_utf8_lossy);
        let known_by = correlation.map_or(String::new(), |data| format!(" for {data}"));
        return format!("{}{known_by} = {}", message.topic, message.payload);
    }
    let json: Option<serde_json::Value> = serde_json::from_str(&message.payload).ok();
    let text = |key: &str| json.as_ref().and_then(|json| json[key].as_str()).unwrap_or("null").to_owned();
    let payload = match json {
        Some(_) if message.topic.ends_with("bridge/info") => {
            format!("{{every {}}}", text("achieved_interval"))
        }
        Some(_) if message.topic.contains("bridge/") && message.topic.ends_with("/health") => {
            format!("{{{}}}", text("graph"))
        }
        Some(_) if message.topic.ends_with("/config") => format!("{{{}}}", announced(&message.payload)),
        Some(_) if message.topic.ends_with("/sign_in") => format!("{{{}}}", text("user_code")),
        Some(_) => {
            let since = text("since");
            format!("{{{} {} since {}}}", text("availability"), text("activity"), &since[11..19])
        }
        None => message.payload.clone(),
    };
    format!("{} = {payload}", message.topic).trim_end().to_owned()
}

/// Who an announcement is about, and where their availability is.
fn announced(payload: &str) -> String {
    let json: serde_json::Value = serde_json::from_str(payload).unwrap();
    let topic = json["components"]["availability"]["state_topic"].as_str().unwrap_or("-");
    format!("{} {topic}", json["device"]["name"].as_str().unwrap())
}

fn number(id: ObjectId) -> u32 {
    id.to_string()[24..].parse().unwrap()
}

fn lines(commands: &[Effect]) -> Vec<String> {
    commands.iter().map(line).flat_map(|l| l.lines().map(String::from).collect::<Vec<_>>()).collect()
}

/// A bridge that has met nobody in its place. How it looks for somebody is in `claiming`.
fn claimed(settings: Settings, seed: u64, now: Now) -> Bridge {
    Bridge::new(settings, seed, now).claimed()
}

/// One row: when, what happens, what is ordered. A row with [`Event::Woken`] also checks that the core asked
/// to be woken by then.
type Row<'a> = (f64, Event, &'a str);

/// Runs the rows and compares every command, in order.
fn check(settings: Settings, rows: Vec<Row<'_>>) -> Bridge {
    let mut bridge = claimed(settings, 1, at(0.0));
    run(&mut bridge, rows);
    bridge
}

fn run(bridge: &mut Bridge, rows: Vec<Row<'_>>) {
    let mut before = at(0.0);
    for (row, (seconds, event, expected)) in rows.into_iter().enumerate() {
        let now = at(seconds);
        if matches!(event, Event::Woken) {
            let wake = bridge.wake_at(before.tick).expect("the core waits for nothing");
            assert!(wake <= now.tick, "row {row} at {seconds}: the core sleeps until {wake:?}");
        }
        let commands = bridge.on(event, now);
        let lines = lines(&commands);
        let expected: Vec<&str> = expected.lines().map(str::trim).filter(|line| !line.is_empty()).collect();
        assert_eq!(lines, expected, "row {row} at {seconds}");
        before = now;
    }
}

/// A bridge that has connected, found nothing, and published that it knows nothing yet. Read #0 is under way.
fn online(settings: Settings) -> Bridge {
    let mut bridge = claimed(settings, 1, at(0.0));
    bridge.on(Event::Started, at(0.0));
    bridge.on(Event::Connected, at(0.0));
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    let mut said = bridge.on(Event::Woken, at(0.04));
    loop {
        let sent: usize =
            said.iter()
                .map(|effect| {
                    if let Effect::Broker(BrokerOrder::Publish(messages)) = effect {
                        messages.len()
                    } else {
                        0
                    }
                })
                .sum();
        if sent == 0 {
            return bridge;
        }
        said = bridge.on(Event::Acknowledged(sent), at(0.04));
    }
}

fn following(users: &[(&str, usize)]) -> Settings {
    let users = users.iter().map(|(name, n)| watched(name, &id(*n).to_string())).collect();
    Settings { users, ..settings() }
}

fn with_discovery(settings: Settings) -> Settings {
    let discovery =
        Discovery { prefix: "homeassistant".parse().unwrap(), birth_topic: "homeassistant/status".into() };
    Settings { discovery: Some(discovery), ..settings }
}
