//! What goes wrong, when, and for how long.
//!
//! Three lanes run beside each other, so that Graph may fail while the broker does; within a lane one act
//! follows another. A new kind of trouble is a variant here, an arm in `play`, and a line in `draw`.

use std::fmt;
use std::time::Duration;

use presence2mqtt::simulate::{Fault, Times, UnknownIds};

use crate::condition::{Condition, Cut};
use crate::setup::REQUEST_TIMEOUT;

/// One trouble in a lane.
#[derive(Debug, Clone)]
pub(crate) struct Act<Trouble> {
    /// Since the end of the act before.
    pub(crate) after: Duration,
    pub(crate) trouble: Trouble,
    /// How long it stays; what happens at once is over at once.
    pub(crate) lasts: Duration,
}

/// A whole scenario but for its setup.
#[derive(Debug, Clone, Default)]
pub(crate) struct Script {
    pub(crate) broker: Vec<Act<BrokerTrouble>>,
    pub(crate) graph: Vec<Act<GraphTrouble>>,
    pub(crate) bridge: Vec<Act<BridgeTrouble>>,
    /// Between two changes of somebody's presence, while all this goes on.
    pub(crate) change_every: Duration,
}

/// Between the bridge and the broker, and with the broker itself.
#[derive(Debug, Clone)]
pub(crate) enum BrokerTrouble {
    Line(Condition),
    Cut(Cut),
    /// Stopped; what is started in its place afterwards remembers nothing.
    Lost,
}

/// Between the bridge and Graph, and with Graph itself.
#[derive(Debug, Clone)]
pub(crate) enum GraphTrouble {
    Line(Condition),
    Cut(Cut),
    Answers {
        fault: Fault,
        to: Asked,
        times: Times,
    },
    /// How bulk reads treat ids that nobody has.
    UnknownIds(UnknownIds),
    /// Bulk answers come so many people at a time.
    Paged(usize),
    /// Values are spelled with a small first letter.
    CamelCase,
    /// `GET /communications/presences/{id}` answers with a list.
    Wrapped,
    TokensRevoked,
    /// Somebody is not in the tenant for a while.
    Gone(usize),
    /// Old news of somebody, under an old sequence number.
    Behind(usize),
}

/// Who is asked, when the answer is spoiled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Asked {
    Anything,
    Graph,
    SignIn,
    Person(usize),
}

/// With the bridge itself.
#[derive(Debug, Clone)]
pub(crate) enum BridgeTrouble {
    /// Stopped, and run again afterwards.
    Restart,
    /// Stopped, and run again without the last of its users.
    RestartWithout,
    /// Handed a configuration without the last of its users while it runs.
    ReloadWithout,
    /// Handed a configuration that needs another connection to the broker: it starts again by itself.
    ReloadBroker,
    /// Told that its configuration is broken, and handed the right one afterwards.
    BadReload,
    /// Ended without a word, and run again afterwards.
    Killed,
    /// Somebody asks for a refresh.
    Refresh,
}

impl Script {
    /// Whether Graph may say of somebody that they cannot be read, after which the bridge looks at them again
    /// only every five minutes, or when somebody asks for a refresh.
    pub(crate) fn denies(&self) -> bool {
        self.graph.iter().any(|act| match &act.trouble {
            GraphTrouble::Answers {
                fault: Fault::Error { status, .. } | Fault::EmptyMessage { status },
                ..
            } => {
                matches!(status, 400 | 403 | 404)
            }
            GraphTrouble::Gone(_) => true,
            _ => false,
        })
    }

    /// Whether anything stands between the bridge and the broker.
    pub(crate) fn troubles_the_broker(&self) -> bool {
        !self.broker.is_empty()
    }
}

impl GraphTrouble {
    /// Whether no answer holds anybody's presence for as long as this lasts.
    pub(crate) fn silences(&self) -> bool {
        match self {
            Self::Line(condition) => {
                matches!(condition, Condition::Closed | Condition::HangsUp(_) | Condition::Frozen(_))
            }
            Self::Answers { fault, to: Asked::Anything | Asked::Graph, times: Times::UntilCleared } => {
                match fault {
                    Fault::Slow(delay) => *delay > REQUEST_TIMEOUT,
                    Fault::Dribble(_) | Fault::HalfCharacters => false,
                    _ => true,
                }
            }
            Self::Answers { .. }
            | Self::Cut(_)
            | Self::UnknownIds(_)
            | Self::Paged(_)
            | Self::CamelCase
            | Self::Wrapped
            | Self::TokensRevoked
            | Self::Gone(_)
            | Self::Behind(_) => false,
        }
    }
}

impl fmt::Display for Script {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "  somebody changes every {:?}", self.change_every)?;
        lane(f, "broker", &self.broker)?;
        lane(f, "graph", &self.graph)?;
        lane(f, "bridge", &self.bridge)
    }
}

fn lane<T: fmt::Debug>(f: &mut fmt::Formatter<'_>, name: &str, acts: &[Act<T>]) -> fmt::Result {
    let mut at = Duration::ZERO;
    for act in acts {
        at += act.after;
        writeln!(f, "  {name:6} at {at:>7.2?} for {:>7.2?}: {:?}", act.lasts, act.trouble)?;
        at += act.lasts;
    }
    Ok(())
}
