//! The promise under every fault: when a fault has ended, the broker holds what is true; while it lasts,
//! whoever looks can tell.
//!
//! The real bridge runs in this process between the simulated tenant and the embedded broker. Two lines of
//! the test's own are between them, which can be closed, cut, frozen, slowed down and truncated. Scenarios
//! are drawn from a seed.
//!
//! ```text
//! cargo test --test faults                                   # the scripted ones, and 40 drawn from seed 1
//! FAULT_SCENARIOS=1000 FAULT_SEED=1 cargo test --release --test faults -- --nocapture  # all
//! FAULT_SCENARIO=17 cargo test --test faults -- --nocapture random     # one again, with the log
//! FAULT_CONCURRENCY=48 …                                     # how many at once; by default 64
//! ```
//!
//! Two instances of a bridge that take turns (`mqtt.standby`) are the program itself in two processes: they
//! are killed, frozen and cut off, and must never be two for longer than a moment, nor none for longer than
//! is promised.
//!
//! ```text
//! cargo test --test faults two_bridges                       # three drawn from seed 1
//! FAULT_SCENARIOS=1000 FAULT_CONCURRENCY=20 cargo test --release --test faults two_bridges -- --nocapture
//! FAULT_SCENARIO=17 cargo test --test faults -- --nocapture two_bridges     # one again, with both logs
//! ```
//!
//! A scenario runs in real time, so that the same seed does the same things, but not to the microsecond.
//!
//! In reading order: `script` says what can go wrong, `condition` what with a line, `setup` what a scenario
//! starts from; `draw` makes one from a seed, by `chance`. `stage` is everything that takes part, with `line`
//! between, `people` in the tenant, `words` for what they are and `observer` at the broker; `play` plays a
//! script. `truth` is what must be found in the end and `belief` what must hold at every moment; `scenario`
//! is one from beginning to end, `campaign` many; `scripted` are those worth a name. With two instances:
//! `takeover` draws a plan, `pair` is the stage with each `instance` on it, `handover` plays the plan and
//! judges it, by `turns` who held the place; `two_bridges` plays many.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "tests read clocks, start tasks, print what they measured, and end where something is wrong"
)]

mod belief;
mod campaign;
mod chance;
mod condition;
mod draw;
mod handover;
mod instance;
mod line;
mod observer;
mod pair;
mod people;
mod play;
mod scenario;
mod script;
mod scripted;
mod setup;
mod stage;
mod takeover;
mod truth;
mod turns;
mod two_bridges;
mod words;

/// A number from the environment.
fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name} must be a number")))
}

#[tokio::test(flavor = "multi_thread")]
async fn random_faults_end_in_the_truth() {
    if let Some(seed) = number("FAULT_SCENARIO") {
        tracing_subscriber::fmt().with_max_level(tracing::Level::DEBUG).with_writer(std::io::stderr).init();
        return campaign::repeat(seed).await;
    }
    let (seed, count) = (number("FAULT_SEED").unwrap_or(1), number("FAULT_SCENARIOS").unwrap_or(40));
    let at_once = number("FAULT_CONCURRENCY").unwrap_or(64);
    campaign::run(seed, count, usize::try_from(at_once).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_bridges_take_turns_whatever_happens() {
    if let Some(seed) = number("FAULT_SCENARIO") {
        return two_bridges::repeat(seed).await;
    }
    let (seed, count) = (number("FAULT_SEED").unwrap_or(1), number("FAULT_SCENARIOS").unwrap_or(3));
    let at_once = number("FAULT_CONCURRENCY").unwrap_or(6);
    two_bridges::run(seed, count, usize::try_from(at_once).unwrap()).await;
}

#[tokio::test(flavor = "multi_thread")]
async fn two_bridges_hand_over_ten_times_within_one_budget() {
    two_bridges::ten_updates().await;
}
