//! The tenant as tests and demonstrations hold it.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::core::model::name::ObjectId;

use super::fault::{Fault, Scope, Times};
use super::ledger::{Request, Requests, Written};
use super::person::Person;
use super::settings::Settings;
use super::state::{State, Truth};
use super::switches::Switches;
use super::token::{Caller, Grant};

/// A handle on the tenant; clones share it.
#[derive(Debug, Clone)]
pub struct Tenant(Arc<Shared>);

#[derive(Debug)]
struct Shared {
    state: Mutex<State>,
    /// Changes with each request that was recorded.
    recorded: watch::Sender<()>,
    /// Changes when the faults are cleared.
    cleared: watch::Sender<()>,
}

impl Tenant {
    /// A new tenant, whose day begins now.
    #[must_use]
    pub fn new(settings: Settings) -> Self {
        Self(Arc::new(Shared {
            state: Mutex::new(State::new(settings)),
            recorded: watch::Sender::default(),
            cleared: watch::Sender::default(),
        }))
    }

    /// What the tenant was made of.
    #[must_use]
    pub fn settings(&self) -> Settings {
        self.state().settings.clone()
    }

    /// Everybody, in the order in which they were added.
    #[must_use]
    pub fn people(&self) -> Vec<Person> {
        self.state().people()
    }

    /// Adds somebody, who then lives through working days; replaces whoever has the same id.
    pub fn add(&self, person: Person) {
        self.state().add(person);
    }

    /// Removes somebody; false if nobody has this id.
    pub fn remove(&self, id: ObjectId) -> bool {
        self.state().remove(id)
    }

    /// Pins somebody to a presence, with a new sequence number; false if nobody has this id.
    ///
    /// This is what the person's Teams clients say from now on. What apps write counts as before: their
    /// sessions may be more occupied, and a preferred presence hides both.
    pub fn set_presence(&self, id: ObjectId, availability: &str, activity: &str) -> bool {
        self.state().pin(id, availability, activity)
    }

    /// Makes somebody's whole entity what it is said to be, whatever apps write; false if nobody has this id.
    pub fn set_presence_json(&self, id: ObjectId, entity: Value) -> bool {
        self.state().pin_json(id, entity)
    }

    /// Lets somebody who was pinned live through working days again; false if nobody has this id.
    pub fn unpin(&self, id: ObjectId) -> bool {
        self.state().live(id)
    }

    /// Somebody's presence as Graph would tell it now; none if nobody has this id.
    #[must_use]
    pub fn presence(&self, id: ObjectId) -> Option<Truth> {
        self.state().truth(id)
    }

    /// Changes switches: `tenant.switch(|s| s.camel_case = true)`.
    pub fn switch(&self, change: impl FnOnce(&mut Switches)) {
        change(&mut self.state().switches);
    }

    /// Switches a fault on. Of several that fit a request, the one switched on first happens.
    pub fn fault(&self, fault: Fault, scope: Scope, times: Times) {
        self.state().faults.arm(fault, scope, times);
    }

    /// Switches all faults off; requests left hanging are answered now.
    pub fn clear_faults(&self) {
        self.state().faults.clear();
        self.0.cleared.send_replace(());
    }

    /// Moves the tenant's clock forward: tokens age, the window slides, the day goes on.
    pub fn skip(&self, by: Duration) {
        self.state().clock.skip(by);
    }

    /// Makes every access token unknown, as if sign-ins were revoked.
    pub fn revoke_tokens(&self) {
        self.state().tokens.revoke_all();
    }

    /// A token for the app on behalf of this person, who consented to reading everybody.
    #[must_use]
    pub fn mint_delegated_token(&self, user: ObjectId) -> String {
        self.mint_delegated_token_with(user, &["Presence.Read.All", "User.ReadBasic.All"])
    }

    /// A token for the app on behalf of this person with exactly these scopes.
    #[must_use]
    pub fn mint_delegated_token_with(&self, user: ObjectId, scopes: &[&str]) -> String {
        let mut state = self.state();
        let grant = Grant {
            app: state.settings.client_id.clone(),
            caller: Caller::Delegated(user),
            permissions: scopes.iter().map(|&scope| scope.to_owned()).collect(),
        };
        state.issue(grant).0
    }

    /// What was asked so far.
    #[must_use]
    pub fn requests(&self) -> Requests {
        self.state().requests.clone()
    }

    /// The writes of presence that were accepted, oldest first, at most the newest
    /// [`super::ledger::REMEMBERED`].
    #[must_use]
    pub fn written(&self) -> Vec<Written> {
        self.state().written.iter().cloned().collect()
    }

    /// Waits until at least `n` requests to Graph were decided: answered, or left without an answer on
    /// purpose.
    pub async fn wait_for_requests(&self, n: u64) {
        self.wait_until(|requests| requests.graph() >= n).await;
    }

    /// Waits until what was asked satisfies the condition.
    pub async fn wait_until(&self, condition: impl Fn(&Requests) -> bool) {
        let mut recorded = self.recorded();
        // The sender lives as long as the tenant, so there is always another change to wait for.
        while !condition(&self.state().requests) && recorded.changed().await.is_ok() {}
    }

    /// Locks the state at the current moment.
    pub(super) fn state(&self) -> MutexGuard<'_, State> {
        let lock = self.0.state.lock();
        // A test that panicked while it held the lock has failed already.
        let mut state = lock.unwrap_or_else(PoisonError::into_inner);
        state.now = state.clock.now();
        state
    }

    /// Remembers a request that is decided at this moment, counted since the tenant began.
    pub(super) fn record(&self, request: impl FnOnce(Duration) -> Request) {
        let mut state = self.state();
        let request = request(state.now.up);
        state.requests.record(request);
        drop(state);
        self.0.recorded.send_replace(());
    }

    /// Changes with each request that was recorded.
    pub(super) fn recorded(&self) -> watch::Receiver<()> {
        self.0.recorded.subscribe()
    }

    /// Changes when the faults are cleared.
    pub(super) fn faults_cleared(&self) -> watch::Receiver<()> {
        self.0.cleared.subscribe()
    }
}
