//! Scenarios worth a name: each fault alone and for long enough, and the ones that only a script brings
//! about.

use std::time::Duration;

use presence2mqtt::core::model::settings::{Endpoint, OnStale};
use presence2mqtt::simulate::{Fault, RetryAfter, Times, UnknownIds};
use tokio::task::JoinSet;

use crate::condition::{Condition, Cut, Direction, Directions};
use crate::scenario::{self, Outcome, settle};
use crate::script::{Act, Asked, BridgeTrouble, BrokerTrouble, GraphTrouble, Script};
use crate::setup::Setup;
use crate::stage::{Stage, within};

/// Long enough that everybody's health must have fallen.
const LONG: Duration = Duration::from_millis(3_500);

const CHANGE_EVERY: Duration = Duration::from_millis(60);

fn millis(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn act<T>(after: u64, trouble: T, lasts: Duration) -> Act<T> {
    Act { after: millis(after), trouble, lasts }
}

fn with_graph(acts: Vec<Act<GraphTrouble>>) -> Script {
    Script { graph: acts, change_every: CHANGE_EVERY, ..Script::default() }
}

fn with_broker(acts: Vec<Act<BrokerTrouble>>) -> Script {
    Script { broker: acts, change_every: CHANGE_EVERY, ..Script::default() }
}

async fn play(setup: &Setup, script: &Script) -> Outcome {
    match scenario::run(setup, script, 7).await {
        Ok(outcome) => outcome,
        Err(failure) => panic!("{setup:?}\n{script}  {failure}"),
    }
}

/// Plays all of them beside each other.
async fn play_each(setup: &Setup, scripts: Vec<Script>) -> Vec<Outcome> {
    assert!(!scripts.is_empty());
    let mut playing = JoinSet::new();
    for script in scripts {
        let setup = setup.clone();
        playing.spawn(async move { play(&setup, &script).await });
    }
    playing.join_all().await
}

#[tokio::test(flavor = "multi_thread")]
async fn however_graph_fails_nobody_is_believed_for_long_and_all_is_right_afterwards() {
    let error = |status, retry_after| Fault::Error { status, retry_after };
    let faults = [
        Fault::status(429),
        Fault::throttled(1),
        error(429, Some(RetryAfter::Date(Duration::from_secs(2)))),
        Fault::status(404),
        Fault::status(500),
        Fault::status(502),
        error(503, Some(RetryAfter::Seconds(2))),
        Fault::status(504),
        Fault::EmptyMessage { status: 503 },
        Fault::Slow(millis(1_500)),
        Fault::Hang,
        Fault::Reset,
        Fault::Truncate,
        Fault::Html,
        Fault::WrongType,
        Fault::UserInstead,
        Fault::Huge,
        Fault::Redirect { location: "http://127.0.0.1:9/portal".to_owned() },
    ];
    let answers =
        faults.map(|fault| GraphTrouble::Answers { fault, to: Asked::Graph, times: Times::UntilCleared });
    let lines = [
        Condition::Closed,
        Condition::HangsUp(Cut::Rst),
        Condition::HangsUp(Cut::Fin),
        Condition::Frozen(Directions::Both),
        Condition::Frozen(Directions::Down),
    ]
    .map(GraphTrouble::Line);
    let troubles = answers.into_iter().chain(lines);
    let scripts = troubles.map(|trouble| with_graph(vec![act(800, trouble, LONG)])).collect();
    for outcome in play_each(&Setup::plain(3), scripts).await {
        assert_eq!(outcome.bites, 1);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn however_the_broker_is_lost_it_holds_the_truth_afterwards() {
    let truncates = |direction, after| Condition::Truncates { direction, after, cut: Cut::Rst };
    let conditions = [
        Condition::Closed,
        Condition::HangsUp(Cut::Fin),
        Condition::HangsUp(Cut::Rst),
        Condition::Frozen(Directions::Both),
        Condition::Frozen(Directions::Up),
        Condition::Frozen(Directions::Down),
        Condition::Slow { bytes: 100, pause: millis(2) },
        // Within CONNECT, within the first of many messages, within the answers to them.
        truncates(Direction::Up, 7),
        truncates(Direction::Up, 333),
        truncates(Direction::Down, 3),
        truncates(Direction::Down, 50),
    ];
    let mut troubles: Vec<BrokerTrouble> = conditions.into_iter().map(BrokerTrouble::Line).collect();
    troubles.extend([BrokerTrouble::Cut(Cut::Fin), BrokerTrouble::Cut(Cut::Rst), BrokerTrouble::Lost]);
    let lasts = |trouble| with_broker(vec![act(500, trouble, LONG)]);
    play_each(&Setup::plain(5), troubles.into_iter().map(lasts).collect()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_broker_that_loses_everything_again_and_again_has_everything_in_the_end() {
    let lost = |after| act(after, BrokerTrouble::Lost, millis(100));
    let mut script = with_broker(vec![lost(0), lost(400), lost(300), lost(700), lost(20)]);
    script.bridge =
        vec![act(500, BridgeTrouble::Restart, millis(50)), act(300, BridgeTrouble::Refresh, millis(0))];
    play(&Setup { leftover: true, ..Setup::plain(40) }, &script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn graph_and_broker_may_both_be_away_at_the_start() {
    let closed = Condition::Closed;
    let mut script = with_broker(vec![act(0, BrokerTrouble::Line(closed), millis(2_000))]);
    script.graph = vec![act(0, GraphTrouble::Line(closed), LONG)];
    play(&Setup { leftover: true, ..Setup::plain(3) }, &script).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_bridge_killed_or_stopped_behind_a_frozen_line_leaves_nothing_false() {
    let mut scripts = Vec::new();
    for directions in [Directions::Both, Directions::Up, Directions::Down] {
        for trouble in [BridgeTrouble::Killed, BridgeTrouble::Restart, BridgeTrouble::RestartWithout] {
            let frozen = BrokerTrouble::Line(Condition::Frozen(directions));
            let mut script = with_broker(vec![act(700, frozen, LONG)]);
            script.bridge = vec![act(1_200, trouble, millis(30))];
            scripts.push(script);
        }
    }
    play_each(&Setup::plain(4), scripts).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_stale_user_fades_where_that_is_configured_and_is_right_afterwards() {
    let hang = GraphTrouble::Answers { fault: Fault::Hang, to: Asked::Graph, times: Times::UntilCleared };
    let setup = Setup { on_stale: OnStale::Unknown, ..Setup::plain(3) };
    assert_eq!(play(&setup, &with_graph(vec![act(800, hang, LONG)])).await.bites, 1);
}

#[tokio::test(flavor = "multi_thread")]
async fn what_graph_refused_for_a_moment_is_right_again_by_itself() {
    let refused =
        |status, to| GraphTrouble::Answers { fault: Fault::status(status), to, times: Times::UntilCleared };
    let scripts = |troubles: Vec<GraphTrouble>| {
        troubles.into_iter().map(|trouble| with_graph(vec![act(800, trouble, millis(1_500))])).collect()
    };
    let everybody = scripts(vec![refused(403, Asked::Graph), refused(400, Asked::Graph)]);
    let one_by_one =
        scripts(vec![refused(403, Asked::Person(1)), refused(404, Asked::Person(1)), GraphTrouble::Gone(1)]);
    let users = Setup { endpoint: Endpoint::Users, ..Setup::plain(3) };
    for outcome in
        play_each(&Setup::plain(3), everybody).await.into_iter().chain(play_each(&users, one_by_one).await)
    {
        assert!(!outcome.asked, "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn somebody_who_left_the_tenant_is_right_again_when_they_are_back() {
    let gone = || act(300, GraphTrouble::Gone(0), millis(1_000));
    for unknown_ids in [UnknownIds::Missing, UnknownIds::PresenceUnknown] {
        let acts = vec![act(0, GraphTrouble::UnknownIds(unknown_ids), millis(0)), gone(), gone()];
        let outcome = play(&Setup::plain(3), &with_graph(acts)).await;
        assert!(!outcome.asked, "{outcome:?}");
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn revoked_tokens_and_a_sign_in_service_that_is_away_end_in_the_truth() {
    let away = |fault| GraphTrouble::Answers { fault, to: Asked::SignIn, times: Times::UntilCleared };
    let faults =
        [Fault::status(503), Fault::throttled(1), Fault::Hang, Fault::Reset, Fault::Html, Fault::Truncate];
    let scripts = faults.map(|fault| {
        let revoked = act(700, GraphTrouble::TokensRevoked, millis(0));
        with_graph(vec![revoked, act(0, away(fault), millis(2_000))])
    });
    play_each(&Setup::plain(2), scripts.into()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_refused_sign_in_ends_when_the_file_of_the_secret_changes() {
    let home = tempfile::tempdir().unwrap();
    let file = home.path().join("secret");
    std::fs::write(&file, "simulated-secret").unwrap();
    let secret = format!("client_secret_file = \"{}\"", file.display());
    let stage = Stage::set(&Setup::plain(2), Some(&secret), &mut fastrand::Rng::with_seed(7)).await;
    stage.bridge.lock().await.start();
    let holds = |topic: &'static str, payload: &'static str| {
        stage
            .observer
            .until(payload, move |record| record.now.get(topic).is_some_and(|held| held.contains(payload)))
    };
    holds("presence/user1/health", "ok").await;
    let tenant = &stage.people.tenant;
    tenant.switch(|switches| switches.secret_expired = true);
    tenant.revoke_tokens();
    holds("presence/user0/health", "sign_in_required").await;
    holds("presence/user1/health", "sign_in_required").await;
    holds("presence/bridge/health", "sign_in_required").await;

    tenant.switch(|switches| switches.secret_expired = false);
    std::fs::write(&file, "simulated-secret\n").unwrap();
    // By itself it would be tried again after half a minute at the earliest.
    let (after, _) = within("the truth", settle(&stage, &Script::default())).await.unwrap();
    assert!(after < Duration::from_secs(15), "{after:?}");
    stage.bridge.lock().await.stop().await;
    stage.strike().await;
}
