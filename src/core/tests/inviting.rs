//! Inviting a person to sign in.

use super::*;
use crate::core::model::event::Access;
use crate::core::model::event::Event::{Acknowledged, SignIn, Stop, Woken};
use crate::core::model::sign_in::{InvitationEnd, LandingAddress, ShownInvitation, SignedIn};

fn code(n: u64) -> SignInEvent {
    let shown = ShownInvitation {
        verification_uri: "https://login.example/device".parse().unwrap(),
        user_code: Some("ABCD1234".into()),
        expires_at: "2026-11-23T09:15:00Z".parse().unwrap(),
    };
    SignInEvent::Invited(nth(n), shown)
}

fn account() -> SignInEvent {
    SignInEvent::Account(Some(SignedIn {
        username: "alice@contoso.example".into(),
        object_id: id(1),
        may_write: false,
    }))
}

fn ended(n: u64, end: InvitationEnd) -> Event {
    SignIn(AccountId::FIRST, SignInEvent::Ended(nth(n), end))
}

/// A bridge whose sign-in has just been refused; read #1 is the next.
fn signed_out(announce_sign_in: bool) -> Bridge {
    let mut bridge = online(changed(only_alice(), |it| {
        (it.accounts[0].sign_in.invites, it.accounts[0].sign_in.announce) = (BY_CODE, announce_sign_in)
    }));
    let refused = ReadFailure::SignInRequired { advice: "no account is signed in".into() };
    run(
        &mut bridge,
        vec![(
            1.0,
            failure(0, refused),
            "report: presence cannot be read: no account is signed in
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
                SignIn(AccountId::FIRST, code(1)),
                "report: sign in at https://login.example/device with the code ABCD1234
                 presence/bridge/sign_in = {ABCD1234}",
            ),
            (
                60.0,
                ended(1, InvitationEnd::SignedIn),
                "read #1 bulk 1\n unsubscribe presence/+/state presence/+/health presence/+/info presence/bridge/sign_in presence/bridge/light/+/+\n presence/bridge/sign_in =",
            ),
            (
                60.0,
                SignIn(AccountId::FIRST, account()),
                "report: signed in as alice@contoso.example\npresence/bridge/info = {every 5s}",
            ),
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
        vec![(
            2.0,
            SignIn(AccountId::FIRST, code(1)),
            "report: sign in at https://login.example/device with the code ABCD1234",
        )],
    );
}

#[test]
fn an_expired_code_is_followed_by_another_and_a_no_by_a_pause() {
    let mut bridge = signed_out(false);
    bridge.on(SignIn(AccountId::FIRST, code(1)), at(2.0));
    let said = lines(&bridge.on(ended(1, InvitationEnd::Expired("run login".into())), at(902.0)));
    assert!(said.contains(&"Invite".to_owned()), "{said:?}");
    bridge.on(SignIn(AccountId::FIRST, code(2)), at(902.5));
    let no =
        lines(&bridge.on(ended(2, InvitationEnd::AnotherAccount("bob@contoso.example".into())), at(903.0)));
    assert!(
        no[0].contains("bob@contoso.example signed in, but this bridge follows another account"),
        "{no:?}"
    );
    assert!(no[1].contains("bridge/health"), "the detail names who it was: {no:?}");
    for (seconds, invites) in [(940.0, false), (962.0, false), (963.0, true)] {
        let said = lines(&bridge.on(Woken, at(seconds)));
        assert_eq!(said.contains(&"Invite".to_owned()), invites, "at {seconds}: {said:?}");
    }
}

#[test]
fn a_sign_in_elsewhere_is_noticed_and_the_invitation_taken_back() {
    let mut bridge = signed_out(true);
    bridge.on(SignIn(AccountId::FIRST, code(1)), at(2.0));
    bridge.on(Acknowledged(1), at(2.0));
    let tried = lines(&bridge.on(SignIn(AccountId::FIRST, SignInEvent::CredentialsChanged), at(10.0)));
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
    bridge.on(SignIn(AccountId::FIRST, code(1)), at(2.0));
    bridge.on(Acknowledged(1), at(2.0));
    bridge.on(lost(), at(3.0));
    bridge.on(SignIn(AccountId::FIRST, SignInEvent::CredentialsChanged), at(10.0));
    bridge.on(answer(1, vec![reading(1, "Busy", "Busy")]), at(10.1));
    let back = lines(&bridge.on(Event::Connected, at(11.0)));
    assert!(back.contains(&"presence/bridge/sign_in =".to_owned()), "{back:?}");
}

#[test]
fn a_code_is_emptied_when_it_is_not_to_be_announced_any_more() {
    for broker_is_away in [false, true] {
        let mut bridge = signed_out(true);
        bridge.on(SignIn(AccountId::FIRST, code(1)), at(2.0));
        bridge.on(Acknowledged(1), at(2.0));
        if broker_is_away {
            bridge.on(lost(), at(3.0));
        }
        let quiet = changed(only_alice(), |it| it.accounts[0].sign_in.invites = BY_CODE);
        let mut said = lines(&bridge.on(Event::Configured(Box::new(quiet), vec![Access::Same]), at(4.0)));
        if broker_is_away {
            said = lines(&bridge.on(Event::Connected, at(5.0)));
        }
        assert!(said.contains(&"presence/bridge/sign_in =".to_owned()), "{said:?}");
    }
}

#[test]
fn an_answer_about_whoever_was_signed_in_before_says_nothing_of_who_is_now() {
    let me = changed(Settings { users: vec![watched("me", "me")].into(), ..settings() }, |it| {
        it.accounts[0].sign_in.invites = BY_CODE;
    });
    let mut bridge = online(me);
    bridge.on(SignIn(AccountId::FIRST, account()), at(0.0));
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1));
    bridge.on(Acknowledged(100), at(0.2));
    assert_eq!(lines(&bridge.on(Woken, at(5.0)))[0], "read #1 me");
    let bob = SignedIn { username: "bob@contoso.example".into(), object_id: id(2), may_write: false };
    let said = lines(&bridge.on(SignIn(AccountId::FIRST, SignInEvent::Account(Some(bob))), at(5.1)));
    assert!(said.contains(&"read #2 me with a fresh token".to_owned()), "{said:?}");
    bridge.on(Acknowledged(100), at(5.2));
    assert_eq!(lines(&bridge.on(answer(1, vec![reading(1, "Busy", "Busy")]), at(5.2))), [""; 0]);
    let said = lines(&bridge.on(answer(2, vec![reading(2, "Away", "Away")]), at(5.3)));
    assert!(said.contains(&"presence/me/availability = Away".to_owned()), "{said:?}");
}

#[test]
fn another_account_is_another_person() {
    let me = changed(Settings { users: vec![watched("me", "me")].into(), ..settings() }, |it| {
        it.accounts[0].sign_in.invites = BY_CODE
    });
    let account = |name: &str, n: usize| {
        let signed_in = SignedIn { username: name.into(), object_id: id(n), may_write: false };
        SignIn(AccountId::FIRST, SignInEvent::Account(Some(signed_in)))
    };
    for signs_out_first in [false, true] {
        let mut bridge = online(me.clone());
        bridge.on(account("alice@contoso.example", 1), at(0.05));
        bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1));
        bridge.on(Acknowledged(100), at(0.2));
        let mut next = 1;
        if signs_out_first {
            bridge.on(SignIn(AccountId::FIRST, SignInEvent::Account(None)), at(0.5));
            let refused = ReadFailure::SignInRequired { advice: "no account is signed in".into() };
            bridge.on(failure(next, refused), at(0.6));
            bridge.on(Acknowledged(100), at(0.7));
            bridge.on(ended(1, InvitationEnd::SignedIn), at(0.9));
            next += 1;
        }
        let mut changed = lines(&bridge.on(account("bob@contoso.example", 2), at(1.0)));
        if signs_out_first {
            // The read that began with the sign-in, before it was known whose it is.
            next += 1;
        }
        assert!(changed.contains(&"presence/me/availability =".to_owned()), "{changed:?}");
        bridge.on(Acknowledged(100), at(1.0));
        changed.extend(lines(&bridge.on(Woken, at(1.0))));
        assert!(signs_out_first || changed.contains(&"presence/me/health = stale".to_owned()), "{changed:?}");
        let read = format!("read #{next} me with a fresh token");
        assert!(changed.contains(&read), "not with Alice's: {changed:?}");
        let read = lines(&bridge.on(answer(next, vec![reading(2, "Away", "Away")]), at(1.1)));
        assert!(read.contains(&"presence/me/availability = Away".to_owned()), "{read:?}");
        bridge.on(Acknowledged(100), at(1.2));
        let renamed = lines(&bridge.on(account("robert@contoso.example", 2), at(2.0)));
        assert!(!renamed.contains(&"presence/me/availability =".to_owned()), "the same person: {renamed:?}");
    }
}

#[test]
fn a_failed_invitation_is_tried_again_with_growing_waits() {
    let mut bridge = signed_out(false);
    let mut now = 1.0;
    let mut waits = Vec::new();
    for n in 1..=8 {
        bridge.on(ended(n, InvitationEnd::Failed("no answer in time".into())), at(now));
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
    let mut bridge =
        claimed(changed(only_alice(), |it| it.accounts[0].sign_in.invites = BY_CODE), 1, at(0.0));
    bridge.on(Event::Started, at(0.0));
    bridge.on(Event::Connected, at(0.0));
    bridge.on(retained("presence/bridge/sign_in", r#"{"user_code":"OLD"}"#), at(0.0));
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    let said = lines(&bridge.on(Woken, at(0.04)));
    assert!(said.contains(&"presence/bridge/sign_in =".to_owned()), "{said:?}");

    let mut bridge = signed_out(true);
    bridge.on(SignIn(AccountId::FIRST, code(1)), at(2.0));
    let said = lines(&bridge.on(Stop, at(3.0)));
    assert_eq!(said, ["presence/bridge/sign_in =", "presence/bridge/state = offline", "TakeBack"]);
}

fn link(n: u64) -> SignInEvent {
    let shown = ShownInvitation {
        verification_uri: "https://login.example/authorize?state=x".parse().unwrap(),
        user_code: None,
        expires_at: "2026-11-24T09:00:00Z".parse().unwrap(),
    };
    SignInEvent::Invited(nth(n), shown)
}

fn landed() -> Event {
    let address = LandingAddress::pasted(" http://localhost:1/?code=s3cr3t&state=x\n");
    Event::Act(ActId::new(1), Act::Landed(address))
}

/// The same with `method = "browser"`.
fn signed_out_of_the_browser() -> Bridge {
    let by_browser = Some(SignInBy::Browser);
    let mut bridge = online(changed(only_alice(), |it| {
        (it.accounts[0].sign_in.invites, it.accounts[0].sign_in.announce) = (by_browser, true)
    }));
    let refused = ReadFailure::SignInRequired { advice: "no account is signed in".into() };
    let ordered = lines(&bridge.on(failure(0, refused), at(1.0)));
    assert!(ordered.contains(&"Invite(Browser)".to_owned()), "{ordered:?}");
    bridge.on(Acknowledged(9), at(1.0));
    bridge
}

#[test]
fn a_browser_is_invited_with_a_link_and_the_address_that_it_ended_on_is_redeemed() {
    let mut bridge = signed_out_of_the_browser();
    run(
        &mut bridge,
        vec![
            (
                2.0,
                SignIn(AccountId::FIRST, link(1)),
                "report: sign-in required: run `presence2mqtt login --browser`, with --no-open where there is no browser
                 presence/bridge/sign_in = {null}",
            ),
            (30.0, landed(), "Redeem(LandingAddress)\n unsubscribe presence/+/state presence/+/health presence/+/info presence/bridge/sign_in presence/bridge/light/+/+"),
            (31.0, ended(1, InvitationEnd::SignedIn), "answer: Signed in.\n read #1 bulk 1\n presence/bridge/sign_in ="),
        ],
    );
}

#[test]
fn an_address_that_is_not_taken_leaves_the_invitation_and_says_why() {
    let mut bridge = signed_out_of_the_browser();
    bridge.on(SignIn(AccountId::FIRST, link(1)), at(2.0));
    bridge.on(Acknowledged(9), at(2.0));
    let said = lines(
        &bridge.on(SignIn(AccountId::FIRST, SignInEvent::NotTaken(nth(1), "copy all of it".into())), at(3.0)),
    );
    assert!(said.contains(&"report: still not signed in: copy all of it".to_owned()), "{said:?}");
    let snapshot = bridge.snapshot(&PeopleQuery::nobody(), at(3.0));
    assert_eq!(snapshot.accounts[0].graph.detail.as_deref(), Some("copy all of it"));
    assert!(snapshot.accounts[0].sign_in.is_some());
    assert_eq!(lines(&bridge.on(landed(), at(4.0)))[0], "Redeem(LandingAddress)");
}

#[test]
fn an_address_without_a_browser_sign_in_that_waits_is_not_handed_on() {
    for mut bridge in [signed_out(true), signed_out_of_the_browser()] {
        let said = lines(&bridge.on(landed(), at(2.0)));
        assert!(
            said[0].starts_with("answer: no: this is not the address of the waiting sign-in"),
            "{said:?}"
        );
        assert!(!said.contains(&"Redeem(LandingAddress)".to_owned()), "{said:?}");
    }
    let mut bridge = signed_out(true);
    bridge.on(SignIn(AccountId::FIRST, code(1)), at(2.0));
    assert!(!lines(&bridge.on(landed(), at(3.0))).contains(&"Redeem(LandingAddress)".to_owned()));
}

#[test]
fn what_is_pasted_is_one_word_and_never_printed() {
    let address = LandingAddress::pasted(" http://localhost/?code=s3cr3t\r\n");
    assert_eq!(address.expose(), "http://localhost/?code=s3cr3t");
    assert!(!format!("{address:?}").contains("s3cr3t"));
    let broken = LandingAddress::pasted("http://localhost/?code=s3\r\n  cr3t&sta te=x");
    assert_eq!(broken.expose(), "http://localhost/?code=s3cr3t&state=x");
    for nothing in ["", " \n", &"x".repeat(20_000)] {
        assert_eq!(LandingAddress::pasted(nothing).expose(), "");
    }
}

#[test]
fn a_disk_that_takes_no_token_is_a_notice_while_it_lasts() {
    let mut bridge = online(changed(only_alice(), |it| it.accounts[0].sign_in.invites = BY_CODE));
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(1.0));
    bridge.on(Acknowledged(9), at(1.0));
    let full = "cannot write /var/lib/presence2mqtt/sign-in.json: No space left on device (os error 28)";
    let said =
        lines(&bridge.on(SignIn(AccountId::FIRST, SignInEvent::NotStored(Some(full.into()))), at(2.0)));
    assert!(said.contains(&"presence/bridge/health = {ok}".to_owned()), "{said:?}");
    let notices = bridge.snapshot(&PeopleQuery::nobody(), at(2.0)).notices;
    assert!(notices.len() == 1 && notices[0].contains(full), "{notices:?}");
    bridge.on(SignIn(AccountId::FIRST, SignInEvent::NotStored(None)), at(3.0));
    assert_eq!(bridge.snapshot(&PeopleQuery::nobody(), at(3.0)).notices, Vec::<String>::new());
}

/// What a bridge with the method `device-code` does from 1 s until `end`, where every invitation with a code
/// is shown after a second and ends as said after so many more: when codes are asked for, when browsers are
/// invited to, and everything that was reported.
fn invited(end: &InvitationEnd, after: f64, until: f64) -> (Vec<f64>, Vec<f64>, Vec<String>, Bridge) {
    let mut bridge = signed_out(false);
    let (mut codes, mut links, mut reports) = (vec![1.0], Vec::new(), Vec::new());
    let mut coming = vec![(2.0, SignIn(AccountId::FIRST, code(1))), (2.0 + after, ended(1, end.clone()))];
    let mut now: f64 = 1.0;
    let (mut request, mut invitation) = (1, 1);
    while now < until {
        let wake = bridge.wake_at(at(now).tick).map_or(until, |wake| wake.0.as_secs_f64());
        let next = coming.first().map_or(until, |(when, _)| *when);
        now = wake.min(next).max(now + 0.001);
        let event = if !coming.is_empty() && next <= now { coming.remove(0).1 } else { Woken };
        for line in lines(&bridge.on(event, at(now))) {
            match line.as_str() {
                "Invite" => {
                    codes.push(now);
                    invitation += 1;
                    coming.extend([
                        (now + 1.0, SignIn(AccountId::FIRST, code(invitation))),
                        (now + 1.0 + after, ended(invitation, end.clone())),
                    ]);
                }
                "Invite(Browser)" => {
                    links.push(now);
                    invitation += 1;
                    coming.push((now + 0.1, SignIn(AccountId::FIRST, link(invitation))));
                }
                report if report.starts_with("report: ") => reports.push(report.to_owned()),
                line if line.starts_with("read #") => {
                    let refused = ReadFailure::SignInRequired { advice: "no account is signed in".into() };
                    coming.insert(0, (now, failure(request, refused)));
                    request += 1;
                }
                _ => {}
            }
        }
    }
    (codes, links, reports, bridge)
}

#[test]
fn where_codes_are_blocked_a_browser_is_invited_to_and_why_is_said() {
    let blocked = "security defaults block device codes: use `presence2mqtt login --browser` (AADSTS530035)";
    let (codes, links, reports, bridge) =
        invited(&InvitationEnd::CodesBlocked(blocked.into()), 5.0, 30.0 * 60.0);
    assert_eq!((codes, links), (vec![1.0], vec![7.0]));
    assert_eq!(
        reports,
        [
            "report: sign in at https://login.example/device with the code ABCD1234".to_owned(),
            format!("report: still not signed in: {blocked}"),
            "report: sign-in required: run `presence2mqtt login --browser`, with --no-open where there is no browser"
                .to_owned(),
        ]
    );
    let snapshot = bridge.snapshot(&PeopleQuery::nobody(), at(1800.0));
    assert_eq!(snapshot.accounts[0].graph.detail.as_deref(), Some(blocked), "for as long as it lasts");
    assert_eq!(snapshot.accounts[0].sign_in.as_ref().unwrap().user_code, None);
}

#[test]
fn two_codes_that_nobody_used_are_followed_by_a_browser() {
    let unused = InvitationEnd::Expired("the code was not used in time".into());
    let (codes, links, reports, bridge) = invited(&unused, 900.0, 3600.0);
    assert_eq!((codes, links), (vec![1.0, 902.0], vec![1803.0]));
    assert!(reports.iter().any(|said| said.contains("two codes have expired unused")), "{reports:?}");
    let detail =
        bridge.snapshot(&PeopleQuery::nobody(), at(3600.0)).accounts[0].graph.detail.clone().unwrap();
    assert!(detail.contains("login --browser") && detail.contains("for-administrators"), "{detail}");
}

#[test]
fn a_code_that_nobody_used_is_followed_by_another_after_a_quarter_of_an_hour_at_the_earliest() {
    for (end, after) in [
        (InvitationEnd::Failed("the sign-in is refused".into()), 5.0),
        (InvitationEnd::Expired("a short life".into()), 60.0),
    ] {
        let (codes, ..) = invited(&end, after, 1800.0);
        assert_eq!(codes, [1.0, 902.0], "{end:?}");
    }
    let (codes, ..) = invited(&InvitationEnd::Declined("accept it".into()), 5.0, 130.0);
    assert_eq!(codes.len(), 2, "somebody was there: {codes:?}");
}

#[test]
fn a_reload_is_no_reason_for_another_code() {
    let mut bridge = signed_out(true);
    bridge.on(SignIn(AccountId::FIRST, code(1)), at(2.0));
    let settings = changed(only_alice(), |it| {
        (it.accounts[0].sign_in.invites, it.accounts[0].sign_in.announce) = (BY_CODE, true)
    });
    let reload = |access| Event::Configured(Box::new(settings.clone()), access);
    let said = lines(&bridge.on(reload(vec![Access::Renewed]), at(3.0)));
    assert!(!said.contains(&"Invite".to_owned()), "{said:?}");
    let said = lines(&bridge.on(Woken, at(902.0)));
    assert!(said.contains(&"Invite".to_owned()), "{said:?}");
}

#[test]
fn a_link_that_nobody_followed_for_a_day_is_followed_by_one_code() {
    let mut bridge = signed_out(false);
    bridge.on(SignIn(AccountId::FIRST, code(1)), at(2.0));
    bridge.on(ended(1, InvitationEnd::CodesBlocked("use a browser".into())), at(7.0));
    bridge.on(SignIn(AccountId::FIRST, link(2)), at(8.0));
    let day = 86_408.0;
    let said = lines(&bridge.on(ended(2, InvitationEnd::Expired("nobody followed it".into())), at(day)));
    assert!(said.contains(&"Invite".to_owned()), "{said:?}");
    bridge.on(SignIn(AccountId::FIRST, code(3)), at(day + 1.0));
    let said = lines(&bridge.on(ended(3, InvitationEnd::Expired("unused".into())), at(day + 901.0)));
    assert!(said.contains(&"Invite(Browser)".to_owned()), "{said:?}");
}

#[test]
fn what_an_older_invitation_says_late_is_not_taken_for_the_newer_one() {
    let mut bridge = signed_out(true);
    bridge.on(SignIn(AccountId::FIRST, code(1)), at(2.0));
    bridge.on(Acknowledged(9), at(2.0));
    let ask = Act::SignIn(None, SignInBy::Browser, Some(9642));
    let said = lines(&bridge.on(Event::Act(ActId::new(1), ask), at(3.0)));
    assert!(said.contains(&"InviteAnybody(Browser, Some(9642))".to_owned()), "{said:?}");
    bridge.on(Acknowledged(9), at(3.0));
    // All of this was on its way when the other invitation was ordered.
    for late in [
        code(1),
        SignInEvent::NotTaken(nth(1), "copy all of it".into()),
        SignInEvent::Ended(nth(1), InvitationEnd::Expired("unused".into())),
    ] {
        let said = lines(&bridge.on(SignIn(AccountId::FIRST, late), at(3.1)));
        assert!(
            !said.iter().any(|line| line.starts_with("answer") || line.starts_with("Invite")),
            "{said:?}"
        );
        assert!(bridge.snapshot(&PeopleQuery::nobody(), at(3.1)).accounts[0].sign_in.is_none());
    }
    let said = lines(&bridge.on(SignIn(AccountId::FIRST, link(2)), at(3.2)));
    assert!(said.contains(&"answer: Sign in as shown below.".to_owned()), "{said:?}");
    let sign_in = bridge.snapshot(&PeopleQuery::nobody(), at(3.2)).accounts[0].sign_in.clone();
    assert_eq!(sign_in.unwrap().user_code, None);
    // Whoever signed in by the older one did sign in.
    let said = lines(&bridge.on(ended(1, InvitationEnd::SignedIn), at(3.3)));
    assert!(said.iter().any(|line| line.starts_with("read #")), "{said:?}");
}

#[test]
fn whoever_signs_out_is_not_told_how_an_invitation_ended() {
    let mut bridge = signed_out(false);
    bridge.on(Event::Act(ActId::new(1), Act::SignOut(None)), at(1.5));
    let said = lines(&bridge.on(ended(1, InvitationEnd::Expired("unused".into())), at(1.6)));
    assert!(!said.iter().any(|line| line.starts_with("answer")), "{said:?}");
    let done = lines(&bridge.on(SignIn(AccountId::FIRST, SignInEvent::SignedOut(Ok(()))), at(1.7)));
    assert!(done[0].starts_with("answer: The sign-in is deleted here."), "{done:?}");
}
