//! What is known at one moment, for whoever asks. Nothing is kept for it: it is made when somebody does.

use std::time::Duration;

use jiff::Timestamp;

pub use crate::core::lighting::LightOverview;
pub use crate::core::person::Health;

use crate::core::bridge::Bridge;
use crate::core::link::Phase;
use crate::core::model::mqtt::Protocol;
use crate::core::model::name::{ClientId, TopicLevel};
use crate::core::model::payload::About;
use crate::core::model::sign_in::DeviceCode;
use crate::core::model::time::Now;
use crate::core::model::topic::Field;
use crate::core::person::Person;
use crate::core::source::Reach;

/// The bridge at one moment.
#[derive(Debug, Clone)]
pub struct Overview {
    /// When this was; UTC.
    pub at: Timestamp,
    /// Version, cloud, sign-in method, and who is signed in.
    pub about: About,
    /// The `bridge` id.
    pub bridge: ClientId,
    /// Of this process, or since the last change of broker; UTC, whole seconds.
    pub started_at: Timestamp,
    /// The way to Microsoft.
    pub graph: GraphOverview,
    /// The way to the broker.
    pub broker: BrokerOverview,
    /// What still works but needs a look.
    pub notices: Vec<String>,
    /// The code that somebody should use now.
    pub sign_in: Option<DeviceCode>,
    /// How many people are followed.
    pub people: usize,
    /// Of how many what is published is what Graph says.
    pub current: usize,
    /// How many by the word of their health; every word is there.
    pub census: [(&'static str, usize); 5],
    /// The first of them, as many as were asked for, in the order configured.
    pub persons: Vec<PersonOverview>,
    /// All lights, in the order configured.
    pub lights: Vec<LightOverview>,
    /// When the app's certificate ends, if it signs in with one.
    pub certificate_ends: Option<Timestamp>,
}

/// The way to Microsoft.
#[derive(Debug, Clone)]
pub struct GraphOverview {
    /// One of [`GRAPH_STATES`], as on `<bridge>/health`.
    pub state: &'static str,
    /// Since when; UTC, whole seconds.
    pub since: Timestamp,
    /// When Graph last told somebody's presence; UTC, whole seconds.
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
pub struct BrokerOverview {
    /// Where the connection stands.
    pub state: BrokerState,
    /// Why there is none.
    pub trouble: Option<String>,
    /// In which version of MQTT it is spoken to.
    pub protocol: Protocol,
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
    /// There is none yet.
    Connecting,
    /// It is being closed.
    Stopping,
}

/// Somebody who is followed.
#[derive(Debug, Clone)]
pub struct PersonOverview {
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
}

/// All words that `graph` may be.
pub const GRAPH_STATES: [&str; 6] = {
    let mut words = [""; 6];
    let mut i = 0;
    while i < words.len() {
        words[i] = Reach::ALL[i].as_str();
        i += 1;
    }
    words
};

impl Overview {
    /// Whether the bridge does what it is for: news come from Graph and go to the broker.
    #[must_use]
    pub fn is_ready(&self) -> bool {
        self.graph.is_fresh && self.broker.state == BrokerState::Connected
    }

    /// Whether there is nothing to look at either: everybody is up to date and nobody complains.
    #[must_use]
    pub fn is_well(&self) -> bool {
        let no_complaint = self.notices.is_empty() && self.graph.detail.is_none();
        self.is_ready() && self.current == self.people && no_complaint
    }
}

impl Bridge {
    /// What is known now, with at most so many people in it.
    #[must_use]
    pub fn overview(&self, people: usize, now: Now) -> Overview {
        let words = self.health_words();
        let tick = self.sleep.with_sleep(now.tick);
        let stale_after = self.stale_after();
        Overview {
            at: now.wall,
            about: self.settings.about.clone(),
            bridge: self.settings.client_id.clone(),
            started_at: self.started_at,
            graph: GraphOverview {
                state: words.graph,
                since: self.source.since(),
                last_success: self.source.last_success(),
                is_fresh: self.source.answered_at().is_some_and(|at| tick < at + stale_after),
                stale_after,
                detail: words.detail,
                poll_interval: self.settings.poll_interval,
                achieved_interval: self.schedule.achieved(),
                budget: self.settings.request_budget,
                budget_used: self.budget.used(tick),
            },
            broker: BrokerOverview {
                state: match self.link.phase {
                    Phase::Up { .. } => BrokerState::Connected,
                    Phase::ReadingBack { .. } => BrokerState::ReadingBack,
                    Phase::Down(_) | Phase::Connecting | Phase::Closing(_) => BrokerState::Connecting,
                    Phase::Stopping { .. } => BrokerState::Stopping,
                },
                trouble: self.link.trouble().map(str::to_owned),
                protocol: self.link.protocol(),
                queue: self.outbox.waiting(),
                in_flight: self.outbox.in_flight(),
            },
            notices: words.notices,
            sign_in: self.invitation.code().cloned(),
            people: self.people.len(),
            current: self.current(),
            census: Health::ALL
                .map(|health| (health.as_str(), self.census.get(&health).copied().unwrap_or_default())),
            persons: self.people.iter().take(people).map(|person| self.person_overview(person)).collect(),
            lights: self.light_overviews(),
            certificate_ends: self.settings.certificate_ends,
        }
    }

    /// The same in one short line.
    #[must_use]
    pub fn headline(&self) -> String {
        let broker = match self.link.phase {
            Phase::Up { .. } => "connected to the broker",
            Phase::ReadingBack { .. } => "reading back from the broker",
            Phase::Down(_) | Phase::Connecting | Phase::Closing(_) => "no connection to the broker",
            Phase::Stopping { .. } => "stopping",
        };
        let (graph, current, all) = (self.source.reach().as_str(), self.current(), self.people.len());
        format!("{broker}; Graph: {graph}; people up to date: {current} of {all}")
    }

    fn current(&self) -> usize {
        self.census.get(&Health::Ok).copied().unwrap_or_default()
    }

    fn person_overview(&self, person: &Person) -> PersonOverview {
        let word = |field| person.wanted(field, &self.settings.client_id);
        PersonOverview {
            name: person.name.clone(),
            display_name: person.display_name().to_owned(),
            words: word(Field::Availability).zip(word(Field::Activity)),
            since: person.since(),
            health: person.health(),
        }
    }
}
