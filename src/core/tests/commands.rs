//! Setting presence: what payloads mean, what is written when, and what is answered.

use super::*;
use crate::core::model::event::Event::{SignIn, Woken};
use crate::core::model::event::{Access, ReplyTo};
use crate::core::model::settings::Commands;
use crate::core::model::sign_in::SignedIn;

fn obeying(settings: Settings) -> Settings {
    let settings = changed(settings, |it| it.accounts[0].session_id = Some("an-app".into()));
    Settings { commands: Some(Commands { response_topic: Some("answers".into()) }), ..settings }
}

/// Alice and Bob are known, nothing is in flight, and the next round, read #1, is due at 5 s.
fn ready(settings: Settings) -> Bridge {
    let mut bridge = online(settings);
    let people = vec![reading(1, "Available", "Available"), reading(2, "Away", "Away")];
    bridge.on(answer(0, people), at(0.1));
    bridge.on(Woken, at(2.5));
    bridge.on(Event::Acknowledged(100), at(2.5));
    bridge
}

fn told(topic: &str, payload: &str) -> Event {
    let (topic, payload) = (format!("presence/{topic}"), payload.into());
    Event::Message(Incoming { topic, payload, retained: false, reply_to: None })
}

fn told_by(topic: &str, payload: &str, reply_to: &str) -> Event {
    let Event::Message(message) = told(topic, payload) else { unreachable!() };
    let reply_to = ReplyTo { topic: reply_to.into(), correlation: Some("4711".into()) };
    Event::Message(Incoming { reply_to: Some(reply_to), ..message })
}

fn failure(request: u64, failure: ReadFailure) -> Event {
    set(request, Err(failure))
}

fn written(request: u64) -> Event {
    set(request, Ok(()))
}

fn signed_in(n: usize, may_write: bool) -> Event {
    let username = format!("u{n}@contoso.example");
    SignIn(
        AccountId::FIRST,
        SignInEvent::Account(Some(SignedIn { username: username.into(), object_id: id(n), may_write })),
    )
}

/// The error of a result for the given payload, which is said again.
fn refused(topic: &str, payload: &str) -> String {
    let commands = ready(obeying(settings())).on(told(&format!("alice/{topic}"), payload), at(3.0));
    let results: Vec<&Message> = commands.iter().flat_map(results_of).collect();
    let [message] = results[..] else { panic!("{payload}: {:?}", lines(&commands)) };
    assert_eq!(message.topic, "presence/alice/set/result");
    let result: serde_json::Value = serde_json::from_str(&message.payload).unwrap();
    assert_eq!(result["ok"], false);
    assert!(!result["request"].is_null());
    assert!(
        !commands.iter().any(|command| matches!(command, Effect::Graph(_, GraphOrder::Set(_)))),
        "{payload}"
    );
    result["error"].as_str().unwrap().to_owned()
}

fn results_of(command: &Effect) -> Vec<&Message> {
    match command {
        Effect::Broker(BrokerOrder::Publish(messages)) => messages.iter().filter(|m| !m.retain).collect(),
        Effect::Broker(_)
        | Effect::Graph(_, _)
        | Effect::SignIn(_, _)
        | Effect::Answer(..)
        | Effect::Report(_)
        | Effect::Finish(_) => Vec::new(),
    }
}

#[test]
fn what_a_payload_means() {
    for (topic, payload, expected) in [
        ("set", "Available", "prefer Available/Available"),
        ("set", " busy\n", "prefer Busy/Busy"),
        ("set", "DONOTDISTURB", "prefer DoNotDisturb/DoNotDisturb"),
        ("set", "BeRightBack", "prefer BeRightBack/BeRightBack"),
        ("set", "Away", "prefer Away/Away"),
        ("set", "offline", "prefer Offline/OffWork"),
        ("set", "Auto", "clear preferred"),
        ("set", r#"{"availability":"busy"}"#, "prefer Busy/Busy"),
        (
            "set",
            r#"{"availability":"Offline","activity":"offwork","duration":"1h 30m"}"#,
            "prefer Offline/OffWork for 1h 30m",
        ),
        (
            "set",
            r#"{"availability":"Away","duration":"7days","kind":"preferred"}"#,
            "prefer Away/Away for 7days",
        ),
        ("set", r#"{"clear":true}"#, "clear preferred"),
        (
            "set",
            r#"{"kind":"session","availability":"Busy","activity":"InACall","duration":"4h"}"#,
            "session Busy/InACall for 4h",
        ),
        (
            "set",
            r#"{"kind":"session","availability":"DoNotDisturb","clear":false}"#,
            "session DoNotDisturb/Presenting",
        ),
        (
            "set",
            r#"{"kind":"session","availability":"Available","activity":null,"duration":"5m"}"#,
            "session Available/Available for 5m",
        ),
        ("set", r#"{"kind":"session","clear":true}"#, "end session"),
        ("set_status_message", "in the workshop\n", r#"say "in the workshop""#),
        ("set_status_message", "auto", r#"say "auto""#),
        (
            "set_status_message",
            r#"{"message":"x","expires_in":"2h"}"#,
            r#"say "x" until 2026-11-23T11:00:03Z"#,
        ),
        ("set_status_message", r#"{"message":""}"#, r#"say """#),
    ] {
        let commands = ready(obeying(settings())).on(told(&format!("alice/{topic}"), payload), at(3.0));
        assert_eq!(lines(&commands), [format!("write #1 user 1 {expected}")], "{payload}");
    }
}

#[test]
fn what_graph_would_refuse_is_refused_with_what_is_allowed() {
    let long = format!("{{\"message\":\"{}\"}}", "x".repeat(5000));
    for (topic, payload, says) in [
        ("set", "Lunch", "one of Available, Busy, DoNotDisturb, BeRightBack, Away, Offline, auto"),
        ("set", "\"Busy\"", "one of Available"),
        ("set", "5", "one of Available"),
        ("set", "{}", "kind preferred"),
        ("set", r#"{"availability":"Busy","activity":"InACall"}"#, "Busy/Busy, DoNotDisturb/DoNotDisturb"),
        ("set", r#"{"availability":"Offline","activity":"Offline"}"#, "Offline/OffWork"),
        ("set", r#"{"kind":"session","availability":"Busy"}"#, "Busy/InACall, Busy/InAConferenceCall"),
        ("set", r#"{"kind":"session","availability":"BeRightBack"}"#, "DoNotDisturb/Presenting"),
        (
            "set",
            r#"{"kind":"session","availability":"Away","duration":"4m 59s"}"#,
            "duration must be 5m to 4h",
        ),
        (
            "set",
            r#"{"kind":"session","availability":"Away","duration":"4h 1s"}"#,
            "duration must be 5m to 4h",
        ),
        ("set", r#"{"availability":"Away","duration":"8days"}"#, "duration must be 5m to 7days"),
        ("set", r#"{"availability":"Away","duration":"soon"}"#, "duration must be 5m to 7days"),
        ("set", r#"{"availability":"Away","duration":3600}"#, "invalid type"),
        ("set", r#"{"clear":true,"availability":"Away"}"#, "only kind is allowed"),
        ("set", r#"{"kind":"for ever","clear":true}"#, "expected `preferred` or `session`"),
        ("set", r#"{"availability":"Away","color":"red"}"#, "unknown field `color`"),
        ("set", r#"{"availability":"Away""#, "EOF"),
        ("set_status_message", r#"{"message":"x","expires_in":"10s"}"#, "expires_in must be 1m to 365days"),
        ("set_status_message", r#"{"text":"x"}"#, "unknown field `text`"),
        ("set_status_message", "{brb}", "begins with a brace"),
        ("set_status_message", &long, "longer than 4096 bytes"),
    ] {
        let error = refused(topic, payload);
        assert!(error.contains(says), "{payload}: {error}");
    }
}

#[test]
fn what_is_no_command() {
    let mut bridge = ready(obeying(settings()));
    for (topic, payload) in [
        ("alice/set", ""),
        ("alice/set", " \n"),
        ("alice/set_status_message", ""),
        ("zoe/set", "Busy"),
        ("bridge/set", "Busy"),
        ("alice/state", "Busy"),
        ("alice/set/result", "Busy"),
    ] {
        assert_eq!(lines(&bridge.on(told(topic, payload), at(3.0))), [""; 0], "{topic}");
    }
    assert_eq!(lines(&bridge.on(retained("presence/alice/set", "Busy"), at(3.0))), [""; 0]);
    let mut bridge = ready(settings());
    assert_eq!(lines(&bridge.on(told("alice/set", "Busy"), at(3.0))), [""; 0], "commands are off");
}

#[test]
fn a_command_is_written_answered_and_read_back() {
    let mut bridge = ready(obeying(settings()));
    run(
        &mut bridge,
        vec![
            (
                3.0,
                told_by("alice/set", r#"{"availability":"Busy"}"#, "answers/x"),
                "write #1 user 1 prefer Busy/Busy",
            ),
            (
                3.1,
                written(1),
                r#"report: users[0]: a command was carried out
                   read #2 user 1
                   presence/alice/set/result = {"ok":true,"request":{"availability":"Busy"}}
                   answers/x for 4711 = {"ok":true,"request":{"availability":"Busy"}}"#,
            ),
            (
                3.2,
                answer(2, vec![reading(1, "Busy", "Busy")]),
                "presence/alice/state = {Busy Busy since 09:00:03}
                 presence/alice/activity = Busy
                 presence/alice/availability = Busy",
            ),
            (5.0, Woken, "read #3 bulk 1,2"),
        ],
    );
}

#[test]
fn a_result_goes_nowhere_else() {
    for reply_to in
        ["", "a/+", "presence/alice/availability", "presence/alice/set", "$SYS/x", "wled/door/api"]
    {
        let mut bridge = ready(obeying(settings()));
        let commands = bridge.on(told_by("alice/set", "x", reply_to), at(3.0));
        assert_eq!(commands.iter().flat_map(results_of).count(), 1, "{reply_to}");
    }
    let long = "ä".repeat(3000);
    let mut bridge = ready(obeying(settings()));
    let commands = bridge.on(told("alice/set", &long), at(3.0));
    let [result] = commands.iter().flat_map(results_of).collect::<Vec<_>>()[..] else { panic!() };
    assert!(result.payload.len() < 1300 && result.payload.contains("ää…\""), "{}", result.payload);
}

#[test]
fn what_fails_is_answered_and_not_tried_again() {
    let forbidden = "Graph refuses to set presence; add Presence.ReadWrite.All";
    for (outcome, says) in [
        (passing(), "connection refused; the result is not known, and the command is not retried"),
        (ReadFailure::Throttled { retry_after: None }, "Graph asks for fewer requests; try again in 10s"),
        (ReadFailure::NotFound, "not found in this tenant"),
        (ReadFailure::Refused { why: "BadRequest".into() }, "Graph refused the request: BadRequest"),
        (ReadFailure::SignInRequired { advice: "the secret has expired".into() }, "the secret has expired"),
        (ReadFailure::Forbidden { advice: forbidden.into() }, forbidden),
    ] {
        let mut bridge = ready(obeying(settings()));
        bridge.on(told("alice/set", "Busy"), at(3.0));
        let commands = bridge.on(failure(1, outcome), at(3.1));
        let [result] = commands.iter().flat_map(results_of).collect::<Vec<_>>()[..] else { panic!("{says}") };
        assert!(result.payload.contains(says), "{}", result.payload);
        assert!(result.payload.ends_with(r#""request":"Busy"}"#), "{}", result.payload);
        let later = lines(&bridge.on(Woken, at(5.0)));
        assert_eq!(later, ["read #2 bulk 1,2"], "{says}");
    }
}

#[test]
fn after_a_missing_permission_there_is_a_notice_and_a_fresh_token() {
    let mut bridge = ready(obeying(settings()));
    bridge.on(told("alice/set", "Busy"), at(3.0));
    let advice = "add Presence.ReadWrite.All".to_owned();
    let said = |commands: Vec<Effect>| format!("{commands:?}").contains(r#"notices\":[\"add Presence"#);
    assert!(said(bridge.on(failure(1, ReadFailure::Forbidden { advice: advice.into() }), at(3.1))));
    let again = lines(&bridge.on(told("alice/set", "Away"), at(4.0)));
    assert_eq!(again, ["write #2 user 1 prefer Away/Away with a fresh token"]);
    let done = bridge.on(written(2), at(4.1));
    assert!(lines(&done).contains(&"presence/bridge/health = {ok}".to_owned()) && !said(done));
}

#[test]
fn a_refused_token_is_replaced_once() {
    let refused = || ReadFailure::TokenRefused { why: "expired".into() };
    let mut bridge = ready(obeying(settings()));
    run(
        &mut bridge,
        vec![
            (3.0, told("alice/set", "Busy"), "write #1 user 1 prefer Busy/Busy"),
            (3.1, failure(1, refused()), "write #2 user 1 prefer Busy/Busy with a fresh token"),
            (
                3.2,
                failure(2, refused()),
                r#"report: users[0]: a command failed: Graph refused the token: expired
                   presence/alice/set/result = {"ok":false,"error":"Graph refused the token: expired","request":"Busy"}"#,
            ),
            // A newer command makes the repeat pointless.
            (3.3, told("alice/set", "Busy"), "write #3 user 1 prefer Busy/Busy with a fresh token"),
            (3.4, told("alice/set", "Away"), ""),
            (
                3.5,
                failure(3, refused()),
                r#"report: users[0]: a command was refused: a newer command took its place
                   write #4 user 1 prefer Away/Away with a fresh token
                   presence/alice/set/result = {"ok":false,"error":"a newer command took its place","request":"Busy"}"#,
            ),
        ],
    );
}

#[test]
fn one_write_per_person_is_under_way_and_the_newest_of_a_kind_waits() {
    let mut bridge = ready(obeying(settings()));
    run(
        &mut bridge,
        vec![
            (3.0, told("alice/set", "Busy"), "write #1 user 1 prefer Busy/Busy"),
            (3.1, told("alice/set", "Away"), ""),
            (3.2, told("alice/set_status_message", "hi"), ""),
            (3.3, told("bob/set", "Away"), "write #2 user 2 prefer Away/Away"),
            (
                3.4,
                told("alice/set", "auto"),
                r#"report: users[0]: a command was refused: a newer command took its place
                   presence/alice/set/result = {"ok":false,"error":"a newer command took its place","request":"Away"}"#,
            ),
            (
                3.5,
                written(1),
                r#"report: users[0]: a command was carried out
                   read #3 user 1
                   presence/alice/set/result = {"ok":true,"request":"Busy"}"#,
            ),
            (3.5, Woken, r#"write #4 user 1 say "hi""#),
            // A command that waited for too long would surprise.
            (5.0, Woken, "read #5 bulk 1,2"),
            (
                33.4,
                Woken,
                r#"report: users[0]: a command failed: the command waited too long
                   presence/alice/set/result = {"ok":false,"error":"the command waited too long","request":"auto"}"#,
            ),
        ],
    );
}

#[test]
fn writes_count_in_the_budget_and_go_before_reads_by_turns() {
    let mut bridge = ready(obeying(changed(settings(), |it| it.accounts[0].reading.request_budget = 3)));
    run(
        &mut bridge,
        vec![
            // One read was at 0 s; each request has its place in 10.2 s.
            (9.0, told("alice/set", "Busy"), ""),
            (9.1, told("bob/set", "Busy"), ""),
            (10.3, Woken, "write #1 user 1 prefer Busy/Busy"),
            (20.5, Woken, "read #2 bulk 1,2"),
            (30.7, Woken, "write #3 user 2 prefer Busy/Busy"),
        ],
    );
}

#[test]
fn while_graph_asks_for_patience_nothing_is_asked() {
    let mut bridge = ready(obeying(settings()));
    bridge.on(told("alice/set", "Busy"), at(3.0));
    bridge.on(told("alice/set_status_message", "hi"), at(3.0));
    let wait = Some(Duration::from_secs(60));
    let commands = bridge.on(failure(1, ReadFailure::Throttled { retry_after: wait }), at(3.1));
    let answered = commands.iter().flat_map(results_of).count();
    assert_eq!((answered, writes(&commands)), (2, 0), "what waits fails as well");
    let refused = bridge.on(told("bob/set", "Busy"), at(13.1));
    assert!(format!("{refused:?}").contains("try again in 50s") && writes(&refused) == 0, "{refused:?}");
    assert_eq!(writes(&bridge.on(told("bob/set", "Busy"), at(63.1))), 1);
}

fn writes(commands: &[Effect]) -> usize {
    commands.iter().filter(|command| matches!(command, Effect::Graph(_, GraphOrder::Set(_)))).count()
}

fn may_set(bridge: &Bridge, user: &str) -> bool {
    let persons = bridge.snapshot(&PeopleQuery::first(9), at(1.0)).people_page.persons;
    persons.iter().find(|person| person.name.as_str() == user).unwrap().is_settable
}

#[test]
fn a_person_who_signed_in_sets_only_themselves() {
    let users = vec![watched("me", "me"), watched("bob", &id(2).to_string())];
    let mut bridge = online(obeying(changed(Settings { users: users.into(), ..settings() }, |it| {
        it.accounts[0].sign_in.invites = BY_CODE
    })));
    let said = |bridge: &mut Bridge, user: &str| {
        lines(&bridge.on(told(&format!("{user}/set"), "Busy"), at(1.0))).join("\n")
    };
    assert!(!may_set(&bridge, "me") && said(&mut bridge, "me").contains("no account is signed in"));

    let commands = lines(&bridge.on(signed_in(1, false), at(1.0)));
    assert!(!commands.join("\n").contains("set by commands"), "{commands:?}");
    assert!(!may_set(&bridge, "me") && said(&mut bridge, "me").contains("run `presence2mqtt login` again"));

    let commands = lines(&bridge.on(signed_in(1, true), at(1.0)));
    assert!(commands.contains(&"report: users[0] can be set by commands".to_owned()), "{commands:?}");
    assert!(may_set(&bridge, "me") && !may_set(&bridge, "bob"));
    let me = said(&mut bridge, "me");
    assert!(me.contains("me prefer Busy/Busy with a fresh token"), "the old one lacks the permission: {me}");
    assert!(said(&mut bridge, "bob").contains("only that person's own presence"));

    let commands = lines(&bridge.on(signed_in(2, true), at(1.0)));
    assert!(commands.contains(&"report: users[1] can be set by commands".to_owned()), "{commands:?}");
    assert!(may_set(&bridge, "bob"), "their object id is that of the account");
    assert!(may_set(&bridge, "me"), "whoever signs in is `me`");
}

#[test]
fn an_app_sets_whom_it_knows_and_sessions_only_with_its_id() {
    let users = vec![watched("alice", "alice@contoso.example")];
    let mut bridge = online(obeying(Settings { users: users.into(), ..settings() }));
    assert!(!may_set(&bridge, "alice"));
    let said = lines(&bridge.on(told("alice/set", "Busy"), at(1.0))).join("\n");
    assert!(said.contains("not known yet"), "{said}");
    let commands = lines(&bridge.on(resolved(0, Ok(id(1))), at(1.1)));
    assert!(commands.contains(&"report: users[0] can be set by commands".to_owned()), "{commands:?}");
    assert!(may_set(&bridge, "alice"));

    let mut bridge = ready(Settings { commands: Some(Commands { response_topic: None }), ..settings() });
    let session = r#"{"kind":"session","availability":"Away"}"#;
    let said = lines(&bridge.on(told("alice/set", session), at(3.0))).join("\n");
    assert!(said.contains("graph.client_id"), "{said}");
    assert_eq!(writes(&bridge.on(told("alice/set", "Away"), at(3.0))), 1);
}

#[test]
fn commands_are_listened_to_while_they_are_enabled() {
    let mut bridge = claimed(obeying(settings()), 1, at(0.0));
    bridge.on(Event::Started, at(0.0));
    let asked = lines(&bridge.on(Event::Connected, at(0.0)));
    let filters = "presence/+/set presence/+/set_status_message";
    assert!(
        asked.contains(&format!(
            "subscribe presence/bridge/refresh presence/bridge/state presence/bridge/standby/ping {filters}"
        )),
        "{asked:?}"
    );

    let mut bridge = ready(settings());
    let configured = |settings: Settings| Event::Configured(Box::new(settings), vec![Access::Same]);
    let on = lines(&bridge.on(configured(obeying(settings())), at(3.0)));
    assert!(on.contains(&format!("subscribe {filters}")), "{on:?}");
    bridge.on(told("alice/set", "Busy"), at(3.1));
    let off = lines(&bridge.on(configured(settings()), at(3.2))).join("\n");
    assert!(off.contains(&format!("unsubscribe {filters}")), "{off}");
    assert!(off.contains("the configuration was read again meanwhile"), "{off}");
    assert_eq!(lines(&bridge.on(told("alice/set", "Busy"), at(3.3))), [""; 0]);
}

#[test]
fn results_wait_for_the_broker() {
    let mut bridge = ready(obeying(settings()));
    bridge.on(told("alice/set", "Busy"), at(3.0));
    bridge.on(lost(), at(3.1));
    let commands = bridge.on(written(1), at(3.2));
    assert_eq!(commands.iter().flat_map(results_of).count(), 0);
    let commands = bridge.on(Event::Connected, at(4.0));
    assert_eq!(commands.iter().flat_map(results_of).count(), 1);
}

#[test]
fn after_a_sleep_nobody_knows_what_became_of_a_write() {
    let mut bridge = ready(obeying(settings()));
    bridge.on(told("alice/set", "Busy"), at(3.0));
    let commands = bridge.on(Woken, at_after_sleep(4.0, 20.0));
    let [result] = commands.iter().flat_map(results_of).collect::<Vec<_>>()[..] else { panic!() };
    assert!(result.payload.contains("the machine slept meanwhile"), "{}", result.payload);
    assert_eq!(lines(&bridge.on(written(1), at_after_sleep(4.1, 20.0))), [""; 0], "the end of nothing");
}

#[test]
fn what_waits_has_a_limit() {
    let users: Vec<User> = (1..=90).map(|n| watched(&format!("u{n}"), &id(n).to_string())).collect();
    let mut bridge = online(obeying(Settings { users: users.into(), ..settings() }));
    let told_all: Vec<Effect> =
        (1..=90).flat_map(|n| bridge.on(told(&format!("u{n}/set"), "Busy"), at(1.0))).collect();
    let refused = told_all.iter().flat_map(results_of).filter(|m| m.payload.contains("too many commands"));
    assert_eq!((writes(&told_all), refused.count()), (13, 90 - 13 - 64), "as many as may catch up");
    // The newer of two takes the place of the older, however many wait.
    let newer = bridge.on(told("u20/set", "Away"), at(1.0));
    assert!(format!("{newer:?}").contains("a newer command took its place"), "{newer:?}");
    let later: Vec<Effect> = (0..200).flat_map(|n| bridge.on(Woken, at(1.0 + f64::from(n) * 0.05))).collect();
    assert_eq!(writes(&later), 3, "sixteen are under way");
}
