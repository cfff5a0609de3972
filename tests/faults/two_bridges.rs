//! Many scenarios with two instances, and the figures of all together.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use crate::campaign::{each, fail};
use crate::handover::{self, Outcome};
use crate::takeover::Plan;

/// Draws and plays so many scenarios from a seed on.
pub(crate) async fn run(first_seed: u64, count: u64, at_once: usize) {
    let began = Instant::now();
    let (outcomes, failures) = each(first_seed, count, at_once, play).await;
    println!(
        "{count} scenarios with two instances in {:.0?}, {} of them failed",
        began.elapsed(),
        failures.len()
    );
    figures(&outcomes);
    fail(failures, told);
}

/// Plays the scenario of one seed, and shows it.
pub(crate) async fn repeat(seed: u64) {
    println!("{}", Plan::drawn(seed));
    match play(seed).await {
        Ok(outcomes) => println!("{outcomes:#?}"),
        Err(failure) => panic!("{}", told(seed, &failure)),
    }
}

/// The requests of ten hand-overs are those of one bridge, and none is denied.
pub(crate) async fn ten_updates() {
    let plan = Plan::ten_updates();
    match handover::run(&plan, 1).await {
        Ok(outcomes) => {
            assert_eq!(outcomes.len(), plan.upsets.len());
            figures(&[outcomes]);
        }
        Err(failure) => panic!("{plan}  {failure}"),
    }
}

async fn play(seed: u64) -> Result<Vec<Outcome>, String> {
    handover::run(&Plan::drawn(seed), seed).await
}

fn told(seed: u64, failure: &str) -> String {
    format!("scenario {seed}:\n{}  {failure}", Plan::drawn(seed))
}

fn figures(scenarios: &[Vec<Outcome>]) {
    let outcomes = || scenarios.iter().flatten();
    let together = outcomes().map(|outcome| outcome.together).max().unwrap_or_default();
    let requests = outcomes().map(|outcome| outcome.requests).max().unwrap_or(0);
    let repeated: usize =
        scenarios.iter().filter_map(|outcomes| outcomes.first()).map(|one| one.repeated).sum();
    println!(
        "  two at once for at most {together:.1?}; at most {requests} requests in 30 s; {repeated} values said again by a next holder"
    );
    let mut kinds: BTreeMap<(&str, Duration), Vec<Duration>> = BTreeMap::new();
    for outcome in outcomes() {
        kinds.entry((&outcome.kind, outcome.bound)).or_default().push(outcome.after);
    }
    for ((kind, bound), after) in &mut kinds {
        after.sort();
        let (half, max) = (after[after.len() / 2], after[after.len() - 1]);
        println!("  {kind}: {} times, right after p50 {half:.1?}, max {max:.1?} of {bound:?}", after.len());
    }
}
