//! `login` as people meet it: what it asks, what it says, and what it spares them.

use std::io::{BufRead, BufReader, Write};
use std::process::Stdio;
use std::time::Duration;

use jiff::tz::{Offset, TimeZone};
use jiff::{SignedDuration, Timestamp};
use presence2mqtt::simulate::{AutoApprove, Endpoint, Fault, Scope, Times};

use crate::sign_in::Home;
use crate::stage::within;
use crate::typing::Typist;

/// Follows a link as a browser does that does not reach the machine where the sign-in was begun: the address
/// it ends on.
pub(crate) async fn landing(link: &str) -> String {
    let stays = reqwest::redirect::Policy::none();
    let browser = reqwest::Client::builder().tls_certs_only([]).redirect(stays).build().unwrap();
    let answer = within(browser.get(link).send()).await.unwrap();
    answer.headers()["location"].to_str().unwrap().to_owned()
}

fn link_in(text: &str) -> String {
    text.lines().map(str::trim).find(|line| line.starts_with("http://")).unwrap().to_owned()
}

impl Home {
    /// Lets this person sign in for every code, at the first question whether somebody has.
    fn codes_are_used_by(&self, person: usize) {
        let person = self.stage.tenant.people()[person].id;
        let used = AutoApprove { after: 0, person };
        self.stage.tenant.switch(|switches| switches.auto_approve = Some(used));
    }
}

#[tokio::test]
async fn the_first_line_is_for_the_question_when_the_browser_came_back_by_itself() {
    let home = Home::new().await;
    home.stage.tenant.sign_in_browser_as(home.stage.tenant.people()[1].id);
    let mut person = Typist::before(home.command(&["login", "--browser", "--no-open"]));
    person.sees("Paste that address here").await;
    let browser = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    within(browser.get(link_in(&person.screen)).send()).await.unwrap();
    person.sees("Use this account for the bridge? [Y/n] ").await;
    person.types("No");
    let (code, screen) = person.end().await;
    assert_eq!((code, screen.contains("not saved")), (Some(77), true), "{screen}");
    assert!(home.told(&["whoami"]).await.1.contains("no account is signed in"));
}

#[tokio::test]
async fn a_wrong_address_is_asked_for_again_and_the_right_one_is_followed_by_a_question() {
    let home = Home::new().await;
    home.stage.tenant.sign_in_browser_as(home.stage.tenant.people()[1].id);
    let mut person = Typist::before(home.command(&["login", "--browser", "--no-open"]));
    person.sees("Paste that address here").await;
    person.types("https://login.example/common/oauth2");
    person.sees("copy all of it").await;
    let landing = landing(&link_in(&person.screen)).await;
    person.types(&landing);
    person.sees("Use this account for the bridge? [Y/n] ").await;
    person.types("");
    let (code, screen) = person.end().await;
    assert_eq!((code, screen.contains("Saved.")), (Some(0), true), "{screen}");
}

#[tokio::test]
async fn enter_does_not_change_whom_the_bridge_follows() {
    let home = Home::new().await;
    home.log_in(0).await;
    home.codes_are_used_by(1);
    for (typed, code, account) in [("", 77, "alice"), ("YES", 0, "bob")] {
        let mut person = Typist::before(home.command(&["login"]));
        person.sees("The bridge follows alice@contoso.example. Change to this account? [y/N] ").await;
        person.types(typed);
        let (ended, screen) = person.end().await;
        assert_eq!(ended, Some(code), "{screen}");
        // On a terminal there is a picture of the address.
        assert!(screen.contains('▀'), "{screen}");
        assert!(home.told(&["whoami"]).await.1.contains(&format!("{account}@contoso.example")));
    }
}

#[tokio::test]
async fn an_address_may_come_through_a_pipe() {
    let home = Home::new().await;
    home.stage.tenant.sign_in_browser_as(home.stage.tenant.people()[0].id);
    let mut command = home.command(&["login", "--browser", "--no-open"]);
    let mut child = command.stdin(Stdio::piped()).spawn().unwrap();
    let mut lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
    let link = lines.find(|line| line.starts_with("http://")).unwrap();
    let landing = landing(&link).await;
    writeln!(child.stdin.take().unwrap(), "{landing}").unwrap();
    let ended = tokio::task::spawn_blocking(move || (lines.last(), child.wait().unwrap().code()));
    let (last, code) = within(ended).await.unwrap();
    assert!(last.unwrap().starts_with("Saved."));
    assert_eq!(code, Some(0));
}

#[tokio::test]
async fn the_code_expires_by_the_clock_of_the_machine() {
    let home = Home::new().await;
    home.codes_are_used_by(0);
    let before = Timestamp::now();
    let mut command = home.command(&["login"]);
    // Half an hour off, so that no other zone's clock is mistaken for it.
    let ended = tokio::task::spawn_blocking(move || command.env("TZ", "IST-5:30").output().unwrap());
    let text = String::from_utf8(within(ended).await.unwrap().stdout).unwrap();
    let there = TimeZone::fixed(Offset::from_seconds(19_800).unwrap());
    let lives = Duration::from_secs(15 * 60);
    let seconds = before.duration_until(Timestamp::now()).as_secs() + 1;
    let could_be = (0..=seconds).map(|second| {
        let end = before + lives + SignedDuration::from_secs(second);
        format!("The code expires in 15 minutes, at {}.", end.to_zoned(there.clone()).strftime("%H:%M"))
    });
    assert!(could_be.clone().any(|sentence| text.contains(&sentence)), "{text}");
}

#[tokio::test]
async fn a_tenant_that_blocks_codes_is_said_within_one_question_with_the_way_out() {
    for number in [530_035, 530_034, 53_003] {
        let home = Home::new().await;
        let blocked = Fault::SignIn { code: number };
        home.stage.tenant.fault(blocked, Scope::Endpoint(Endpoint::Token), Times::UntilCleared);
        let (code, text) = home.told(&["login"]).await;
        assert_eq!(code, Some(77), "{text}");
        for expected in ["blocks", &format!("AADSTS{number}"), "run `presence2mqtt login", " --browser`"] {
            assert!(text.contains(expected), "{expected} in {text}");
        }
        assert_eq!(home.stage.tenant.requests().to(Endpoint::Token), 1);
    }
}
