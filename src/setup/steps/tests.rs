//! The decisions of the set-up as a table: answers and outcomes in, orders and steps out.

use super::*;
use crate::config::{Cloud, Given};
use crate::core::model::sign_in::{LandingAddress, SignedIn};
use crate::setup::draft::NO_APP;

const TENANT: &str = "0f1e2d3c-4b5a-4678-9a0b-c1d2e3f4a5b6";
const APP: &str = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";

fn setup() -> Setup {
    Setup::new(Draft::new(), Existing::default())
}

fn go(url: &str, username: &str, password: &str) -> Answer {
    let password = password.to_owned().into();
    Answer::Broker { url: url.to_owned(), username: username.to_owned(), password }
}

fn discovered() -> Outcome {
    Outcome::Discovered(Ok((TENANT.parse().unwrap(), Cloud::UsGovL4)))
}

fn light(topic: &str) -> FoundLight {
    FoundLight { preset: "wled", topic: topic.to_owned(), label: "office".to_owned(), object: None }
}

fn refused(wants_a_name: bool) -> Outcome {
    Outcome::Tried(Err(NoBroker { wants_a_name, why: "refused: 5".to_owned() }))
}

fn signed_in(who: &str) -> Outcome {
    let account = SignedIn { username: who.into(), object_id: TENANT.parse().unwrap(), may_write: false };
    Outcome::SignIn(SignInEvent::Account(Some(account)))
}

fn nobody() -> Outcome {
    Outcome::SignIn(SignInEvent::Account(None))
}

fn ended(end: InvitationEnd) -> Outcome {
    Outcome::SignIn(SignInEvent::Ended(InvitationId::default(), end))
}

fn invite(by: SignInBy, port: Option<u16>) -> Vec<Order> {
    vec![Order::SignIn(SignInOrder::InviteAnybody(InvitationId::default(), by, port))]
}

/// At the beginning of this step, after the work with which it begins.
fn at(step: Step) -> Setup {
    let mut setup = setup();
    let way = [
        (Step::Address, Answer::Address("alice@contoso.example".to_owned()), Some(discovered())),
        (Step::App, Answer::App(APP.to_owned()), Some(Outcome::Usual(None))),
        (Step::Broker, go("broker.example", "", ""), Some(Outcome::Tried(Ok(())))),
        (Step::SignIn, Answer::Continue, Some(Outcome::Lights(Ok(vec![light("wled/a"), light("wled/b")])))),
    ];
    for (now, answer, outcome) in way.into_iter().filter(|(now, ..)| *now < step) {
        setup.answer(now, answer);
        outcome.map(|outcome| setup.outcome(outcome));
        // Each test says itself who is signed in.
        setup.work.take_if(|words| *words == LOOKING);
    }
    assert_eq!((setup.step, setup.work, &setup.wrong), (step, None, &None));
    setup
}

#[test]
fn from_nothing_to_files_with_nothing_that_is_not_ordered() {
    let mut setup = setup();
    assert_eq!(setup.begin(), []);
    let orders = setup.answer(Step::Address, Answer::Address(" alice@contoso.example\n".to_owned()));
    assert_eq!((orders, setup.work.is_some()), (vec![Order::Discover], true));
    assert_eq!(setup.outcome(discovered()), []);
    assert_eq!((setup.draft.tenant.as_str(), setup.draft.cloud), (TENANT, Cloud::UsGovL4));
    assert_eq!(setup.answer(Step::App, Answer::App(APP.to_uppercase())), [Order::LookForBroker]);
    assert_eq!(setup.outcome(Outcome::Usual(Some("localhost:1883".to_owned()))), [Order::TryBroker]);
    assert_eq!(setup.outcome(refused(true)), []);
    assert_eq!(setup.view().broker.as_deref(), Some("mqtt://localhost:1883"));
    assert_eq!(setup.answer(Step::Broker, go("10.0.0.2", "bridge", "s3cret")), [Order::TryBroker]);
    assert_eq!(setup.outcome(Outcome::Tried(Ok(()))), [Order::Attend]);
    assert_eq!(setup.outcome(nobody()), invite(SignInBy::DeviceCode, None));
    setup.outcome(invited("", Some("AB12")));
    setup.seen(Some(9642));
    let by_browser = setup.answer(Step::SignIn, Answer::SignIn(SignInBy::Browser));
    assert_eq!(by_browser, invite(SignInBy::Browser, Some(9642)));
    assert_eq!(setup.outcome(ended(InvitationEnd::SignedIn)), [Order::ReadPresence]);
    assert_eq!(setup.outcome(signed_in("alice@contoso.example")), []);
    assert_eq!(setup.outcome(Outcome::Presence(Ok("Busy".to_owned()))), [Order::LookForLights]);
    let view = setup.view();
    assert_eq!((view.presence.as_deref(), view.signed_in.is_some()), (Some("Busy"), true));
    setup.outcome(Outcome::Lights(Ok(vec![light("wled/a"), light("wled/b")])));
    assert_eq!(setup.view().light, None, "there are several");
    assert_eq!(setup.answer(Step::Write, Answer::Blink("wled/b".to_owned())), [Order::Show]);
    setup.outcome(Outcome::Shown(Ok("office was told to blink red, and answered.".to_owned())));
    assert_eq!(setup.view().light.as_deref(), Some("wled/b"));
    assert_eq!(setup.answer(Step::Write, write("wled/b", false)), [Order::Write]);
    assert!(!setup.is_done());
    setup.outcome(Outcome::Written(Ok(())));
    assert!(setup.is_done());
    assert_eq!(setup.answer(Step::Write, write("", true)), []);
    let written = setup.draft().written();
    for part in [TENANT, APP, "mqtt://10.0.0.2:1883", "method = \"browser\"", "\"wled/b\"", "\"alice\""] {
        assert!(written.contains(part), "{part} in {written}");
    }
    assert!(!written.contains("s3cret") && !format!("{setup:?}{:?}", setup.view()).contains("s3cret"));
}

fn write(light: &str, replace: bool) -> Answer {
    Answer::Write { light: light.to_owned(), replace }
}

#[test]
fn what_is_found_is_not_asked_for() {
    let mut setup = setup();
    setup.seen(Some(9642));
    let app = format!("{APP}@contoso.onmicrosoft.com");
    assert_eq!(setup.answer(Step::Address, Answer::Address(app)), [Order::Discover]);
    assert_eq!(setup.outcome(discovered()), [Order::LookForBroker], "the app came first");
    assert_eq!(setup.outcome(Outcome::Usual(Some("localhost:1883".to_owned()))), [Order::TryBroker]);
    assert_eq!(setup.outcome(Outcome::Tried(Ok(()))), [Order::Attend]);
    assert!(setup.view().work.is_some(), "a page that asked already would stay as it is");
    assert_eq!(setup.outcome(nobody()), invite(SignInBy::Browser, Some(9642)));
    assert_eq!(setup.outcome(ended(InvitationEnd::SignedIn)), [Order::ReadPresence]);
    setup.outcome(signed_in("alice@contoso.example"));
    assert_eq!(setup.outcome(Outcome::Presence(Ok("Busy".to_owned()))), [Order::LookForLights]);
    setup.outcome(Outcome::Lights(Ok(vec![light("wled/a")])));
    assert_eq!(setup.view().light.as_deref(), Some("wled/a"), "the only one");
    assert_eq!(setup.answer(Step::Write, write("wled/a", false)), [Order::Write]);
    let written = setup.draft().written();
    for part in ["presence/alice/", "\"wled/a\"", "mqtt://localhost:1883"] {
        assert!(written.contains(part), "{part} in {written}");
    }
}

#[test]
fn what_the_environment_says_is_not_asked_for() {
    let given = Given { tenant: true, url: true, ..Given::default() };
    let mut setup = Setup::new(Draft { given, ..Draft::new() }, Existing::default());
    assert_eq!(setup.begin(), [Order::Discover]);
    assert_eq!((setup.outcome(discovered()), setup.step), (vec![], Step::App));
    assert_eq!(setup.answer(Step::App, Answer::App(APP.to_owned())), [Order::TryBroker]);
    setup.draft.given = Given { client_id: true, ..Given::default() };
    setup.step = Step::Address;
    setup.work = None;
    setup.draft.client_id = NO_APP.to_owned();
    setup.answer(Step::Address, Answer::Address("alice@contoso.example".to_owned()));
    assert_eq!((setup.outcome(discovered()).len(), setup.step), (1, Step::Broker));
}

#[test]
fn who_was_not_expected_is_looked_at_first() {
    for (read, is_expected) in [(Ok("Busy".to_owned()), false), (Err("403".to_owned()), true)] {
        let mut setup = at(Step::SignIn);
        setup.outcome(nobody());
        setup.outcome(ended(InvitationEnd::SignedIn));
        setup.outcome(signed_in(if is_expected { "alice@contoso.example" } else { "bob@contoso.example" }));
        assert_eq!((setup.outcome(Outcome::Presence(read)), setup.step), (vec![], Step::SignIn));
        assert_eq!(setup.answer(Step::SignIn, Answer::Continue), [Order::LookForLights]);
    }
    // Whoever was signed in before stays, once somebody says that they are meant.
    let mut setup = at(Step::SignIn);
    assert_eq!(setup.outcome(signed_in("bob@contoso.example")), [], "nobody is invited");
    assert_eq!(setup.answer(Step::SignIn, Answer::Continue), [Order::ReadPresence]);
    assert_eq!(setup.outcome(Outcome::Presence(Ok("Busy".to_owned()))), [Order::LookForLights]);
    assert_eq!(setup.draft.name().as_str(), "bob", "as the account is called");
}

#[test]
fn a_wrong_answer_is_said_and_the_step_stays() {
    for (step, answer) in [
        (Step::Address, Answer::Address("alice".to_owned())),
        (Step::App, Answer::App("none".to_owned())),
        (Step::Broker, go("http://broker.example", "bridge", "s3cret")),
        (Step::Write, Answer::Blink("wled/kitchen".to_owned())),
        (Step::Write, Answer::Blink(String::new())),
        (Step::Write, write("wled/kitchen", false)),
    ] {
        let mut setup = at(step);
        assert_eq!(setup.answer(step, answer), []);
        assert!(setup.step == step && setup.work.is_none() && setup.wrong.is_some(), "{step:?}");
        // What was typed is there to be corrected.
        let view = setup.view();
        assert!(view.is_refused, "{step:?}");
        let typed = match step {
            Step::Address => (view.email, "alice"),
            Step::App => (view.client_id, "none"),
            Step::Broker => (view.broker.unwrap() + &view.username.unwrap(), "http://broker.examplebridge"),
            Step::SignIn | Step::Write | Step::Done => continue,
        };
        assert_eq!(typed.0, typed.1);
        assert!(setup.answer(step, Answer::Back) == [Order::Rest] && !setup.view().is_refused, "{step:?}");
    }
    for (step, outcome, says) in [
        (Step::Address, Outcome::Discovered(Err("no such tenant".to_owned())), "no such tenant"),
        (Step::Broker, refused(false), "refused: 5"),
        (Step::Broker, refused(true), "wants a user name"),
        (Step::Write, Outcome::Lights(Err("gone".to_owned())), "Lights cannot be looked for now: gone"),
        (Step::Write, Outcome::Written(Err("disk full".to_owned())), "disk full"),
    ] {
        let mut setup = at(step);
        assert_eq!(setup.outcome(outcome), []);
        assert_eq!(setup.step, step);
        assert!(setup.view().wrong.is_some_and(|wrong| wrong.contains(says)), "{says}");
    }
}

#[test]
fn a_password_is_for_the_broker_and_the_user_that_it_was_typed_for() {
    for (again, kept) in [
        (go("10.0.0.2", "bridge", ""), Some("s3cret")),
        (go("10.0.0.2", "bridge", "other"), Some("other")),
        (go("10.0.0.3", "bridge", ""), None),
        (go("10.0.0.2", "somebody", ""), None),
        (go("10.0.0.2", "", ""), None),
        (go("10.0.0.2", "", "nobody's"), None),
    ] {
        let mut setup = at(Step::Broker);
        setup.answer(Step::Broker, go("10.0.0.2", "bridge", "s3cret"));
        setup.outcome(refused(true));
        assert!(setup.wrong.as_ref().is_some_and(|wrong| wrong.contains("does not let this user in")));
        assert_eq!(setup.answer(Step::Broker, again), [Order::TryBroker]);
        assert_eq!(setup.draft.password.as_ref().map(ExposeSecret::expose_secret), kept);
    }
}

#[test]
fn what_was_sent_twice_or_from_an_old_page_changes_nothing() {
    let mut setup = at(Step::App);
    assert_eq!(setup.answer(Step::Address, Answer::Address("bob@contoso.example".to_owned())), []);
    assert_eq!(setup.draft.email, "alice@contoso.example");
    let mut setup = at(Step::Broker);
    setup.answer(Step::Broker, go("10.0.0.2", "", ""));
    assert_eq!(setup.answer(Step::Broker, go("10.0.0.3", "", "")), []);
    assert_eq!(setup.draft.broker, "mqtt://10.0.0.2:1883");
    assert_eq!(setup.answer(Step::Broker, Answer::Address("bob@contoso.example".to_owned())), []);
    let gone = Outcome::SignIn(SignInEvent::Ended(InvitationId::default(), InvitationEnd::SignedIn));
    assert_eq!(setup.outcome(gone), [], "of a sign-in that nobody waits for");
}

#[test]
fn back_gives_up_what_is_under_way_and_else_goes_back_with_everything_kept() {
    let mut setup = at(Step::Broker);
    setup.answer(Step::Broker, go("10.0.0.2", "bridge", "s3cret"));
    assert_eq!(setup.answer(Step::Broker, Answer::Back), [Order::Rest]);
    assert_eq!((setup.step, setup.work), (Step::Broker, None));
    let mut setup = at(Step::SignIn);
    let (verification_uri, expires_at) =
        ("https://example.com".parse().unwrap(), "2026-11-28T03:27:43Z".parse().unwrap());
    let shown = ShownInvitation { verification_uri, user_code: None, expires_at };
    setup.outcome(Outcome::SignIn(SignInEvent::Invited(InvitationId::default(), shown)));
    assert_eq!(setup.answer(Step::SignIn, Answer::Back), [Order::Rest, Order::Attend]);
    assert!(setup.step == Step::SignIn && setup.invitation.is_none(), "the other way can be chosen");
    assert_eq!(setup.outcome(nobody()), [], "nobody is invited twice");
    let mut setup = at(Step::Write);
    for (now, before) in [
        (Step::Write, Step::SignIn),
        (Step::SignIn, Step::Broker),
        (Step::Broker, Step::App),
        (Step::App, Step::Address),
        (Step::Address, Step::Address),
    ] {
        let orders = setup.answer(now, Answer::Back);
        assert_eq!(orders.contains(&Order::Attend), before == Step::SignIn);
        assert_eq!(setup.step, before);
        setup.outcome(signed_in("alice@contoso.example"));
    }
    let view = setup.view();
    assert_eq!((view.email.as_str(), view.client_id.as_str()), ("alice@contoso.example", APP));
    assert_eq!(view.broker.as_deref(), Some("mqtt://broker.example:1883"));
    // Forward again nobody is asked for what was typed.
    setup.answer(Step::Address, Answer::Address("alice@contoso.example".to_owned()));
    assert_eq!(setup.outcome(discovered()), [Order::TryBroker]);
}

#[test]
fn a_sign_in_that_fails_is_said_and_another_way_stays_open() {
    for (end, says) in [
        (InvitationEnd::NotChanged, "the other account was not taken"),
        (InvitationEnd::Expired("too late".into()), "too late"),
        (InvitationEnd::Failed("state_dir is in use".into()), "state_dir is in use"),
    ] {
        let mut setup = at(Step::SignIn);
        setup.answer(Step::SignIn, Answer::SignIn(SignInBy::DeviceCode));
        assert_eq!(setup.outcome(ended(end)), []);
        assert!(setup.wrong.as_ref().is_some_and(|wrong| wrong.starts_with(says)), "{:?}", setup.wrong);
        assert_eq!(setup.answer(Step::SignIn, Answer::SignIn(SignInBy::Browser)).len(), 1);
    }
    // Where codes are of no use the browser is taken.
    let mut setup = at(Step::SignIn);
    setup.outcome(nobody());
    let orders = setup.outcome(ended(InvitationEnd::CodesBlocked("blocked".into())));
    assert_eq!(orders, invite(SignInBy::Browser, None));
    setup.outcome(invited("state=y", None));
    assert_eq!(setup.wrong.as_deref(), Some("blocked; so sign in with a browser"));
    // Whoever is signed in already is asked what they show before anything goes on.
    let mut setup = at(Step::SignIn);
    setup.signed_in = Some("alice@contoso.example".to_owned());
    assert_eq!(setup.answer(Step::SignIn, Answer::Continue), [Order::ReadPresence]);
    setup.outcome(Outcome::Presence(Err("403".to_owned())));
    assert_eq!(setup.presence.as_deref(), Some("Your presence cannot be shown now: 403"));
}

#[test]
fn an_app_that_nobody_can_sign_in_by_is_corrected_from_where_that_shows() {
    let mut setup = at(Step::SignIn);
    setup.outcome(nobody());
    setup.outcome(invited("state=y", None));
    assert_eq!(setup.answer(Step::SignIn, Answer::AnotherApp), [Order::Rest]);
    assert_eq!((setup.step, setup.view().invitation.is_none()), (Step::App, true));
    assert_eq!(setup.view().client_id, APP);
    // The broker is tried again by itself, and the sign-in begins anew.
    assert_eq!(setup.answer(Step::App, Answer::App(APP.to_owned())), [Order::TryBroker]);
    assert_eq!(setup.outcome(Outcome::Tried(Ok(()))), [Order::Attend]);
    assert_eq!(setup.outcome(nobody()), invite(SignInBy::DeviceCode, None));
    // What a variable says cannot be corrected here.
    let mut setup = at(Step::SignIn);
    setup.draft.given.client_id = true;
    assert!(setup.answer(Step::SignIn, Answer::AnotherApp).is_empty() && setup.view().is_app_given);
    assert_eq!(setup.step, Step::SignIn);
    setup.answer(Step::SignIn, Answer::Back);
    setup.answer(Step::Broker, Answer::Back);
    assert_eq!(setup.step, Step::Address, "nor is it asked for");
}

#[test]
fn a_set_up_that_looks_for_a_sign_in_goes_on_whatever_it_finds() {
    for found in [signed_in("alice@contoso.example"), nobody(), ended(InvitationEnd::Failed("locked".into()))]
    {
        let mut setup = at(Step::Broker);
        setup.answer(Step::Broker, go("broker.example", "", ""));
        assert_eq!(setup.outcome(Outcome::Tried(Ok(()))), [Order::Attend]);
        assert_eq!(setup.view().work, Some(LOOKING));
        setup.outcome(found);
        assert_ne!(setup.view().work, Some(LOOKING));
    }
    let mut setup = at(Step::Write);
    setup.answer(Step::Write, Answer::Back);
    assert_eq!(setup.view().work, Some(LOOKING));
    setup.outcome(signed_in("alice@contoso.example"));
    assert_eq!(setup.view().work, None);
}

/// An invitation with this query in its address, and this code.
fn invited(query: &str, user_code: Option<&str>) -> Outcome {
    let verification_uri = format!("https://example.com/?{query}").parse().unwrap();
    let (user_code, expires_at) = (user_code.map(Into::into), "2026-11-28T03:27:43Z".parse().unwrap());
    Outcome::SignIn(SignInEvent::Invited(
        InvitationId::default(),
        ShownInvitation { verification_uri, user_code, expires_at },
    ))
}

#[test]
fn only_the_address_that_ends_the_invitation_is_handed_on() {
    for (query, code, address, is_taken) in [
        ("", Some("AB12"), "http://localhost/?code=x&state=y", false),
        ("state=z", None, "http://localhost/?code=x&state=y", false),
        ("state=y", None, "http://localhost/?code=x", false),
        ("state=y", None, " ", false),
        ("state=y", None, "http://localhost/?code=x&state=y", true),
        ("state=y", None, "http://localhost/?code=x\n&state=y", true),
    ] {
        let mut setup = at(Step::SignIn);
        setup.outcome(invited(query, code));
        let orders = setup.answer(Step::SignIn, Answer::Landed(LandingAddress::pasted(address)));
        assert_eq!(orders.len(), usize::from(is_taken), "{query} {address}");
        assert_eq!((setup.work.is_some(), setup.wrong.is_none()), (is_taken, is_taken), "{address}");
        assert!(setup.view().invitation.is_some());
    }
}

#[test]
fn whose_sign_in_is_stored_gives_way_only_to_a_yes() {
    for is_meant in [false, true] {
        let mut setup = at(Step::SignIn);
        setup.signed_in = Some("alice@contoso.example".to_owned());
        assert_eq!(setup.answer(Step::SignIn, Answer::Change(true)), [], "nobody came yet");
        assert_eq!(setup.answer(Step::SignIn, Answer::Another), []);
        assert_eq!((setup.view().another, setup.view().signed_in.is_some()), (true, true));
        setup.answer(Step::SignIn, Answer::SignIn(SignInBy::DeviceCode));
        setup.outcome(invited("", Some("AB12")));
        let change =
            AccountChange { before: "alice@contoso.example".into(), now: "bob@contoso.example".into() };
        assert_eq!(
            setup.outcome(Outcome::SignIn(SignInEvent::Another(InvitationId::default(), change.clone()))),
            []
        );
        assert_eq!((setup.work, setup.view().change), (None, Some(change)));
        let order = Order::SignIn(SignInOrder::Change(is_meant));
        assert_eq!(setup.answer(Step::SignIn, Answer::Change(is_meant)), [order]);
        assert_eq!(setup.answer(Step::SignIn, Answer::Change(true)), [], "it is under way");
        let end = if is_meant { InvitationEnd::SignedIn } else { InvitationEnd::NotChanged };
        assert_eq!(
            setup.outcome(Outcome::SignIn(SignInEvent::Ended(InvitationId::default(), end))).len(),
            usize::from(is_meant)
        );
        assert_eq!((setup.another, &setup.change, setup.wrong.is_some()), (false, &None, !is_meant));
    }
    let mut setup = at(Step::SignIn);
    setup.signed_in = Some("alice@contoso.example".to_owned());
    setup.answer(Step::SignIn, Answer::Another);
    assert_eq!(setup.answer(Step::SignIn, Answer::Back), [Order::Rest, Order::Attend]);
    assert_eq!((setup.step, setup.another), (Step::SignIn, false));
}

#[test]
fn nothing_is_replaced_without_a_yes() {
    let sections = vec!["[mqtt]".to_owned()];
    let existing = Existing { file: "/etc/x.toml".to_owned(), sections, password: Some("/etc/p".to_owned()) };
    let mut setup = Setup { existing, ..at(Step::Write) };
    assert_eq!(setup.view().replaced, ["/etc/x.toml, which has [mqtt]"], "no password is written");
    assert_eq!(setup.answer(Step::Write, write("", false)), []);
    assert!(setup.wrong.is_some());
    assert_eq!(setup.answer(Step::Write, write("", true)), [Order::Write]);
    setup.draft.password = Some("s3cret".to_owned().into());
    assert_eq!(setup.view().replaced.len(), 2);
    // What somebody wrote meanwhile is asked for as well.
    let mut setup = at(Step::Write);
    assert_eq!(setup.answer(Step::Write, write("", false)), [Order::Write]);
    let sections = vec!["[mqtt]".to_owned()];
    let existing = Existing { file: "/etc/x.toml".to_owned(), sections, password: None };
    assert_eq!(setup.outcome(Outcome::Changed(existing)), []);
    assert_eq!((setup.step, setup.work, setup.view().replaced.len()), (Step::Write, None, 1));
    assert!(setup.wrong.is_some());
    assert_eq!(setup.answer(Step::Write, write("", false)), []);
}

#[test]
fn a_broker_of_the_environment_is_tried_and_not_asked_for() {
    let given = Given { url: true, ..Given::default() };
    let draft = Draft { given, ..Draft::new() };
    let mut setup = Setup { step: Step::App, ..Setup::new(draft, Existing::default()) };
    assert_eq!(setup.answer(Step::App, Answer::App(APP.to_owned())), [Order::TryBroker]);
    setup.outcome(refused(true));
    assert_eq!((setup.step, setup.view().broker), (Step::Broker, None));
    assert_eq!(setup.answer(Step::Broker, go("ignored", "bridge", "s3cret")), [Order::TryBroker]);
    setup.outcome(Outcome::Tried(Ok(())));
    assert_eq!(setup.step, Step::SignIn);
    assert!(!setup.draft().written().contains("url ="));
}

#[test]
fn a_user_and_a_password_of_the_environment_are_not_asked_for() {
    for (username, password, written) in [
        (true, true, [false, false]),
        (true, false, [false, true]),
        (false, true, [true, false]),
        (false, false, [true, true]),
    ] {
        let mut setup = at(Step::Broker);
        setup.draft.given = Given { username, password, ..Given::default() };
        setup.answer(Step::Broker, go("10.0.0.2", "bridge", "s3cret"));
        setup.outcome(refused(true));
        assert!(setup.wrong.as_ref().is_some_and(|wrong| wrong.contains("does not let this user in")));
        let view = setup.view();
        assert_eq!((view.username.is_some(), view.asks_password), (!username, !password));
        let text = setup.draft().written();
        let keys = ["username = ", "password_file = "].map(|key| text.contains(key));
        assert_eq!(keys, written, "{text}");
    }
}
