//! Inviting a person to sign in.

use super::*;
use crate::core::model::event::Event::{Acknowledged, SignIn, Stop, Woken};
use crate::core::model::sign_in::{DeviceCode, InvitationEnd, SignedIn};

fn code() -> SignInEvent {
    SignInEvent::Code(DeviceCode {
        verification_uri: "https://login.example/device".parse().unwrap(),
        user_code: "ABCD1234".into(),
        expires_at: "2026-11-23T09:15:00Z".parse().unwrap(),
    })
}

fn account() -> SignInEvent {
    SignInEvent::Account(Some(SignedIn {
        username: "alice@contoso.example".into(),
        object_id: id(1),
        may_write: false,
    }))
}

fn ended(end: InvitationEnd) -> Event {
    SignIn(SignInEvent::Ended(end))
}

/// A bridge whose sign-in has just been refused; read #1 is the next.
fn signed_out(announce_sign_in: bool) -> Bridge {
    let mut bridge = online(changed(only_alice(), |it| {
        (it.sign_in.invites, it.sign_in.announce) = (true, announce_sign_in)
    }));
    let refused = ReadFailure::SignInRequired { advice: "nobody is signed in".into() };
    run(
        &mut bridge,
        vec![(
            1.0,
            failure(0, refused),
            "report: presence cannot be read: nobody is signed in
             Invite
             presence/bridge/health = {sign_in_required}
             presence/alice/health = sign_in_required",
        )],
    );
    bridge.on(Acknowledged(9), at(1.0));
    bridge
}

#[test]
fn a_code_is_shown_and_taken_back_when_somebody_has_used_it() {
    let mut bridge = signed_out(true);
    run(
        &mut bridge,
        vec![
            (
                2.0,
                SignIn(code()),
                "report: sign in at https://login.example/device with the code ABCD1234
                 presence/bridge/sign_in = {ABCD1234}",
            ),
            (
                60.0,
                ended(InvitationEnd::SignedIn),
                "read #1 bulk 1\n unsubscribe presence/+/state presence/+/health presence/+/info presence/bridge/sign_in presence/bridge/light/+/+\n presence/bridge/sign_in =",
            ),
            (60.0, SignIn(account()), "presence/bridge/info = {every 5s}"),
            (
                60.1,
                answer(1, vec![reading(1, "Busy", "Busy")]),
                "report: presence is read again after 59s 100ms
                 presence/bridge/health = {ok}
                 presence/alice/state = {Busy Busy since 09:01:00}
                 presence/alice/activity = Busy
                 presence/alice/availability = Busy
                 presence/alice/health = ok",
            ),
        ],
    );
}

#[test]
fn without_announcement_the_code_is_in_the_log_only() {
    let mut bridge = signed_out(false);
    run(
        &mut bridge,
        vec![(2.0, SignIn(code()), "report: sign in at https://login.example/device with the code ABCD1234")],
    );
}

#[test]
fn an_expired_code_is_followed_by_another_and_a_no_by_a_pause() {
    let mut bridge = signed_out(false);
    bridge.on(SignIn(code()), at(2.0));
    run(
        &mut bridge,
        vec![(
            20.0,
            ended(InvitationEnd::Expired),
            "Invite\nunsubscribe presence/+/state presence/+/health presence/+/info presence/bridge/sign_in presence/bridge/light/+/+",
        )],
    );
    bridge.on(SignIn(code()), at(20.5));
    let no = lines(&bridge.on(ended(InvitationEnd::AnotherAccount("bob@contoso.example".into())), at(21.0)));
    assert!(
        no[0].contains("bob@contoso.example signed in, but this bridge watches another account"),
        "{no:?}"
    );
    assert!(no[1].contains("bridge/health"), "the detail names who it was: {no:?}");
    for (seconds, invites) in [(40.0, false), (80.0, false), (81.0, true)] {
        let said = lines(&bridge.on(Woken, at(seconds)));
        assert_eq!(said.contains(&"Invite".to_owned()), invites, "at {seconds}: {said:?}");
    }
}

#[test]
fn a_sign_in_elsewhere_is_noticed_and_the_invitation_taken_back() {
    let mut bridge = signed_out(true);
    bridge.on(SignIn(code()), at(2.0));
    bridge.on(Acknowledged(1), at(2.0));
    let tried = lines(&bridge.on(SignIn(SignInEvent::CredentialsChanged), at(10.0)));
    assert_eq!(tried[0], "read #1 bulk 1");
    let back = lines(&bridge.on(answer(1, vec![reading(1, "Busy", "Busy")]), at(10.1)));
    assert!(
        back.contains(&"TakeBack".to_owned()) && back.contains(&"presence/bridge/sign_in =".to_owned()),
        "{back:?}"
    );
}

#[test]
fn a_code_that_is_taken_back_while_the_broker_is_away_is_emptied_when_it_is_back() {
    let mut bridge = signed_out(true);
    bridge.on(SignIn(code()), at(2.0));
    bridge.on(Acknowledged(1), at(2.0));
    bridge.on(lost(), at(3.0));
    bridge.on(SignIn(SignInEvent::CredentialsChanged), at(10.0));
    bridge.on(answer(1, vec![reading(1, "Busy", "Busy")]), at(10.1));
    let back = lines(&bridge.on(Event::Connected, at(11.0)));
    assert!(back.contains(&"presence/bridge/sign_in =".to_owned()), "{back:?}");
}

#[test]
fn another_account_is_another_person() {
    let me =
        changed(Settings { users: vec![watched("me", "me")], ..settings() }, |it| it.sign_in.invites = true);
    let mut bridge = online(me);
    let account = |name: &str| {
        let signed_in = SignedIn { username: name.into(), object_id: id(1), may_write: false };
        SignIn(SignInEvent::Account(Some(signed_in)))
    };
    bridge.on(account("alice@contoso.example"), at(0.05));
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1));
    bridge.on(Acknowledged(100), at(0.2));
    let changed = lines(&bridge.on(account("bob@contoso.example"), at(1.0)));
    assert!(changed.contains(&"presence/me/availability =".to_owned()), "{changed:?}");
    assert!(changed.contains(&"presence/me/health = stale".to_owned()), "{changed:?}");
    assert!(changed.contains(&"read #1 me".to_owned()), "{changed:?}");
    let read = lines(&bridge.on(answer(1, vec![reading(2, "Away", "Away")]), at(1.1)));
    assert!(read.contains(&"presence/me/availability = Away".to_owned()), "{read:?}");
}

#[test]
fn a_failed_invitation_is_tried_again_with_growing_waits() {
    let mut bridge = signed_out(false);
    let mut now = 1.0;
    let mut waits = Vec::new();
    for _ in 0..8 {
        bridge.on(ended(InvitationEnd::Failed("no answer in time".into())), at(now));
        let before = now;
        while !lines(&bridge.on(Woken, at(now))).contains(&"Invite".to_owned()) {
            now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
        }
        waits.push(now - before);
    }
    assert!(waits.iter().all(|wait| (15.0..=900.1).contains(wait)), "{waits:?}");
}

#[test]
fn a_code_of_an_earlier_run_is_emptied_and_one_of_this_run_on_the_way_out() {
    let mut bridge = Bridge::new(changed(only_alice(), |it| it.sign_in.invites = true), 1, at(0.0));
    bridge.on(Event::Started, at(0.0));
    bridge.on(Event::Connected, at(0.0));
    bridge.on(retained("presence/bridge/sign_in", r#"{"user_code":"OLD"}"#), at(0.0));
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    let said = lines(&bridge.on(Woken, at(0.04)));
    assert!(said.contains(&"presence/bridge/sign_in =".to_owned()), "{said:?}");

    let mut bridge = signed_out(true);
    bridge.on(SignIn(code()), at(2.0));
    let said = lines(&bridge.on(Stop, at(3.0)));
    assert_eq!(said, ["presence/bridge/sign_in =", "presence/bridge/state = offline", "TakeBack"]);
}
