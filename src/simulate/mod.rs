//! A simulated tenant: stands in for Microsoft Graph and the Entra sign-in service, for tests and demonstrations.
//!
//! In reading order: [`person`] and `working_day` say who lives in the tenant and what they do;
//! [`action`] is what apps may write about them, `sessions` and `status_message` what comes of it, and
//! `resident` all of that about one person; `state` holds what the tenant knows and answers requests, by
//! `route`, `sign_in`, [`managed_identity`], `graph` and [`groups`] to read, `writing` to write (with `iso_duration`) and
//! `wire`, within the limits of `token` and `window`; [`identity_provider`] is somebody else
//! whom the tenant may trust, `handle` what tests do for people; [`fault`] and `spoil` make it fail;
//! `message` is what goes in and out; `exchange` and [`server`] bring it to a socket; [`ledger`]
//! remembers what was asked; [`command`] is `presence2mqtt simulate`. Only `clock` reads clocks,
//! and everything up to `window` knows neither connections nor tasks.

use std::ops::Range;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use serde_json::Value;
use tokio::sync::watch;

use crate::core::model::name::ObjectId;

pub mod action;
mod clock;
pub mod command;
mod exchange;
pub mod fault;
mod graph;
pub mod groups;
mod handle;
pub mod identity_provider;
mod iso_duration;
pub mod ledger;
pub mod managed_identity;
mod message;
pub mod person;
mod resident;
mod route;
pub mod server;
mod sessions;
mod sign_in;
mod spoil;
mod state;
mod status_message;
#[cfg(test)]
mod tests;
mod token;
mod window;
mod wire;
mod working_day;
mod writing;

pub use action::Action;
pub use fault::{Fault, RetryAfter, Scope, Times};
pub use identity_provider::{FederatedCredential, IdentityProvider};
pub use ledger::{Request, Requests, Written};
pub use managed_identity::ManagedIdentity;
pub use person::Person;
pub use route::Endpoint;
pub use server::Server;
pub use wire::Cloud;

use state::State;
use token::{Caller, Grant};

/// The tenant's domain, which names it as well as its GUID.
const DOMAIN: &str = "contoso.example";

/// What a tenant is made of. The default has three people, a working day sixty times faster than life, and Microsoft's limits.
#[derive(Debug, Clone)]
pub struct Settings {
    /// How many people there are.
    pub users: usize,
    /// Whether there is a group of everybody who is there at the beginning, [`groups::EVERYBODY`].
    pub groups: bool,
    /// What people, tokens and days are derived from; the same seed gives the same ones.
    pub seed: u64,
    /// Simulated seconds per second.
    pub speed: f64,
    /// The simulated time when the tenant begins, counted from a Monday's midnight.
    pub day_starts: Duration,
    /// The tenant's GUID; the domain `contoso.example` is accepted as well.
    pub tenant_id: String,
    /// The registered app.
    pub client_id: String,
    /// The app's secret. It opens nothing but the simulation.
    pub client_secret: String,
    /// The certificates registered for the app, each as PEM.
    pub certificates: Vec<String>,
    /// The other identity providers' subjects that stand for the app.
    pub federated: Vec<FederatedCredential>,
    /// The machine's own identity, which has the app's permissions.
    pub managed_identity: ManagedIdentity,
    /// The permissions an administrator gave the app. Writing presence needs `Presence.ReadWrite.All` among them,
    /// which it is not by itself.
    pub permissions: Vec<String>,
    /// How long a device code waits for a person.
    pub device_code_lifetime: Duration,
    /// How long an app waits between two questions about a device code, in whole seconds.
    pub device_code_interval: Duration,
    /// How long a refresh token lives unused.
    pub refresh_token_lifetime: Duration,
    /// Between which bounds tokens live, in whole seconds of real time.
    pub token_lifetime: Range<Duration>,
    /// The cloud, which decides over some fields.
    pub cloud: Cloud,
    /// Presence requests in any `window`, refused ones included.
    pub request_limit: usize,
    /// The length of the window.
    pub window: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            users: 3,
            groups: false,
            seed: 1,
            speed: 60.0,
            day_starts: Duration::from_secs(9 * 60 * 60),
            tenant_id: "0f1e2d3c-4b5a-4678-9a0b-c1d2e3f4a5b6".into(),
            client_id: "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d".into(),
            client_secret: "simulated-secret".into(),
            certificates: Vec::new(),
            federated: Vec::new(),
            managed_identity: ManagedIdentity::default(),
            device_code_lifetime: Duration::from_secs(15 * 60),
            device_code_interval: Duration::from_secs(5),
            refresh_token_lifetime: Duration::from_secs(90 * 24 * 60 * 60),
            permissions: vec![
                "Presence.Read.All".into(),
                "User.ReadBasic.All".into(),
                "GroupMember.Read.All".into(),
            ],
            token_lifetime: Duration::from_secs(60 * 60)..Duration::from_secs(90 * 60),
            cloud: Cloud::Global,
            request_limit: 1_500,
            window: Duration::from_secs(30),
        }
    }
}

/// Choices where Graph's behaviour is undocumented or has been seen both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Switches {
    /// What a bulk read does about ids that nobody has.
    pub unknown_ids: UnknownIds,
    /// `GET /communications/presences/{id}` answers with a `value` array, as the documentation's example does.
    pub wrapped: bool,
    /// When a status message expires is told to nobody but the person themselves, as the documentation has it.
    pub expiry_hidden: bool,
    /// Values are spelled `inACall` instead of `InACall`.
    pub camel_case: bool,
    /// The app's secret has expired.
    pub secret_expired: bool,
    /// The app's certificates have expired.
    pub certificate_expired: bool,
    /// Assertions may be signed with the older RS256 as well.
    pub rs256_accepted: bool,
    /// The registration does not allow public client flows, so sign-ins of people need the app's credential too.
    pub no_public_flows: bool,
    /// Every question about a device code is answered `slow_down`.
    pub slow_down: bool,
    /// Device codes are approved by themselves.
    pub auto_approve: Option<AutoApprove>,
    /// What a browser does at the sign-in page.
    pub browser: Browser,
    /// The AADSTS number that every sign-in and refresh of people ends with, such as 53003 for Conditional Access.
    pub people_refused: Option<u32>,
    /// Members of a group on one page, if fewer than asked for.
    pub members_page: Option<usize>,
    /// Links to the next page of members are strange.
    pub strange_link: Option<StrangeLink>,
}

/// Where a link to the next page leads that it should not lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrangeLink {
    /// To the same path at another host.
    OtherHost,
    /// To another list at this host.
    OtherPath,
    /// To the same page again and again.
    Same,
}

/// Somebody who signs in for every device code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoApprove {
    /// How many times the app is told to wait before.
    pub after: u32,
    /// Who signs in.
    pub person: ObjectId,
}

/// What happens at the sign-in page of a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Browser {
    /// The page asks who signs in.
    #[default]
    Asks,
    /// This person signs in at once.
    SignsIn(ObjectId),
    /// The person cancels at once.
    Cancels,
}

/// What a bulk read does about ids that nobody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownIds {
    /// Leaves them out.
    #[default]
    Missing,
    /// Refuses the whole request with 400.
    Refused,
    /// Answers `PresenceUnknown` for them.
    PresenceUnknown,
}

/// Somebody's presence as Graph would tell it at this moment.
#[derive(Debug, Clone, PartialEq)]
pub struct Truth {
    /// The availability; empty if the entity has none that is text.
    pub availability: String,
    /// The activity; empty if the entity has none that is text.
    pub activity: String,
    /// The whole entity.
    pub entity: Value,
}

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
    /// This is what the person's Teams clients say from now on. What apps write counts as before: their sessions
    /// may be more occupied, and a preferred presence hides both.
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

    /// The writes of presence that were accepted, oldest first, at most the newest [`ledger::REMEMBERED`].
    #[must_use]
    pub fn written(&self) -> Vec<Written> {
        self.state().written.iter().cloned().collect()
    }

    /// Waits until at least `n` requests to Graph were decided: answered, or left without an answer on purpose.
    pub async fn wait_for_requests(&self, n: u64) {
        self.wait_until(|requests| requests.graph() >= n).await;
    }

    /// Waits until what was asked satisfies the condition.
    pub async fn wait_until(&self, condition: impl Fn(&Requests) -> bool) {
        let mut recorded = self.0.recorded.subscribe();
        // The sender lives as long as the tenant, so there is always another change to wait for.
        while !condition(&self.state().requests) && recorded.changed().await.is_ok() {}
    }

    /// Locks the state at the current moment.
    fn state(&self) -> MutexGuard<'_, State> {
        let lock = self.0.state.lock();
        // A test that panicked while it held the lock has failed already.
        let mut state = lock.unwrap_or_else(PoisonError::into_inner);
        state.now = state.clock.now();
        state
    }

    /// Remembers a request that is decided at this moment, counted since the tenant began.
    fn record(&self, request: impl FnOnce(Duration) -> Request) {
        let mut state = self.state();
        let request = request(state.now.up);
        state.requests.record(request);
        drop(state);
        self.0.recorded.send_replace(());
    }

    fn faults_cleared(&self) -> watch::Receiver<()> {
        self.0.cleared.subscribe()
    }
}
