//! What visitors of the status page ask for, and what they are answered.

use super::*;
use crate::core::model::event::Access;
use crate::core::model::event::Event::{Acknowledged, Connected, SignIn};
use crate::core::model::settings::Commands;
use crate::core::model::sign_in::{AccountChange, InvitationEnd, LandingAddress, ShownInvitation, SignedIn};

fn act(act: Act) -> Event {
    Event::Act(ActId::new(1), act)
}

fn happened(event: SignInEvent) -> Event {
    SignIn(AccountId::FIRST, event)
}

/// Everything that is ordered but the end of reading back, which is none of anybody's business here.
fn said_to(effects: &[Effect]) -> Vec<String> {
    lines(effects).into_iter().filter(|line| !line.starts_with("unsubscribe ")).collect()
}

/// What a visitor is answered.
fn answers(bridge: &mut Bridge, event: Event, seconds: f64) -> Vec<String> {
    let said = said_to(&bridge.on(event, at(seconds)));
    said.into_iter().filter(|line| line.starts_with("answer: ")).collect()
}

fn link(n: u64, state: &str) -> Event {
    let shown = ShownInvitation {
        verification_uri: format!("https://login.example/authorize?state={state}").parse().unwrap(),
        user_code: None,
        expires_at: "2026-11-23T09:15:00Z".parse().unwrap(),
    };
    happened(SignInEvent::Invited(nth(n), shown))
}

fn account(n: usize, name: &str) -> Event {
    happened(SignInEvent::Account(Some(SignedIn {
        username: name.into(),
        object_id: id(n),
        may_write: true,
    })))
}

/// A bridge that reads Alice, who signed in by browser, and is announced.
fn signed_in() -> Bridge {
    let mut bridge = online(changed(only_alice(), |it| {
        (it.accounts[0].sign_in.invites, it.accounts[0].sign_in.announce) = (Some(SignInBy::Browser), true);
        it.commands = Some(Commands { response_topic: None });
    }));
    bridge.on(account(1, "alice@contoso.example"), at(0.5));
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(1.0));
    bridge.on(Acknowledged(99), at(1.0));
    bridge
}

#[test]
fn everybody_is_read_when_a_visitor_wants_it_but_not_again_and_again() {
    let mut bridge = signed_in();
    let said = said_to(&bridge.on(act(Act::Refresh), at(2.0)));
    assert_eq!(said[..2], ["answer: Reading all people now.", "read #1 bulk 1"], "{said:?}");
    assert_eq!(
        answers(&mut bridge, act(Act::Refresh), 2.5),
        ["answer: no: all people were read a moment ago; try again in a few seconds"]
    );
    bridge.on(lost(), at(3.0));
    assert_eq!(
        answers(&mut bridge, act(Act::Refresh), 30.0),
        ["answer: no: the bridge is not connected to the broker, or waits in standby"]
    );
}

#[test]
fn a_visitor_sets_presence_by_the_words_of_a_command_and_hears_its_end() {
    let mut bridge = signed_in();
    let set = |user: &str, payload: &str| act(Act::SetPresence(user.parse().unwrap(), payload.to_owned()));
    let said = said_to(&bridge.on(set("alice", "DoNotDisturb"), at(2.0)));
    assert!(said.iter().any(|line| line.starts_with("write #1 me")), "{said:?}");
    assert!(!said.iter().any(|line| line.starts_with("answer")), "not before Graph says so: {said:?}");
    let done = said_to(&bridge.on(super::set(1, Ok(())), at(2.5)));
    assert!(done.contains(&"answer: The presence is set.".to_owned()), "{done:?}");
    assert!(done.iter().any(|line| line.starts_with("presence/alice/set/result")), "as with MQTT: {done:?}");
    for (user, payload, why) in [
        ("alice", "Sleeping", "the word must be one of"),
        ("alice", r#"{"availability":"Busy","duration":"1s"}"#, "duration must be 5m to 7days"),
        ("alice", "", "nothing was chosen; choose a presence first"),
        ("mallory", "Busy", "this person's presence cannot be set"),
    ] {
        let said = answers(&mut bridge, set(user, payload), 3.0);
        assert!(said.len() == 1 && said[0].starts_with(&format!("answer: no: {why}")), "{said:?}");
    }
    let message = |payload: &str| act(Act::SetStatusMessage("alice".parse().unwrap(), payload.to_owned()));
    let said = said_to(&bridge.on(message(r#"{"message":"At lunch"}"#), at(3.5)));
    assert!(said.iter().any(|line| line.starts_with("write #3 me") && line.contains("At lunch")), "{said:?}");
    bridge.on(super::set(3, Ok(())), at(3.6));
    let said = answers(&mut bridge, message(r#"{"message":"x","expires_in":"1s"}"#), 3.7);
    assert!(said[0].contains("expires_in must be 1m to 365days"), "{said:?}");
    bridge.on(account(2, "bob@contoso.example"), at(4.0));
    let said = answers(&mut bridge, set("alice", "Busy"), 4.0);
    assert!(said[0].contains("a person's sign-in can set only that person's own presence"), "{said:?}");
    let mut off = online(only_alice());
    assert_eq!(
        answers(&mut off, set("alice", "Busy"), 1.0),
        ["answer: no: this person's presence cannot be set"]
    );
}

#[test]
fn who_is_asked_for_by_a_visitor_signs_in_also_if_nobody_has_to() {
    let mut bridge = signed_in();
    let by_browser = || act(Act::SignIn(None, SignInBy::Browser, Some(9642)));
    assert_eq!(
        said_to(&bridge.on(by_browser(), at(2.0))),
        ["InviteAnybody(Browser, Some(9642))"],
        "nothing is announced: it is for who asked"
    );
    assert_eq!(said_to(&bridge.on(link(1, "x"), at(2.1))), ["answer: Sign in as shown below."]);
    let snapshot = bridge.snapshot(&PeopleQuery::nobody(), at(3.0)).accounts.remove(0);
    assert!(snapshot.sign_in_is_asked_for && snapshot.sign_in.is_some() && snapshot.is_persons);

    let landed =
        |query: &str| act(Act::Landed(LandingAddress::pasted(&format!("http://localhost:9642/?{query}"))));
    for stranger in ["code=c&state=y", "code=c", "state="] {
        let said = said_to(&bridge.on(landed(stranger), at(4.0)));
        assert!(said.len() == 1 && said[0].starts_with("answer: no: this is not the address"), "{said:?}");
    }
    assert_eq!(said_to(&bridge.on(landed("code=c&state=x"), at(4.1))), ["Redeem(LandingAddress)"]);
    let change = AccountChange { before: "alice@contoso.example".into(), now: "bob@contoso.example".into() };
    assert_eq!(
        said_to(&bridge.on(happened(SignInEvent::Another(nth(1), change.clone())), at(4.2))),
        ["answer: Another account signed in: choose below which one to follow."]
    );
    let snapshot = bridge.snapshot(&PeopleQuery::nobody(), at(4.3)).accounts.remove(0);
    assert_eq!((snapshot.change, snapshot.sign_in), (Some(change), None));
    assert_eq!(said_to(&bridge.on(act(Act::Change(None, true)), at(4.4))), ["Change(true)"]);
    let said = said_to(&bridge.on(happened(SignInEvent::Ended(nth(1), InvitationEnd::SignedIn)), at(4.5)));
    assert_eq!(said[0], "answer: Signed in.");
    let said = said_to(&bridge.on(account(2, "bob@contoso.example"), at(4.5)));
    assert!(said.contains(&"presence/bridge/info = {every 5s}".to_owned()), "{said:?}");
    assert!(said.iter().any(|line| line.ends_with("with a fresh token")), "not with Alice's: {said:?}");
    // Twice is once.
    assert_eq!(
        said_to(&bridge.on(act(Act::Change(None, true)), at(4.6))),
        ["answer: no: this sign-in has ended; start again"]
    );
}

#[test]
fn a_no_changes_nothing_and_a_failure_is_told() {
    for (end, says) in [
        (InvitationEnd::NotChanged, "answer: Nothing was changed."),
        (InvitationEnd::Failed("cannot write".into()), "answer: no: cannot write"),
        (InvitationEnd::CodesBlocked("use a browser".into()), "answer: no: use a browser"),
    ] {
        let mut bridge = signed_in();
        bridge.on(act(Act::SignIn(None, SignInBy::DeviceCode, None)), at(2.0));
        assert_eq!(said_to(&bridge.on(happened(SignInEvent::Ended(nth(1), end)), at(3.0))), [says]);
        let snapshot = bridge.snapshot(&PeopleQuery::nobody(), at(3.0)).accounts.remove(0);
        assert_eq!((snapshot.graph.detail, snapshot.sign_in), (None, None), "nobody has to sign in");
    }
}

#[test]
fn who_signs_out_is_not_read_any_more_and_a_visitor_is_answered_when_it_is_done() {
    let mut bridge = signed_in();
    assert_eq!(said_to(&bridge.on(act(Act::SignOut(None)), at(2.0))), ["SignOut"]);
    let said = said_to(&bridge.on(happened(SignInEvent::SignedOut(Ok(()))), at(2.1)));
    assert!(said[0].starts_with("answer: The sign-in is deleted here."), "{said:?}");
    let said = said_to(&bridge.on(happened(SignInEvent::Account(None)), at(2.1)));
    assert!(said.contains(&"read #1 bulk 1 with a fresh token".to_owned()), "{said:?}");
    let refused = ReadFailure::SignInRequired { advice: "no account is signed in".into() };
    let said = said_to(&bridge.on(failure(1, refused), at(2.2)));
    assert!(said.contains(&"presence/alice/health = sign_in_required".to_owned()), "{said:?}");
    assert!(said.contains(&"Invite(Browser)".to_owned()), "{said:?}");

    let denied = SignInEvent::SignedOut(Err("cannot remove".into()));
    bridge.on(act(Act::SignOut(None)), at(3.0));
    assert_eq!(answers(&mut bridge, happened(denied), 3.1), ["answer: no: cannot remove"]);
}

#[test]
fn an_invitation_that_is_needed_gives_way_to_one_that_is_asked_for() {
    let mut bridge = signed_in();
    let refused = || ReadFailure::SignInRequired { advice: "no account is signed in".into() };
    bridge.on(happened(SignInEvent::Account(None)), at(2.0));
    bridge.on(failure(1, refused()), at(2.1));
    bridge.on(link(1, "x"), at(2.2));
    bridge.on(Acknowledged(99), at(2.3));
    let said = said_to(&bridge.on(act(Act::SignIn(None, SignInBy::Browser, None)), at(3.0)));
    assert!(said.contains(&"InviteAnybody(Browser, None)".to_owned()), "{said:?}");
    assert!(said.contains(&"presence/bridge/sign_in =".to_owned()), "{said:?}");
    // What was shown before is of no use any more.
    bridge.on(link(2, "y"), at(3.1));
    let landed =
        |state: &str| act(Act::Landed(LandingAddress::pasted(&format!("localhost/?code=c&state={state}"))));
    assert_ne!(said_to(&bridge.on(landed("x"), at(4.0)))[0], "Redeem(LandingAddress)");
    assert_eq!(said_to(&bridge.on(landed("y"), at(4.0)))[0], "Redeem(LandingAddress)");
    bridge.on(Acknowledged(99), at(4.1));
    // Nobody came: the bridge invites by itself again.
    let said = said_to(
        &bridge.on(happened(SignInEvent::Ended(nth(2), InvitationEnd::Expired("late".into()))), at(903.0)),
    );
    assert!(said.contains(&"Invite(Browser)".to_owned()), "{said:?}");
}

#[test]
fn an_account_that_nobody_signs_in_to_has_no_sign_in() {
    let mut bridge = online(only_alice());
    for it in [
        Act::SignIn(None, SignInBy::Browser, None),
        Act::SignOut(None),
        Act::Change(None, true),
        Act::SignOut(Some("work".parse().unwrap())),
    ] {
        assert_eq!(answers(&mut bridge, act(it), 1.0), ["answer: no: no person signs in to this account"]);
    }
}

#[test]
fn without_a_broker_a_person_can_sign_in() {
    let mut bridge = signed_in();
    bridge.on(lost(), at(2.0));
    let said = said_to(&bridge.on(act(Act::SignIn(None, SignInBy::Browser, None)), at(3.0)));
    assert!(said.contains(&"InviteAnybody(Browser, None)".to_owned()), "{said:?}");
    bridge.on(Connected, at(10.0));
}

#[test]
fn a_reload_that_leaves_nobody_to_answer_is_an_answer() {
    let again = |name: Option<&str>| {
        changed(only_alice(), |it| {
            it.accounts[0].name = name.map(|name| name.parse().unwrap());
            it.accounts[0].sign_in.invites = Some(SignInBy::Browser);
        })
    };
    let waiting = [
        (Act::SignIn(None, SignInBy::Browser, None), None),
        (Act::SignOut(None), None),
        (Act::SignOut(None), Some("work")),
    ];
    for (it, name) in waiting {
        for access in [Access::Renewed, Access::New] {
            let mut bridge = signed_in();
            bridge.on(act(it.clone()), at(2.0));
            let reload = Event::Configured(Box::new(again(name)), vec![access]);
            assert_eq!(
                answers(&mut bridge, reload, 3.0),
                ["answer: no: the configuration was read again meanwhile; start again"],
                "{it:?} {access:?}"
            );
        }
    }
}
