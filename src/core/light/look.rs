//! What a light is to show, before anybody knows what kind of device it is.

use std::time::Duration;

use super::color::{Color, Shade};
use crate::core::name::TopicLevel;
use crate::core::word::{Activity, Availability};

/// All that a device may want to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Whether it is on, and how.
    pub lit: Option<Lit>,
    /// How long the change takes.
    pub transition: Duration,
    /// Whose presence it shows; nobody's where it shows that there is nothing to show.
    pub shown: Option<Shown>,
}

/// A light that is on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lit {
    /// Its colour at full brightness.
    pub color: Color,
    /// 1 to 100 per cent.
    pub brightness: u8,
    /// The name of an effect, as the configuration gives it. A device that has no such effect shows the plain colour.
    pub effect: Option<Box<str>>,
}

/// Whose presence a light shows.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Shown {
    /// The person's topic level.
    pub user: TopicLevel,
    /// As on their topic.
    pub availability: Availability,
    /// As on their topic.
    pub activity: Activity,
}

impl Look {
    /// The colour, or `off`.
    #[must_use]
    pub fn shade(&self) -> Shade {
        self.lit.as_ref().map_or(Shade::Off, |lit| Shade::On(lit.color))
    }
}
