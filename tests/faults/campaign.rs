//! Many scenarios beside each other, and the figures of all together.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use crate::draw;
use crate::scenario::{self, Outcome};

/// Failures that are shown in full.
const SHOWN: usize = 8;

/// Draws and plays so many scenarios from a seed on.
pub(crate) async fn run(first_seed: u64, count: u64, at_once: usize) {
    let began = Instant::now();
    let (outcomes, failures) = each(first_seed, count, at_once, play).await;
    figures(&outcomes, failures.len(), began.elapsed());
    fail(failures, told);
}

/// Plays one after another, so many at once; returns how they ended, and the seeds of those that failed with
/// why.
pub(crate) async fn each<T: Send + 'static, F: Future<Output = Result<T, String>> + Send + 'static>(
    first_seed: u64,
    count: u64,
    at_once: usize,
    play: fn(u64) -> F,
) -> (Vec<T>, Vec<(u64, String)>) {
    let places = Arc::new(Semaphore::new(at_once));
    let mut scenarios = JoinSet::new();
    for seed in first_seed..first_seed + count {
        let places = Arc::clone(&places);
        scenarios.spawn(async move {
            let _place = places.acquire_owned().await.unwrap();
            // A panic in one scenario is that scenario's failure.
            let played = tokio::spawn(play(seed)).await;
            (seed, played.unwrap_or_else(|panic| Err(panic.to_string())))
        });
    }
    let (mut outcomes, mut failures) = (Vec::new(), Vec::new());
    while let Some(ended) = scenarios.join_next().await {
        match ended.unwrap() {
            (_, Ok(outcome)) => outcomes.push(outcome),
            (seed, Err(failure)) => failures.push((seed, failure)),
        }
    }
    failures.sort();
    (outcomes, failures)
}

/// Shows what failed, and fails if anything did.
pub(crate) fn fail(failures: Vec<(u64, String)>, told: fn(u64, &str) -> String) {
    for (seed, failure) in failures.iter().take(SHOWN) {
        println!("{}", told(*seed, failure));
    }
    let seeds: Vec<u64> = failures.into_iter().map(|(seed, _)| seed).collect();
    assert!(seeds.is_empty(), "FAULT_SCENARIO=<seed> repeats one of {seeds:?}");
}

/// Plays the scenario of one seed, and shows it.
pub(crate) async fn repeat(seed: u64) {
    let (setup, script) = draw::scenario(seed);
    println!("{setup:#?}\n{script}");
    match play(seed).await {
        Ok(outcome) => println!("{outcome:?}"),
        Err(failure) => panic!("{}", told(seed, &failure)),
    }
}

async fn play(seed: u64) -> Result<Outcome, String> {
    let (setup, script) = draw::scenario(seed);
    scenario::run(&setup, &script, seed).await
}

fn told(seed: u64, failure: &str) -> String {
    let (setup, script) = draw::scenario(seed);
    format!("scenario {seed}: {setup:?}\n{script}  {failure}")
}

fn figures(outcomes: &[Outcome], failed: usize, wall: Duration) {
    let of = |asked: bool| {
        let mut after: Vec<Duration> =
            outcomes.iter().filter(|outcome| outcome.asked == asked).map(|outcome| outcome.after).collect();
        after.sort();
        after
    };
    let bites: usize = outcomes.iter().map(|outcome| outcome.bites).sum();
    let heard: usize = outcomes.iter().map(|outcome| outcome.heard).sum();
    println!("{} scenarios in {wall:.0?}, {failed} of them failed", outcomes.len() + failed);
    println!("  {heard} messages checked, {bites} silences of Graph long enough for the check of their own");
    for (what, after) in [("by itself", of(false)), ("after a request to refresh", of(true))] {
        let share = |of: usize| after.get((after.len() * of / 100).min(after.len().saturating_sub(1)));
        if let (Some(half), Some(most), Some(max)) = (share(50), share(99), after.last()) {
            println!(
                "  right again {what}: {} times, p50 {half:.1?}, p99 {most:.1?}, max {max:.1?}",
                after.len()
            );
        }
    }
}
