//! What every visitor's answer depends on.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::Semaphore;

use super::guesses::Guesses;
use super::question::Asker;
use crate::config::{Http, Secret};
use crate::core::model::people_page::PeopleQuery;
use crate::core::model::snapshot::Snapshot;
use crate::meters::Meters;

/// Pages that are made at once, less than the questions that the loop's queue takes: a probe always finds room there.
const PAGES: usize = 12;

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
    pub guesses: Arc<Guesses>,
    /// Places for whoever wants a page.
    pub places: Arc<Semaphore>,
}

impl Site {
    pub(super) fn new(http: &Http, broker: String, meters: Meters, asker: Asker) -> Self {
        let Http { listen: _, password, any_host } = http.clone();
        Self {
            password,
            unreadable: Arc::default(),
            any_host,
            broker,
            meters,
            asker,
            guesses: Arc::default(),
            places: Arc::new(Semaphore::new(PAGES)),
        }
    }

    /// The same by another configuration.
    pub(super) fn changed(&self, http: &Http, broker: String) -> Self {
        let Self { guesses, places, .. } = self.clone();
        Self { guesses, places, ..Self::new(http, broker, self.meters.clone(), self.asker.clone()) }
    }

    /// What is known, for a page; nothing where too many ask.
    pub(super) async fn ask(&self, wanted: PeopleQuery) -> Option<Snapshot> {
        let _place = self.places.try_acquire().ok()?;
        self.asker.ask(wanted).await
    }
}
