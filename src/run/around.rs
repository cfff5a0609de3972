//! What is around the loop, and stays while configurations come and go.

use super::doors::Doors;
use super::supervisor::Supervisor;
use crate::config::Config;
use crate::meters::Meters;

/// What came of reading the configuration again; a failure as a fragment.
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
