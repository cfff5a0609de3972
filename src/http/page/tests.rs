//! The page itself: what it shows of whom, and whether it can be read.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::*;
use crate::core::bridge::Bridge;
use crate::core::model::account::AccountId;
use crate::core::model::event::{Event, LinkFailure, PresenceEvent};
use crate::core::model::presence::Presence;
use crate::core::model::request::{Ended, ReadFailure, Reading, RequestId};
use crate::core::model::sign_in::{InvitationId, ShownInvitation, SignInEvent};
use crate::core::model::time::{Now, Tick};
use crate::core::model::words::PresenceWords;
use crate::http::filter;

fn at(seconds: u64) -> Now {
    let nine: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
    let tick = Tick(Duration::from_secs(seconds));
    Now { tick, wall: nine + tick.0 }
}

fn id(n: usize) -> String {
    format!("00000000-0000-4000-8000-{n:012}")
}

/// A bridge to which a person signs in, with this configuration besides.
fn bridge(more: &str) -> Bridge {
    configured(&format!("state_dir = \"/nowhere\"\n{more}"))
}

/// A bridge with this configuration besides what every one needs.
fn configured(more: &str) -> Bridge {
    let text = format!(
        "[mqtt]\nurl = \"mqtt://localhost\"\n[graph]\ntenant_id = \"contoso.example\"\n\
         client_id = \"11111111-2222-3333-4444-555555555555\"\n{more}"
    );
    let config = crate::config::parse(&text, "test.toml".as_ref(), &Default::default()).unwrap();
    let mut bridge = Bridge::new(crate::run::settings(&config), 1, at(0)).claimed();
    bridge.on(Event::Started, at(0));
    bridge
}

/// One that follows so many people, of whom it has read all but the last.
fn with_people(count: usize) -> Bridge {
    let user = |n: usize| {
        format!("[[users]]\nname = \"u{n:03}\"\nid = \"{}\"\ndisplay_name = \"Person {n}\"\n", id(n))
    };
    let mut bridge = bridge(&(1..=count).map(user).collect::<String>());
    let reading = |n: usize| {
        let words = ["Available", "Busy", "Away"][n % 3];
        let words = PresenceWords::from_graph(words, Some(words)).unwrap();
        let presence = Presence { out_of_office: Some(n.is_multiple_of(10)), ..Presence::of(words) };
        Reading { id: id(n).parse().unwrap(), presence: Some(presence) }
    };
    bridge.on(read(0, Ok((1..count).map(reading).collect())), at(1));
    bridge
}

fn read(request: u64, outcome: Result<Vec<Reading>, ReadFailure>) -> Event {
    let ended = Ended { request: RequestId::new(request), further: 0, outcome };
    Event::Presence(AccountId::FIRST, PresenceEvent::Read(ended))
}

/// The page at this address.
fn page(bridge: &Bridge, query: &str, now: u64) -> String {
    let wanted = filter::wanted(Some(query));
    let snapshot = bridge.snapshot(&wanted, at(now));
    Page::new().render(&snapshot, &View { wanted, told: None }, "mqtt://localhost:1883", None).unwrap()
}

/// Of each row of people the name in bold.
fn names(page: &str) -> Vec<&str> {
    let rows = page.split("<li id=\"person-").skip(1);
    rows.map(|row| row.split("<b>").nth(1).unwrap().split("</b>").next().unwrap()).collect()
}

#[test]
fn few_people_need_no_search() {
    let page = page(&with_people(8), "", 2);
    assert!(page.contains("<form role=\"search\" method=\"get\" hidden>"), "{page}");
    assert!(page.contains("<ul class=\"counts\" aria-label=\"People by state\" hidden>"), "{page}");
    assert!(page.contains("content=\"5\""), "nobody types here: {page}");
    assert_eq!(names(&page).len(), 8);
}

#[test]
fn all_of_many_people_are_reachable_by_links_alone() {
    let bridge = with_people(250);
    let (mut address, mut seen) = (String::new(), BTreeSet::new());
    let mut visited = 0;
    loop {
        let page = page(&bridge, &address, 2);
        seen.extend(names(&page).into_iter().map(str::to_owned));
        visited += 1;
        let Some((before, _)) = page.split_once("\" rel=\"next\"") else { break };
        address = before.rsplit_once("href=\"?").unwrap().1.replace("&amp;", "&");
    }
    assert_eq!((seen.len(), visited), (250, 3));

    let first = page(&bridge, "", 2);
    for expected in [
        "1 to 100 of 250",
        "content=\"30\"",
        "All <b>250</b>",
        "<a href=\"?state=busy\" class=\"busy\">Busy <b>83</b>",
    ] {
        assert!(first.contains(expected), "{expected} in {first}");
    }
    assert!(!first.contains("rel=\"prev\""), "{first}");
    let second = page(&bridge, "state=busy&q=person&page=9", 2);
    assert_eq!(names(&second).len(), 83, "the last page there is");
    for expected in [
        "value=\"person\"",
        "name=\"state\" value=\"busy\"",
        "href=\"?q=person&amp;state=busy\" class=\"busy\" aria-current=\"true\"",
        "href=\"?q=person\" class=\"all\">All <b>250</b>",
        "<nav class=\"pages\" aria-label=\"Pages of people\" hidden>",
    ] {
        assert!(second.contains(expected), "{expected} in {second}");
    }
}

#[test]
fn what_somebody_searches_for_is_text() {
    let bridge = with_people(3);
    let page = page(&bridge, "q=%22%3E%3Cscript%3Ealert(1)%3C/script%3E%0A%E2%80%AE", 2);
    assert!(
        page.contains("value=\"&quot;&gt;&lt;script&gt;alert(1)&lt;&#x2f;script&gt; \u{fffd}\""),
        "{page}"
    );
    assert_eq!(page.matches("<script>").count(), 1);
    assert!(page.contains("No one matches this search.") && names(&page).is_empty(), "{page}");
    assert!(!page.contains("<form role=\"search\" method=\"get\" hidden>"), "the way back is there: {page}");
}

#[test]
fn a_first_run_says_what_happens_next() {
    let title =
        |page: &str| page.split("<title>").nth(1).unwrap().split("</title>").next().unwrap().to_owned();
    let group = configured(
        "[graph.auth]\nmethod = \"client-secret\"\nclient_secret = \"a-secret\"\n\
                        [[groups]]\nid = \"02bd9fd6-8f93-4758-87c3-1fb73740a315\"\n",
    );
    let empty = page(&group, "", 1);
    assert!(empty.contains("No people yet. Members of a group appear here"), "{empty}");
    assert!(empty.contains("class=\"lamp new\"") && title(&empty) == "presence2mqtt", "{empty}");

    let mut person = bridge("");
    let starting = page(&person, "", 1);
    assert!(
        starting.contains("Waiting for the first answer") && starting.contains("Starting."),
        "{starting}"
    );
    assert!(starting.contains("Not read yet") && !starting.contains("class=\"badge"), "{starting}");
    person.on(read(0, Err(ReadFailure::SignInRequired { advice: "no account is signed in".into() })), at(1));
    let unasked = page(&person, "", 2);
    assert!(
        unasked.contains("class=\"lamp bad\"") && unasked.contains("no account is signed in"),
        "{unasked}"
    );
    let shown = ShownInvitation {
        verification_uri: "https://login.example/device".parse().unwrap(),
        user_code: Some("ABCD1234".into()),
        expires_at: at(900).wall,
    };
    let invited = SignInEvent::Invited(InvitationId::new(1), shown);
    person.on(Event::SignIn(AccountId::FIRST, invited), at(3));
    let asked = page(&person, "", 4);
    for expected in [
        "class=\"lamp new\"",
        "Sign in to begin.",
        "then a new code appears",
        "Presence appears here a few seconds after the sign-in.",
        "<section class=\"notices\" aria-labelledby=\"notices\" hidden>",
    ] {
        assert!(asked.contains(expected), "{expected} in {asked}");
    }
    assert_eq!(title(&asked), "Sign in – presence2mqtt");
    // Here they sign in, and on no terminal.
    assert!(!asked.contains("<p class=\"quiet\">no account is signed in"), "{asked}");
    person.on(Event::Disconnected(LinkFailure::Lost("connection refused".into())), at(5));
    let lost = page(&person, "", 5);
    assert!(lost.contains("class=\"lamp bad\"") && title(&lost) == "⚠ presence2mqtt", "{lost}");
}

#[test]
fn whoever_is_out_of_office_has_a_badge_unless_the_activity_says_so() {
    let page = page(&with_people(21), "", 2);
    assert_eq!(page.matches("<span class=\"badge\">out of office</span>").count(), 2, "{page}");
    let mut bridge = bridge(&format!("[[users]]\nname = \"alice\"\nid = \"{}\"\n", id(1)));
    let words = PresenceWords::from_graph("Away", Some("OutOfOffice")).unwrap();
    let presence = Some(Presence { out_of_office: Some(true), ..Presence::of(words) });
    bridge.on(read(0, Ok(vec![Reading { id: id(1).parse().unwrap(), presence }])), at(1));
    let page = self::page(&bridge, "", 2);
    assert!(page.contains("Out of office · Away") && !page.contains("class=\"badge"), "{page}");
}

#[test]
fn there_is_a_way_to_the_documents() {
    let page = page(&with_people(1), "", 2).replace("&#x2f;", "/");
    for expected in ["/presence2mqtt/blob/HEAD/docs\"", "/blob/HEAD/docs/troubleshooting.md\""] {
        assert!(page.contains(expected), "{expected} in {page}");
    }
}

#[test]
fn every_mood_has_an_icon_of_its_own() {
    let mut environment = Environment::new();
    environment.add_template("icon", include_str!("icon.html")).unwrap();
    let icon = environment.get_template("icon").unwrap();
    let icons = ["good", "new", "fair", "bad", "gone"].map(|mood| icon.render(context! { mood }).unwrap());
    for icon in &icons {
        let svg = icon.strip_prefix("data:image/svg+xml,%3Csvg ").unwrap();
        assert!(svg.ends_with("%3C/svg%3E") && !svg.contains(['"', '#', '<', '\n']), "{icon}");
    }
    assert_eq!(icons.iter().collect::<BTreeSet<_>>().len(), icons.len());
    let page = page(&with_people(1), "", 2);
    assert!(
        page.contains(&format!("data-gone=\"{}\"", icons[4])),
        "the script needs it when nobody answers: {page}"
    );
}

/// The colours of both themes by name.
fn themes() -> [BTreeMap<&'static str, &'static str>; 2] {
    let colours = |block: &'static str| {
        let entries = block.split('}').next().unwrap().split(';').filter_map(|entry| entry.split_once(':'));
        entries.map(|(name, colour)| (name.trim(), colour.trim())).collect()
    };
    let mut blocks = STYLE.split(":root {").skip(1).map(colours);
    let themes = [blocks.next().unwrap(), blocks.next().unwrap()];
    assert_eq!(blocks.next(), None);
    themes
}

/// Relative luminance (WCAG 2.2).
fn luminance(colour: &str) -> f64 {
    let digits = colour.strip_prefix('#').unwrap();
    let channel = |n: usize| {
        let part =
            if digits.len() == 3 { digits[n..=n].repeat(2) } else { digits[2 * n..2 * n + 2].to_owned() };
        let part = f64::from(u8::from_str_radix(&part, 16).unwrap()) / 255.0;
        if part <= 0.04045 { part / 12.92 } else { ((part + 0.055) / 1.055).powf(2.4) }
    };
    0.2126 * channel(0) + 0.7152 * channel(1) + 0.0722 * channel(2)
}

fn contrast(one: &str, other: &str) -> f64 {
    let (one, other) = (luminance(one), luminance(other));
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

#[test]
fn every_colour_is_seen_in_both_themes() {
    assert!(
        (contrast("#fff", "#000000") - 21.0).abs() < 0.001 && (contrast("#777", "#fff") - 4.478).abs() < 0.01
    );
    // Text, and what is under it: AA is 4.5 (WCAG 2.2, 1.4.3). What is drawn: 3 (1.4.11).
    let text: [(&[&str], &[&str]); 5] = [
        (&["ink", "quiet", "link"], &["ground", "card", "fair-ground", "sign-in"]),
        (&["good", "fair", "bad"], &["card"]),
        (&["fair"], &["fair-ground"]),
        (&["on-bad"], &["bad"]),
        (&["card"], &["ink"]),
    ];
    let drawn: [(&[&str], &[&str]); 3] = [
        (&["available", "busy", "away", "offline", "edge"], &["card"]),
        (&["good", "fair", "bad", "link", "edge"], &["ground", "card"]),
        (&["link"], &["sign-in"]),
    ];
    for colours in themes() {
        let of = |name: &str| colours[format!("--{name}").as_str()];
        for (least, pairs) in [(4.5, text.as_slice()), (3.0, drawn.as_slice())] {
            for (over, under) in pairs.iter().flat_map(|(overs, unders)| {
                overs.iter().flat_map(move |over| unders.iter().map(move |under| (over, under)))
            }) {
                let ratio = contrast(of(over), of(under));
                assert!(ratio >= least, "{over} {} on {under} {}: {ratio:.2}", of(over), of(under));
            }
        }
    }
}

#[test]
fn every_colour_is_defined_in_both_themes_and_used() {
    let [light, dark] = themes();
    let used: BTreeSet<&str> =
        STYLE.split("var(").skip(1).map(|rest| rest.split(')').next().unwrap()).collect();
    assert!(used.len() > 10, "{used:?}");
    for theme in [light, dark] {
        assert_eq!(theme.keys().copied().collect::<BTreeSet<_>>(), used);
    }
}
