//! Graph's answers about members of groups, from the body to the names that are published.

use std::collections::BTreeSet;
use std::time::Duration;

use presence2mqtt::core::bridge::Bridge;
use presence2mqtt::core::model::account::AccountId;
use presence2mqtt::core::model::effect::{BrokerOrder, Effect, Ending, GraphOrder};
use presence2mqtt::core::model::event::{Event, LinkFailure, PresenceEvent};
use presence2mqtt::core::model::members::MembersPage;
use presence2mqtt::core::model::name::TopicLevel;
use presence2mqtt::core::model::request::Ended;
use presence2mqtt::core::model::settings::{Group, Settings};
use presence2mqtt::core::model::time::{Now, Tick};
use presence2mqtt::graph::members::{address, page, path};
use url::Url;

use super::said;
use super::world::{nine, settings};

const GROUP: &str = "02bd9fd6-8f93-4758-87c3-1fb73740a315";

/// `input` is a body.
pub(super) fn check(input: &[u8]) {
    let path = path(GROUP.parse().unwrap()).join("/");
    let first: Url = format!("https://graph.example/v1.0/{path}").parse().unwrap();
    let page = match page(input, &first) {
        Ok(page) => page,
        Err(error) => return said::sentence(&error.to_string()),
    };
    for member in &page.members {
        for (name, longest) in [(&member.principal_name, 320), (&member.display_name, 128)] {
            let is_good = |name: &str| {
                (1..=longest).contains(&name.chars().count()) && !name.contains(char::is_control)
            };
            assert!(name.as_deref().is_none_or(is_good), "{name:?}");
        }
    }
    if let Some(next) = &page.next {
        let address = address(&first, Some(next));
        assert_eq!(address.origin(), first.origin(), "{address}");
        let below = address.path().strip_prefix(first.path()).unwrap_or_else(|| panic!("{address}"));
        assert!(below.is_empty() || below.starts_with('/'), "{address}");
        assert!(address.username().is_empty() && address.password().is_none(), "{address}");
    }
    for pattern in ["{upn_local}", "{display_name}", "x-{id}"] {
        published(pattern, page.clone());
    }
}

/// Who is published once the group was read: names that are topic levels, each once ignoring case.
fn published(pattern: &str, mut page: MembersPage) {
    page.next = None;
    page.counted = None;
    let name = pattern.parse().unwrap();
    let id = GROUP.parse().unwrap();
    let refresh_members = Duration::from_secs(3600);
    let groups = vec![Group { id, name, refresh_members, discovery: true, account: AccountId::FIRST }];
    let now = Now { tick: Tick::default(), wall: nine() };
    let mut bridge = Bridge::new(Settings { users: [].into(), groups, ..settings() }, 1, now);
    let mut commands = bridge.on(Event::Started, now);
    // A visitor who meets nobody, and then the bridge itself.
    let after = |seconds| Now { tick: now.tick + Duration::from_secs(seconds), wall: now.wall };
    let gone = Event::Disconnected(LinkFailure::Closed);
    for (event, at) in [(Event::Connected, now), (Event::Woken, after(3)), (gone, after(3))] {
        commands.extend(bridge.on(event, at));
    }
    commands.extend(bridge.on(Event::Connected, after(3)));
    let later = after(10);
    commands.extend(bridge.on(Event::Woken, later));
    let first = commands.iter().find_map(|command| {
        let Effect::Graph(_, GraphOrder::ReadMembers(asked)) = command else { return None };
        asked.operation.page.is_none().then_some(asked.id)
    });
    let ended = Ended { request: first.expect("the group is read"), further: 0, outcome: Ok(page) };
    let mut commands = bridge.on(Event::Presence(AccountId::FIRST, PresenceEvent::Members(ended)), later);
    let (mut topics, mut spellings) = (BTreeSet::new(), BTreeSet::new());
    while !commands.is_empty() {
        let mut sent = 0;
        for command in std::mem::take(&mut commands) {
            match command {
                Effect::Report(report) => said::sentence(&report.to_string()),
                Effect::Finish(Ending::Conflict(sentence)) => return said::sentence(&sentence),
                Effect::Broker(BrokerOrder::Disconnect) => {
                    commands.extend(bridge.on(Event::Disconnected(LinkFailure::Closed), later));
                }
                Effect::Broker(BrokerOrder::Publish(messages)) => {
                    sent += messages.len();
                    let health = messages.iter().filter_map(|message| message.topic.strip_suffix("/health"));
                    for user in health.filter_map(|user| user.strip_prefix("presence/")) {
                        assert!(user.parse::<TopicLevel>().is_ok(), "{user:?}");
                        if user != "bridge" && topics.insert(user.to_owned()) {
                            assert!(!user.eq_ignore_ascii_case("bridge"), "{user:?}");
                            assert!(spellings.insert(user.to_lowercase()), "{user:?} comes twice");
                        }
                    }
                }
                Effect::Graph(_, _)
                | Effect::SignIn(_, _)
                | Effect::Answer(..)
                | Effect::Broker(_)
                | Effect::Finish(Ending::Stopped) => {}
            }
        }
        if sent > 0 {
            commands.extend(bridge.on(Event::Acknowledged(sent), later));
        }
    }
}
