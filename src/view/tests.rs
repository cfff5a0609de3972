//! Messages in, lines out.

use std::collections::BTreeMap;

use jiff::Timestamp;

use super::frame::{Around, Layout, frame};
use super::picture::Picture;
use crate::core::model::event::Incoming;
use crate::core::model::name::TopicLevel;

const ALICE: (&str, &str) = (
    "alice/state",
    r#"{"availability":"Busy","activity":"InACall","since":"2026-11-23T09:14:22Z","bridge":"one","more":1}"#,
);

const GRAPH: (&str, &str) = (
    "bridge/health",
    r#"{"graph":"ok","since":"2026-11-23T09:00:00Z","last_success":null,"detail":null,"notices":[]}"#,
);

fn empty() -> Picture {
    Picture::new(&"presence".parse().unwrap(), &"bridge".parse().unwrap())
}

/// The picture after these messages, and what was new with each.
fn heard(picture: &mut Picture, messages: &[(&str, &str)]) -> Vec<String> {
    let take = |&(topic, payload): &(&str, &str)| {
        let topic = format!("presence/{topic}");
        picture.take(&Incoming { topic, payload: payload.into(), retained: false, reply_to: None })
    };
    messages.iter().flat_map(take).collect()
}

fn around(names: &BTreeMap<TopicLevel, String>) -> Around<'_> {
    let now: Timestamp = "2026-11-23T09:26:30Z".parse().unwrap();
    Around { names, lost: None, now, width: None, height: None, first: 0, turns: false }
}

fn text(picture: &Picture, around: &Around<'_>, colours: bool) -> Vec<String> {
    frame(picture, around, &mut Layout::default())
        .iter()
        .map(|line| line.render(around.width, colours))
        .collect()
}

/// The table after these messages, without what is above it.
fn table(messages: &[(&str, &str)]) -> Vec<String> {
    let mut picture = empty();
    heard(&mut picture, messages);
    let lines = text(&picture, &around(&BTreeMap::new()), false);
    let above = lines.iter().position(String::is_empty).unwrap();
    lines.into_iter().skip(above + 1).collect()
}

#[test]
fn news_comes_once_and_as_a_whole() {
    let news = heard(
        &mut empty(),
        &[
            ("bridge/state", "online"),
            ("bridge/health", "{}"),
            GRAPH,
            GRAPH,
            ("alice/health", "stale"),
            ALICE,
            ("alice/activity", "InACall"),
            ("alice/availability", "Busy"),
            ("alice/health", "ok"),
            ALICE,
            ("alice/availability", "PresenceUnknown"),
            ("alice/set/result", "{}"),
            ("alice/state", "not json"),
            ("a b/state", "{}"),
            ("bridge/sign_in", r#"{"verification_uri":"https://x.example/","user_code":"ABC"}"#),
            ("bridge/sign_in", r#"{"verification_uri":"https://x.example/","user_code":null}"#),
            ("bridge/sign_in", ""),
            ("bridge/state", "offline"),
        ],
    );
    assert_eq!(
        news,
        [
            "the bridge is online",
            "the bridge says Graph is ok",
            "alice: health is stale",
            "alice: Busy, InACall since 2026-11-23T09:14:22Z",
            "alice: health is ok",
            "alice: PresenceUnknown",
            "sign-in required: open https://x.example/ and enter the code ABC",
            "sign-in required: run `presence2mqtt login --browser` where the bridge runs",
            "the bridge is offline",
        ]
    );
}

#[test]
fn everybody_with_what_is_known() {
    let messages = [
        ("bridge/state", "online"),
        GRAPH,
        ALICE,
        ("alice/availability", "Busy"),
        ("alice/activity", "InACall"),
        ("alice/health", "ok"),
        ("bob/availability", "Away"),
        ("bob/health", "stale"),
    ];
    let mut picture = empty();
    heard(&mut picture, &messages);
    let names = BTreeMap::from([("alice".parse().unwrap(), "Alice Anders".to_owned())]);
    assert_eq!(
        text(&picture, &around(&names), false),
        [
            "the bridge is online, Graph ok for 26m",
            "",
            "USER   NAME          AVAILABILITY  ACTIVITY  SINCE  HEALTH",
            "alice  Alice Anders  Busy          InACall   12m    ok",
            "bob                  Away                           in doubt: stale",
        ]
    );
    let coloured = text(&picture, &around(&names), true);
    assert!(coloured[3].contains("\x1b[31mBusy        \x1b[0m  InACall"), "{coloured:?}");
    assert!(coloured[4].starts_with("\x1b[2mbob  \x1b[0m"), "{coloured:?}");
    let narrow = Around { width: Some(20), ..around(&names) };
    assert_eq!(text(&picture, &narrow, false)[3], "alice  Busy        …");
    for (first, turns, who, expected) in [
        (0, false, "alice", "1 to 1 of 2"),
        (1, true, "bob", "2 to 2 of 2; Enter shows the next page"),
        (2, true, "alice", "1 to 1 of 2; Enter shows the next page"),
    ] {
        let low = Around { height: Some(5), first, turns, ..around(&names) };
        let lines = text(&picture, &low, false);
        assert!(lines[3].starts_with(who) && lines[4] == expected, "{lines:?}");
    }
    let lost = Around { lost: Some("the broker is silent"), width: Some(40), ..around(&names) };
    let lines = text(&picture, &lost, false);
    assert_eq!(lines[..2], ["no connection to the broker: the broker", "is silent; trying again"]);
    assert_eq!(lines[2], "the bridge was online, Graph ok for 26m");
    assert!(lines[5].starts_with("alice  Busy"), "{lines:?}");
}

#[test]
fn who_is_shown_first_stays_so_when_there_is_less_room() {
    let mut picture = empty();
    for n in 1..=40 {
        heard(&mut picture, &[(&format!("p{n:02}/health"), "ok")]);
    }
    let (names, mut layout) = (BTreeMap::new(), Layout::default());
    let mut shown = |first, height| {
        let low = Around { height: Some(height), first, ..around(&names) };
        let lines = frame(&picture, &low, &mut layout);
        let who = lines[3].render(None, false).split(' ').next().unwrap().to_owned();
        (who, lines.last().unwrap().render(None, false), layout.next)
    };
    assert_eq!(shown(0, 25), ("p01".to_owned(), "1 to 21 of 40".to_owned(), 21));
    assert_eq!(shown(21, 25), ("p22".to_owned(), "22 to 40 of 40".to_owned(), 0));
    assert_eq!(shown(21, 11), ("p22".to_owned(), "22 to 28 of 40".to_owned(), 28));
}

#[test]
fn who_is_asked_for_and_not_there_is_said() {
    let only = ["alice", "zoe"].map(|name| name.parse().unwrap());
    let mut picture = empty().of(only.into());
    heard(&mut picture, &[("bridge/state", "online"), ALICE, ("alice/health", "ok"), ("bob/health", "ok")]);
    let lines = text(&picture, &around(&BTreeMap::new()), false);
    assert!(lines[3].starts_with("alice ") && lines.len() == 5, "{lines:?}");
    assert_eq!(lines[4], "zoe is not on the broker, or this user may not read it");
    let nobody = text(&empty().of(["zoe".parse().unwrap()].into()), &around(&BTreeMap::new()), false);
    assert_eq!(nobody.last(), Some(&lines[4]));
}

#[test]
fn values_count_only_while_their_bridge_is_online_and_their_health_is_ok() {
    let alice = [ALICE, ("alice/health", "ok")];
    let last = |more: &[(&str, &str)]| {
        let table = table(&[&alice, more].concat());
        table.last().unwrap().rsplit("  ").next().unwrap().to_owned()
    };
    for (more, expected) in [
        (&[("bridge/state", "online")][..], "ok"),
        (&[], "in doubt: no bridge"),
        (&[("bridge/state", "offline")], "in doubt: bridge offline"),
        (&[("bridge/state", "online"), ("alice/health", "forbidden")], "in doubt: forbidden"),
        (&[("bridge/state", "online"), ("alice/health", "")], "in doubt: no health"),
        (
            // Another bridge's person is that one's to answer for.
            &[("bridge/state", "offline"), ("two/state", "online"), ("two/info", r#"{"bridge":"one"}"#)],
            "ok",
        ),
        (
            &[("bridge/state", "online"), ("two/state", "offline"), ("two/info", r#"{"bridge":"one"}"#)],
            "in doubt: bridge offline",
        ),
    ] {
        assert_eq!(last(more), expected, "{more:?}");
    }
}

#[test]
fn a_hostile_bridge_does_not_fill_the_screen() {
    let notices = serde_json::json!({ "graph": "ok", "notices": vec!["look"; 1000] }).to_string();
    let mut picture = empty();
    heard(&mut picture, &[("bridge/state", "online"), ("bridge/health", &notices)]);
    let lines = text(&picture, &around(&BTreeMap::new()), false);
    assert_eq!(lines.iter().filter(|line| line.contains("note: look")).count(), 20);
}

#[test]
fn whoever_is_emptied_is_gone() {
    let there = [("bridge/state", "online"), ALICE, ("alice/health", "ok"), ("alice/availability", "Busy")];
    let mut picture = empty();
    heard(&mut picture, &there);
    let gone = [("alice/health", ""), ("alice/availability", ""), ("alice/state", ""), ("bridge/state", "")];
    assert_eq!(heard(&mut picture, &gone), ["alice is gone", "the bridge is gone"]);
    assert_eq!(
        table(&[&there[..], &gone].concat()),
        ["no people on the broker yet, or this user may not read them"]
    );
}

#[test]
fn what_changed_while_nobody_listened_is_news() {
    let mut before = empty();
    heard(&mut before, &[("bridge/state", "online"), ALICE, ("bob/health", "ok"), ("carol/health", "ok")]);
    let mut after = before.afresh();
    heard(&mut after, &[("bridge/state", "offline"), ALICE, ("carol/health", "stale")]);
    assert_eq!(after.news(&before), ["the bridge is offline", "bob is gone", "carol: health is stale"]);
}

#[test]
fn nothing_that_comes_is_obeyed_by_the_terminal() {
    let lines =
        table(&[("bridge/state", "online"), ("eve/availability", "\x1b[2J\r\n"), ("eve/health", "\x07ok")]);
    assert!(lines.iter().all(|line| !line.contains(char::is_control)), "{lines:?}");
    let huge = "x".repeat(70_000);
    assert!(heard(&mut empty(), &[("eve/health", &huge)]).is_empty());
}
