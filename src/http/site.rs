//! What every visitor's answer depends on.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use super::question::Asker;
use crate::config::{Http, Secret};
use crate::meters::Meters;

/// What every visitor's answer depends on, besides what the loop says.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub password: Option<Secret>,
    /// The password could not be read when it was last wanted.
    pub unreadable: Arc<AtomicBool>,
    pub any_host: bool,
    /// The broker's address, as configured; no credentials are in it.
    pub broker: String,
    pub meters: Meters,
    pub asker: Asker,
}

impl Site {
    pub(super) fn new(http: &Http, broker: String, meters: Meters, asker: Asker) -> Self {
        let Http { listen: _, password, any_host } = http.clone();
        Self { password, unreadable: Arc::default(), any_host, broker, meters, asker }
    }

    /// The same by another configuration.
    pub(super) fn changed(&self, http: &Http, broker: String) -> Self {
        Self::new(http, broker, self.meters.clone(), self.asker.clone())
    }
}
