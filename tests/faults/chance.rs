//! Troubles out of randomness, each as likely as it teaches something.

use std::time::Duration;

use fastrand::Rng;
use presence2mqtt::simulate::{Fault, RetryAfter, Times, UnknownIds};

use crate::condition::{Condition, Cut, Direction, Directions};
use crate::script::{Act, Asked, BridgeTrouble, BrokerTrouble, GraphTrouble};
use crate::setup::Setup;

pub(crate) fn millis(random: &mut Rng, range: std::ops::Range<u64>) -> Duration {
    Duration::from_millis(random.u64(range))
}

pub(crate) fn one_in(random: &mut Rng, count: u32) -> bool {
    random.u32(0..count) == 0
}

/// Graph says nothing for so long that everybody's health must fall.
pub(crate) fn silence(random: &mut Rng) -> Act<GraphTrouble> {
    let line = GraphTrouble::Line(Condition::Frozen(Directions::Both));
    let trouble = if one_in(random, 3) {
        line
    } else {
        GraphTrouble::Answers { fault: any_fault(random), to: Asked::Graph, times: Times::UntilCleared }
    };
    Act { after: millis(random, 0..300), trouble, lasts: millis(random, 3_500..5_000) }
}

pub(crate) fn cut(random: &mut Rng) -> Cut {
    if random.bool() { Cut::Fin } else { Cut::Rst }
}

fn condition(random: &mut Rng) -> Condition {
    let direction = if random.bool() { Direction::Up } else { Direction::Down };
    match random.u32(0..8) {
        0 => Condition::Closed,
        1 => Condition::HangsUp(cut(random)),
        2 => Condition::Frozen(Directions::Both),
        3 => Condition::Frozen(Directions::Up),
        4 => Condition::Frozen(Directions::Down),
        5 => Condition::Slow { bytes: random.usize(64..512), pause: millis(random, 1..4) },
        _ => Condition::Truncates { direction, after: random.usize(1..600), cut: cut(random) },
    }
}

pub(crate) fn broker_trouble(random: &mut Rng) -> BrokerTrouble {
    match random.u32(0..10) {
        0..=5 => BrokerTrouble::Line(condition(random)),
        6..=7 => BrokerTrouble::Cut(cut(random)),
        _ => BrokerTrouble::Lost,
    }
}

pub(crate) fn bridge_trouble(random: &mut Rng) -> BridgeTrouble {
    match random.u32(0..9) {
        0 => BridgeTrouble::Restart,
        1 => BridgeTrouble::RestartWithout,
        2 => BridgeTrouble::Killed,
        3 => BridgeTrouble::ReloadWithout,
        4 => BridgeTrouble::ReloadBroker,
        5 => BridgeTrouble::BadReload,
        _ => BridgeTrouble::Refresh,
    }
}

pub(crate) fn graph_trouble(setup: &Setup, random: &mut Rng) -> GraphTrouble {
    let place = random.usize(0..setup.people());
    match random.u32(0..25) {
        0..=2 => GraphTrouble::Line(condition(random)),
        3 => GraphTrouble::Cut(cut(random)),
        4 => GraphTrouble::UnknownIds(unknown_ids(random)),
        5 => GraphTrouble::CamelCase,
        6 => GraphTrouble::Wrapped,
        7 => GraphTrouble::TokensRevoked,
        8..=9 => GraphTrouble::Gone(place),
        10 => GraphTrouble::Behind(place),
        11 => denial(place, random),
        12 => GraphTrouble::Paged(random.usize(5..=20)),
        // A token is asked for when one was refused, or at the start: an outage of the sign-in service alone
        // shows only with those.
        13..=14 => spoiled(passing_fault(random), Asked::SignIn, random),
        15 => spoiled(passing_fault(random), Asked::Person(place), random),
        16 => GraphTrouble::Answers { fault: Fault::status(401), to: Asked::Graph, times: Times::Chance(50) },
        17..=19 => spoiled(passing_fault(random), Asked::Anything, random),
        _ => spoiled(any_fault(random), Asked::Graph, random),
    }
}

fn spoiled(fault: Fault, to: Asked, random: &mut Rng) -> GraphTrouble {
    let times = match random.u32(0..4) {
        0..=1 if fault != Fault::Huge => Times::UntilCleared,
        2 if fault != Fault::Huge => Times::Chance(50),
        _ => Times::Next(random.u32(1..4)),
    };
    GraphTrouble::Answers { fault, to, times }
}

/// Graph says that somebody, or everybody, cannot be read.
fn denial(place: usize, random: &mut Rng) -> GraphTrouble {
    let status = *random.choice([400, 403, 404].iter()).unwrap_or(&404);
    let to = if random.bool() { Asked::Graph } else { Asked::Person(place) };
    spoiled(Fault::status(status), to, random)
}

/// What Graph does when it is not well, that the sign-in service may do too.
fn passing_fault(random: &mut Rng) -> Fault {
    match random.u32(0..11) {
        0 => Fault::throttled(random.u64(1..=2)),
        1 => Fault::status(429),
        2 => Fault::status(random.choice([500, 502, 503, 504]).unwrap_or(500)),
        3 => {
            let retry_after = Some(RetryAfter::Date(Duration::from_secs(2)));
            Fault::Error { status: 503, retry_after }
        }
        4 => Fault::Slow(millis(random, 50..1_200)),
        5 => Fault::Dribble(millis(random, 1..20)),
        6 => Fault::Hang,
        7 => Fault::Reset,
        8 => Fault::Truncate,
        9 => Fault::Html,
        _ => Fault::Redirect { location: "http://127.0.0.1:9/portal".to_owned() },
    }
}

fn any_fault(random: &mut Rng) -> Fault {
    match random.u32(0..17) {
        0..=2 => Fault::WrongType,
        3..=5 => Fault::UserInstead,
        6 => Fault::Huge,
        7 => Fault::EmptyMessage { status: 503 },
        8 => Fault::HalfCharacters,
        _ => passing_fault(random),
    }
}

fn unknown_ids(random: &mut Rng) -> UnknownIds {
    random.choice([UnknownIds::Missing, UnknownIds::Refused, UnknownIds::PresenceUnknown]).unwrap_or_default()
}
