//! What is known at one moment, for whoever asks. Nothing is kept for it: it is made when somebody does.

use std::time::Duration;

use jiff::Timestamp;

use super::health::{GraphState, Health};
use super::mqtt::Protocol;
use super::name::{ClientId, TopicLevel};
use super::people_page::Standing;
use super::sign_in::{AccountChange, ShownInvitation};
use crate::core::lights::snapshot::LightSnapshot;

/// The bridge at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// When this was; UTC.
    pub at: Timestamp,
    /// Of the program.
    pub version: &'static str,
    /// All accounts, in the order configured: at least one.
    pub accounts: Vec<AccountSnapshot>,
    /// The `bridge` id.
    pub bridge: ClientId,
    /// Of this process, or since the last change of broker; UTC, whole seconds.
    pub started_at: Timestamp,
    /// The way to the broker.
    pub broker: BrokerSnapshot,
    /// What still works but needs a look.
    pub notices: Vec<String>,
    /// How many people are followed.
    pub people: usize,
    /// Of how many what is published is what Graph says.
    pub current: usize,
    /// How many by the word of their health; every word is there.
    pub census: [(&'static str, usize); 5],
    /// Those of them who were asked for.
    pub people_page: PeoplePage,
    /// All lights, in the order configured.
    pub lights: Vec<LightSnapshot>,
}

/// One account.
#[derive(Debug, Clone)]
pub struct AccountSnapshot {
    /// Nothing where it is the only one.
    pub name: Option<TopicLevel>,
    /// Name of the cloud: `global`, `us-gov-l4`, `us-gov-l5`.
    pub cloud: &'static str,
    /// Name of the sign-in method.
    pub auth_method: &'static str,
    /// Who is signed in; nothing where the application signs in as itself.
    pub signed_in: Option<String>,
    /// The way to Microsoft.
    pub graph: GraphSnapshot,
    /// The code that somebody should use now.
    pub sign_in: Option<ShownInvitation>,
    /// A person asked for that, for whoever comes.
    pub sign_in_is_asked_for: bool,
    /// A person can sign in.
    pub is_persons: bool,
    /// Who signed in instead of whom, and waits for a person to say whether that is meant.
    pub change: Option<AccountChange>,
    /// When the app's certificate ends, if it signs in with one.
    pub certificate_ends: Option<Timestamp>,
}

/// The way to Microsoft.
#[derive(Debug, Clone)]
pub struct GraphSnapshot {
    /// Its words are those on `<bridge>/health`.
    pub state: GraphState,
    /// Since when; UTC, whole seconds.
    pub since: Timestamp,
    /// When Graph last returned presence; UTC, whole seconds.
    pub last_success: Option<Timestamp>,
    /// That was within `stale_after`.
    pub is_fresh: bool,
    /// After how long it is not.
    pub stale_after: Duration,
    /// What is wrong and what to do.
    pub detail: Option<String>,
    /// As configured.
    pub poll_interval: Duration,
    /// As the budget allows.
    pub achieved_interval: Duration,
    /// Requests in 30 s, at most.
    pub budget: u32,
    /// Requests in the last 30 s.
    pub budget_used: usize,
}

/// The way to the broker.
#[derive(Debug, Clone)]
pub struct BrokerSnapshot {
    /// Where the connection stands.
    pub state: BrokerState,
    /// Why there is none.
    pub trouble: Option<String>,
    /// In which version of MQTT it is spoken to.
    pub protocol: Protocol,
    /// Where several instances take turns.
    pub standby: Option<StandbySnapshot>,
    /// Messages that wait to be sent.
    pub queue: usize,
    /// Messages sent and not acknowledged.
    pub in_flight: usize,
}

/// Where the connection to the broker stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BrokerState {
    /// There is one, and it is published on.
    Connected,
    /// There is one, and what an earlier run left is read back.
    ReadingBack,
    /// There is one beside the active instance's.
    Waiting,
    /// There is none yet.
    Connecting,
    /// It is being closed.
    Stopping,
}

/// One of several instances that take turns.
#[derive(Debug, Clone)]
pub struct StandbySnapshot {
    /// Whether it is its turn.
    pub is_active: bool,
    /// Where the active one runs, if it is another and has answered.
    pub holder: Option<TopicLevel>,
    /// Where others wait.
    pub waiting: Vec<TopicLevel>,
}

/// The people of one page.
#[derive(Debug, Clone, Default)]
pub struct PeoplePage {
    /// How many have a name that was searched for, by how they are. Those with nobody in them are left out.
    pub counts: Vec<(Standing, usize)>,
    /// How many of them are wanted.
    pub found: usize,
    /// Which page this is, from 1 on: the last one, if one behind that was wanted.
    pub page: usize,
    /// How many pages there are, at most [`PeoplePage::MOST`].
    pub pages: usize,
    /// Those on this page: who is in trouble first, then by name.
    pub persons: Vec<PersonSnapshot>,
}

impl PeoplePage {
    /// No page behind this one is made: whoever pages that far should rather search, and the bridge has other
    /// things to do.
    pub const MOST: usize = 100;
}

/// Somebody who is followed.
#[derive(Debug, Clone)]
pub struct PersonSnapshot {
    /// The topic level.
    pub name: TopicLevel,
    /// What Home Assistant shows.
    pub display_name: String,
    /// The published words; nothing before the first answer.
    pub words: Option<(String, String)>,
    /// Since when Graph has told these words; UTC, whole seconds.
    pub since: Option<Timestamp>,
    /// Whether they may be believed.
    pub health: Health,
    /// The first answer is still to come, and not late.
    pub is_awaited: bool,
    /// The automatic reply is on, as far as Graph tells.
    pub is_out_of_office: bool,
    /// Whether commands can set their presence.
    pub is_settable: bool,
}

impl AccountSnapshot {
    /// Whether nothing was read by it yet and nothing is wrong: the first answer is still to come, or
    /// somebody was asked to sign in.
    #[must_use]
    pub fn begins(&self) -> bool {
        let is_asked = self.graph.state == GraphState::SignInRequired && self.sign_in.is_some();
        self.graph.last_success.is_none() && (self.graph.state == GraphState::Starting || is_asked)
    }
}

impl Snapshot {
    /// Whether it is not ready yet, and nothing is wrong.
    #[must_use]
    pub fn begins(&self) -> bool {
        let is_on_the_way = |account: &AccountSnapshot| account.begins() || account.graph.is_fresh;
        self.broker.trouble.is_none() && self.accounts.iter().all(is_on_the_way)
    }

    /// Whether the bridge does what it is for: news come from Graph and go to the broker.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        // Of several accounts one may be down without the others.
        self.accounts.iter().any(|account| account.graph.is_fresh)
            && self.broker.state == BrokerState::Connected
    }

    /// Whether it waits for its turn, as it should.
    #[must_use]
    pub fn is_waiting(&self) -> bool {
        self.broker.state == BrokerState::Waiting
    }

    /// The same in one short line.
    #[must_use]
    pub fn headline(&self) -> String {
        let broker = match self.broker.state {
            BrokerState::Connected => "connected to the broker",
            BrokerState::ReadingBack => "reading back from the broker",
            BrokerState::Waiting => return "standby: waiting beside the active instance".to_owned(),
            BrokerState::Connecting => "no connection to the broker",
            BrokerState::Stopping => "stopping",
        };
        let Self { current, people, .. } = self;
        let graph = self.accounts.iter().map(|account| match &account.name {
            Some(name) => format!("{name} {}", account.graph.state.as_str()),
            None => account.graph.state.as_str().to_owned(),
        });
        let graph = graph.collect::<Vec<_>>().join(", ");
        format!("{broker}; Graph: {graph}; people up to date: {current} of {people}")
    }

    /// Whether there is nothing to look at either: everybody is up to date and nobody complains.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let no_complaint =
            self.notices.is_empty() && self.accounts.iter().all(|account| account.graph.detail.is_none());
        self.is_ready() && self.current == self.people && no_complaint
    }
}
