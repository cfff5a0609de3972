//! What outlives a turn of the loop: a change of the configuration may begin a new turn.

use super::doors::Doors;
use super::supervisor::Supervisor;
use crate::config::Config;
use crate::meters::Meters;

/// The result of reading the configuration again; an error is a sentence fragment.
pub type Reload = Result<Config, String>;

/// What stays the same from turn to turn.
pub(super) struct Around {
    pub(super) doors: Doors,
    pub(super) meters: Meters,
    pub(super) supervisor: Supervisor,
}

impl Around {
    pub(super) fn new(supervisor: Supervisor) -> Self {
        let meters = Meters::default();
        Self { doors: Doors::none(meters.clone()), meters, supervisor }
    }
}
