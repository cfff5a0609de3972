//! What a light is to show, before anybody knows what kind of device it is.

use std::time::Duration;

use super::color::{Color, Shade};
use crate::core::model::presence::Shown;

/// All that a device may want to be told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Look {
    /// Whether it is on, and how.
    pub lit: Option<Lit>,
    /// The lamp has no colours: it is told its brightness alone, and the colour is white.
    pub white: bool,
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
    /// What moves about it.
    pub effect: Effect,
}

/// Whether a colour moves. A device that has no such effect shows the plain colour.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// It does not, and the configuration never lets it.
    Never,
    /// It does not, but an effect that was there before may have to end.
    Ended,
    /// By this name in the configuration.
    Named(Box<str>),
}

impl Effect {
    /// The name, if there is one.
    #[must_use]
    pub fn name(&self) -> Option<&str> {
        match self {
            Self::Named(name) => Some(name),
            Self::Never | Self::Ended => None,
        }
    }
}

impl Look {
    /// No light, at once, for nobody.
    pub(super) const OFF: Self = Self { lit: None, white: false, transition: Duration::ZERO, shown: None };

    /// The colour, or `off`.
    #[must_use]
    pub fn shade(&self) -> Shade {
        self.lit.as_ref().map_or(Shade::Off, |lit| Shade::On(lit.color))
    }
}
