//! What goes wrong with one of two instances, or with what is between them and the rest of the world.

use std::fmt;
use std::time::Duration;

use fastrand::Rng;

use crate::chance::{cut, millis, one_in};
use crate::condition::{Condition, Directions};

/// One trouble, and how long it stays.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Upset {
    pub(crate) trouble: Trouble,
    pub(crate) lasts: Duration,
}

/// Whose trouble it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Who {
    Holder,
    Waiter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Trouble {
    /// Ended without a word, and run again afterwards.
    Killed(Who),
    /// Not scheduled, and thawed afterwards.
    Frozen(Who),
    /// Asked to end, and run again afterwards.
    Stopped(Who),
    /// The line between it and the broker.
    CutOff(Who, Condition),
    /// The lines of both, at once.
    BothCutOff(Condition),
    /// The line between the holder and Graph.
    Blind(Condition),
    /// The broker goes, and comes back with or without what it kept; perhaps the holder is killed together
    /// with it.
    BrokerLost { keeps: bool, with_holder: bool },
}

/// A whole scenario.
#[derive(Debug, Clone)]
pub(crate) struct Plan {
    pub(crate) people: usize,
    pub(crate) protocol: &'static str,
    /// One of the clocks is wrong by so much.
    pub(crate) clock: Option<&'static str>,
    /// How much later the second one starts.
    pub(crate) apart: Duration,
    pub(crate) upsets: Vec<Upset>,
}

impl Plan {
    /// As many hand-overs, one right after the other, as in ten updates.
    pub(crate) fn ten_updates() -> Self {
        let upset = Upset { trouble: Trouble::Stopped(Who::Holder), lasts: Duration::from_millis(300) };
        Self { people: 3, protocol: "3.1.1", clock: None, apart: Duration::ZERO, upsets: vec![upset; 10] }
    }

    /// The plan of a seed.
    pub(crate) fn drawn(seed: u64) -> Self {
        let mut random = Rng::with_seed(seed);
        Self {
            people: random.usize(1..=6),
            protocol: if one_in(&mut random, 4) { "5" } else { "3.1.1" },
            clock: one_in(&mut random, 3).then(|| *random.choice(&["-2h", "-40s", "-400d"]).unwrap()),
            apart: millis(&mut random, 0..1_500),
            upsets: (0..2).map(|_| Upset::drawn(&mut random)).collect(),
        }
    }
}

impl Upset {
    fn drawn(random: &mut Rng) -> Self {
        let trouble = match random.u32(0..22) {
            0..=2 => Trouble::Killed(Who::Holder),
            3 => Trouble::Killed(Who::Waiter),
            4..=6 => Trouble::Frozen(Who::Holder),
            7..=8 => Trouble::Frozen(Who::Waiter),
            9..=10 => Trouble::Stopped(Who::Holder),
            11 => Trouble::Stopped(Who::Waiter),
            12..=14 => Trouble::CutOff(Who::Holder, condition(random)),
            15..=16 => Trouble::CutOff(Who::Waiter, condition(random)),
            17 => Trouble::BothCutOff(condition(random)),
            18 => Trouble::Blind(condition(random)),
            19..=20 => Trouble::BrokerLost { keeps: random.bool(), with_holder: false },
            _ => Trouble::BrokerLost { keeps: random.bool(), with_holder: true },
        };
        let longest = match trouble {
            Trouble::Frozen(_) | Trouble::CutOff(..) => 11_000,
            Trouble::Killed(_) | Trouble::BothCutOff(_) => 7_000,
            Trouble::Stopped(_) | Trouble::Blind(_) | Trouble::BrokerLost { .. } => 3_000,
        };
        Self { trouble, lasts: millis(random, 100..longest) }
    }
}

fn condition(random: &mut Rng) -> Condition {
    match random.u32(0..5) {
        0 => Condition::Closed,
        1 => Condition::HangsUp(cut(random)),
        2 => Condition::Frozen(Directions::Both),
        3 => Condition::Frozen(Directions::Up),
        _ => Condition::Frozen(Directions::Down),
    }
}

impl Trouble {
    /// Who must not be taken for the next holder while it lasts.
    pub(crate) fn takes_away_the_holder(self) -> bool {
        matches!(
            self,
            Self::Killed(Who::Holder)
                | Self::Frozen(Who::Holder)
                | Self::Stopped(Who::Holder)
                | Self::CutOff(Who::Holder, _)
                | Self::BrokerLost { with_holder: true, .. }
        )
    }

    /// Whether the one that holds the place keeps it, whatever happens.
    pub(crate) fn leaves_the_holder_alone(self) -> bool {
        matches!(
            self,
            Self::Killed(Who::Waiter)
                | Self::Frozen(Who::Waiter)
                | Self::Stopped(Who::Waiter)
                | Self::CutOff(Who::Waiter, _)
                | Self::Blind(_)
        )
    }

    /// Nothing can be right before it ends.
    pub(crate) fn is_for_everybody(self) -> bool {
        matches!(self, Self::BothCutOff(_) | Self::Blind(_) | Self::BrokerLost { .. })
    }

    /// When somebody must hold the place again and all must be right: after it began, or after it ended where
    /// it is for everybody.
    pub(crate) fn bound(self) -> Duration {
        Duration::from_secs(match self {
            Self::Killed(Who::Holder) => 6,
            Self::Frozen(Who::Holder) => 9,
            Self::Stopped(Who::Holder) => 1,
            Self::CutOff(Who::Holder, _) | Self::BothCutOff(_) | Self::BrokerLost { .. } => 12,
            // Nothing that concerns the holder; but whoever changes is read only once a second.
            Self::Killed(_) | Self::Frozen(_) | Self::Stopped(_) | Self::CutOff(..) => 3,
            // It tries again after pauses that grow.
            Self::Blind(_) => 9,
        })
    }
}

impl fmt::Display for Trouble {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let who = |who: &Who| if *who == Who::Holder { "holder" } else { "waiting one" };
        match self {
            Self::Killed(one) => write!(f, "{} killed", who(one)),
            Self::Frozen(one) => write!(f, "{} frozen", who(one)),
            Self::Stopped(one) => write!(f, "{} stopped by SIGTERM", who(one)),
            Self::CutOff(one, Condition::Frozen(_)) => write!(f, "{} on a line that is dead", who(one)),
            Self::CutOff(one, _) => write!(f, "{} cut off", who(one)),
            Self::BothCutOff(_) => write!(f, "both cut off"),
            Self::Blind(_) => write!(f, "holder without Graph"),
            Self::BrokerLost { keeps, with_holder } => {
                let also = if *with_holder { " and holder killed" } else { " restarted" };
                write!(f, "broker{also}, {} its store", if *keeps { "with" } else { "without" })
            }
        }
    }
}

impl fmt::Display for Plan {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { people, protocol, clock, apart, upsets } = self;
        writeln!(f, "  {people} people, MQTT {protocol}, clock {clock:?}, started {apart:.1?} apart")?;
        for Upset { trouble, lasts } in upsets {
            writeln!(f, "  {trouble}, for {lasts:.1?}: {trouble:?}")?;
        }
        Ok(())
    }
}
