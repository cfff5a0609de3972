//! The ways in which a line can be broken.

use std::time::Duration;

/// How the line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Condition {
    Open,
    /// Nobody listens.
    Closed,
    /// Whoever comes is sent away at once; those who are there stay.
    HangsUp(Cut),
    /// Connections are taken, and nothing moves in these directions.
    Frozen(Directions),
    /// So many bytes at a time, with a pause after each.
    Slow {
        bytes: usize,
        pause: Duration,
    },
    /// Each connection ends after so many bytes more in this direction, wherever in a packet that is.
    Truncates {
        direction: Direction,
        after: usize,
        cut: Cut,
    },
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Directions {
    Up,
    Down,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Direction {
    /// Away from the bridge.
    Up,
    /// Towards the bridge.
    Down,
}

/// How a connection ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Cut {
    /// As if the other side had closed it.
    Fin,
    /// As if the other side knew nothing of it.
    Rst,
}

impl Condition {
    /// Whether nothing moves in this direction.
    pub(crate) fn holds_up(self, direction: Direction) -> bool {
        match (self, direction) {
            (Self::Frozen(Directions::Both), _)
            | (Self::Frozen(Directions::Up), Direction::Up)
            | (Self::Frozen(Directions::Down), Direction::Down) => true,
            (Self::Frozen(Directions::Up | Directions::Down), _)
            | (
                Self::Open | Self::Closed | Self::HangsUp(_) | Self::Slow { .. } | Self::Truncates { .. },
                Direction::Up | Direction::Down,
            ) => false,
        }
    }
}
