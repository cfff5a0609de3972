//! What every visitor's answer depends on.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use tokio::sync::Semaphore;

use super::first_start::Guide;
use super::guesses::Guesses;
use super::question::Asker;
use super::same_origin::PageToken;
use super::told::Told;
use crate::config::{Http, Secret};
use crate::core::model::act::{Act, Acted};
use crate::core::model::people_page::PeopleQuery;
use crate::core::model::snapshot::Snapshot;
use crate::meters::Meters;

/// Pages that are made at once: with the acts less than what the loop's queue takes, so that a probe always
/// finds room there.
const PAGES: usize = 12;

/// Acts that are waited for at once. Some take seconds, which is nothing to those who only look.
const ACTS: usize = 4;

const BUSY: &str = "the bridge is busy with an earlier request; try again in a few seconds";

/// What every visitor's answer depends on, besides what the loop says.
#[derive(Debug, Clone)]
pub(super) struct Site {
    pub password: Option<Secret>,
    /// The password could not be read when it was last wanted.
    pub unreadable: Arc<AtomicBool>,
    pub any_host: bool,
    pub read_only: bool,
    /// What each form of the page holds.
    pub token: PageToken,
    /// The broker's address, as configured; no credentials are in it.
    pub broker: String,
    pub meters: Meters,
    pub asker: Asker,
    /// The way to the set-up, at a first start.
    pub guide: Option<Guide>,
    pub guesses: Arc<Guesses>,
    pub told: Arc<Told>,
    /// Places for whoever wants a page, and for whoever wants something done.
    pub places: Arc<Places>,
}

/// Places of those who wait for the loop.
#[derive(Debug)]
pub(super) struct Places {
    pages: Semaphore,
    acts: Semaphore,
}

impl Default for Places {
    fn default() -> Self {
        Self { pages: Semaphore::new(PAGES), acts: Semaphore::new(ACTS) }
    }
}

impl Site {
    pub(super) fn new(http: &Http, broker: String, meters: Meters, asker: Asker) -> Self {
        let Http { listen: _, password, any_host, read_only } = http.clone();
        Self {
            password,
            unreadable: Arc::default(),
            any_host,
            read_only,
            token: PageToken::new(),
            broker,
            meters,
            asker,
            guide: None,
            guesses: Arc::default(),
            told: Arc::default(),
            places: Arc::default(),
        }
    }

    /// The same by another configuration.
    pub(super) fn changed(&self, http: &Http, broker: String) -> Self {
        let Self { guesses, told, places, token, .. } = self.clone();
        Self {
            guesses,
            told,
            places,
            token,
            ..Self::new(http, broker, self.meters.clone(), self.asker.clone())
        }
    }

    /// What is known, for a page; nothing where too many ask.
    pub(super) async fn ask(&self, wanted: PeopleQuery) -> Option<Snapshot> {
        let _place = self.places.pages.try_acquire().ok()?;
        self.asker.ask(wanted).await
    }

    /// How it went.
    pub(super) async fn act(&self, act: Act) -> Acted {
        match self.places.acts.try_acquire() {
            Ok(_place) => self.asker.act(act).await,
            Err(_) => Err(BUSY.into()),
        }
    }
}
