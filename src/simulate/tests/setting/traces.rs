//! What a write leaves behind: sequence numbers, the ledger, and nothing when it fails.

use super::*;
use crate::simulate::{Endpoint, Fault, Scope, Times};

#[tokio::test]
async fn every_accepted_change_has_a_new_sequence_number_and_no_other() {
    let world = World::writable().await;
    let session = world.session("Available", "Available", "PT1H");
    let (_, mut last) = world.look().await;
    for (action, body) in [
        (Action::SetPresence, session.clone()),
        (Action::SetPresence, session),
        (Action::SetUserPreferredPresence, preferred("Busy", "Busy")),
        (Action::ClearUserPreferredPresence, json!({})),
        (Action::ClearUserPreferredPresence, json!({})),
        (Action::SetStatusMessage, message("x")),
        (Action::SetStatusMessage, message("")),
        (Action::ClearPresence, world.session_id()),
    ] {
        world.done(action, &body).await;
        let (_, next) = world.look().await;
        assert!(next > last, "{action}");
        assert_eq!(world.look().await.1, next, "{action}");
        last = next;
    }
    expect_error(world.act(Action::ClearPresence, &world.session_id()), 404, "NotFound").await;
    assert_eq!(world.look().await.1, last);
    world.done(Action::SetPresence, &world.session("Available", "Available", "PT1H")).await;
    let (_, mut last) = world.look().await;
    for minutes in [5, 5, 50] {
        world.skip_minutes(minutes);
        let (_, next) = world.look().await;
        assert!(next > last, "fades after {minutes} min");
        last = next;
    }
}

#[tokio::test]
async fn what_was_written_is_remembered_and_what_was_asked_is_counted() {
    let world = World::writable().await;
    let session = world.session("Busy", "InACall", "PT1H");
    world.done(Action::SetPresence, &session).await;
    expect_error(world.act(Action::SetPresence, &json!({})), 400, "BadRequest").await;
    let path = format!("/users/{}/presence/clearUserPreferredPresence", world.id(1));
    let url = format!("{}/v1.0{path}", world.server.url());
    accepted(world.http.post(url).bearer_auth(&world.token)).await;
    let written = world.tenant.written();
    let written: Vec<_> = written.iter().map(|w| (w.person, w.action, &w.body)).collect();
    let nothing = json!({});
    assert_eq!(
        written,
        [
            (world.id(0), Action::SetPresence, &session),
            (world.id(1), Action::ClearUserPreferredPresence, &nothing)
        ]
    );
    let requests = world.tenant.requests();
    assert_eq!(requests.to(Endpoint::Write(Action::SetPresence)), 2);
    assert_eq!(requests.to(Endpoint::Write(Action::ClearUserPreferredPresence)), 1);
    assert_eq!((requests.writes(), requests.graph()), (3, 3));
    assert!(requests.log.back().unwrap().path.ends_with(&path));
}

#[tokio::test]
async fn writes_count_in_the_window() {
    let mut settings = Settings { request_limit: 1, ..Settings::default() };
    settings.permissions.push("Presence.ReadWrite.All".into());
    let world = World::with(settings).await;
    world.done(Action::SetStatusMessage, &message("x")).await;
    expect_error(world.act(Action::SetStatusMessage, &message("y")), 429, "TooManyRequests").await;
    assert_eq!(world.tenant.written().len(), 1);
}

#[tokio::test]
async fn an_error_writes_nothing_and_a_lost_answer_does() {
    let world = World::writable().await;
    let write = || world.act(Action::SetPresence, &world.session("Busy", "InACall", "PT1H"));
    let one = Scope::Endpoint(Endpoint::Write(Action::SetPresence));
    for scope in [Scope::Writes, one, Scope::Person(world.id(0))] {
        world.tenant.fault(Fault::throttled(7), scope, Times::Next(1));
        let answer = expect_error(write(), 429, "TooManyRequests").await;
        assert_eq!(answer.headers()["retry-after"], "7");
    }
    world.tenant.fault(Fault::Reset, Scope::Writes, Times::Next(1));
    assert!(write().send().await.is_err());
    assert!(world.tenant.written().is_empty());
    world.shows("Offline/Offline").await;
    world.tenant.fault(Fault::Truncate, Scope::Writes, Times::UntilCleared);
    expect(world.read(), 200).await;
    assert!(write().send().await.unwrap().bytes().await.is_err());
    world.tenant.clear_faults();
    world.shows("Busy/InACall").await;
    let one = Scope::Endpoint(Endpoint::Write(Action::ClearPresence));
    world.tenant.fault(Fault::status(503), one, Times::UntilCleared);
    accepted(write()).await;
    expect_error(world.act(Action::ClearPresence, &world.session_id()), 503, "ServiceUnavailable").await;
    world.shows("Busy/InACall").await;
}
