//! Scenarios out of a seed: the same seed draws the same one.

use std::time::Duration;

use fastrand::Rng;
use presence2mqtt::core::model::mqtt::{Protocol, Qos};
use presence2mqtt::core::model::settings::{Endpoint, OnStale};

use crate::chance::{bridge_trouble, broker_trouble, graph_trouble, millis, one_in, silence};
use crate::script::{Act, Script};
use crate::setup::{Followed, Setup};

/// How long the acts of one lane may take together.
const LONGEST_LANE: Duration = Duration::from_millis(5_500);

/// The scenario of a seed.
pub(crate) fn scenario(seed: u64) -> (Setup, Script) {
    let mut random = Rng::with_seed(seed);
    let setup = setup(&mut random);
    let script = script(&setup, &mut random);
    (setup, script)
}

fn setup(random: &mut Rng) -> Setup {
    let endpoint = match random.u32(0..10) {
        0..=4 => Endpoint::Auto,
        5 => Endpoint::Bulk,
        6..=7 => Endpoint::Users,
        _ => Endpoint::Communications,
    };
    let bulk = matches!(endpoint, Endpoint::Auto | Endpoint::Bulk);
    // One by one they are read so often that two processors are busy with a few.
    let people = if bulk { random.usize(1..=40).min(random.usize(1..=40)) } else { random.usize(1..=6) };
    let mut setup = Setup::plain(people);
    setup.endpoint = endpoint;
    setup.poll_interval = if bulk { millis(random, 100..250) } else { millis(random, 250..400) };
    setup.stale_after = millis(random, 1_000..2_000);
    if one_in(random, 3) {
        setup.on_stale = OnStale::Unknown;
    }
    if one_in(random, 4) {
        setup.debounce = millis(random, 100..500);
    }
    setup.include_messages = one_in(random, 3);
    if one_in(random, 3) {
        setup.qos = Qos::AtMostOnce;
    }
    if one_in(random, 6) {
        setup.refresh_interval = Some(millis(random, 400..1_500));
    }
    setup.leftover = one_in(random, 4);
    if one_in(random, 5) {
        setup.protocol = Protocol::V5;
    }
    if one_in(random, 4) {
        setup.users.iter_mut().for_each(|user| user.by_name = one_in(random, 2));
    }
    if one_in(random, 8) {
        // The same person twice is refused, unless it takes Graph to see it.
        let place = random.usize(0..people);
        let by_name = !setup.users[place].by_name;
        setup.users.push(Followed { name: "twin".to_owned(), place, by_name });
    }
    setup
}

fn script(setup: &Setup, random: &mut Rng) -> Script {
    let mut script = Script { change_every: millis(random, 20..300), ..Script::default() };
    // One side alone, or both at once.
    let sides = random.u32(0..4);
    if sides != 0 {
        script.graph = lane(random, |random| graph_trouble(setup, random));
    }
    if one_in(random, 6) {
        script.graph.push(silence(random));
    }
    if sides != 1 {
        script.broker = lane(random, broker_trouble);
    }
    if one_in(random, 2) {
        script.bridge = lane(random, bridge_trouble);
        script.bridge.truncate(3);
    }
    script
}

fn lane<T>(random: &mut Rng, mut trouble: impl FnMut(&mut Rng) -> T) -> Vec<Act<T>> {
    let mut acts: Vec<Act<T>> = Vec::new();
    let end = millis(random, 1_000..5_500).min(LONGEST_LANE);
    let mut at = Duration::ZERO;
    while at < end {
        let lasts = if one_in(random, 4) { millis(random, 1_500..4_500) } else { millis(random, 50..1_500) };
        let act = Act { after: millis(random, 0..700), trouble: trouble(random), lasts };
        at += act.after + act.lasts;
        acts.push(act);
    }
    acts
}

#[test]
fn a_seed_is_a_scenario() {
    let text = |seed| {
        let (setup, script) = scenario(seed);
        format!("{setup:?}{script}")
    };
    assert_eq!(text(7), text(7));
    assert_ne!(text(7), text(8));
}
