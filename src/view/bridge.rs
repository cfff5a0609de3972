//! What was heard of one bridge.

use jiff::Timestamp;
use serde::Deserialize;

use super::{ID, SENTENCE};
use crate::core::model::foreign::{Legible, WebAddress};
use crate::core::model::topic::{BridgeField, ONLINE};

/// Notices that are shown at most: everybody comes below them.
const MOST_NOTICES: usize = 20;

/// The topics of a bridge; empty where nothing is retained.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Bridge {
    state: Legible,
    /// Its client id, by which people's states name it.
    pub id: Option<Legible>,
    /// Where it runs and who waits, where several instances take turns.
    pub instances: Option<Legible>,
    pub health: Option<Health>,
    /// Where somebody has to sign in, in words.
    pub sign_in: Option<String>,
}

/// How it is with Graph.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Health {
    pub graph: Legible,
    pub since: Option<Timestamp>,
    pub detail: Option<Legible>,
    pub notices: Vec<Legible>,
}

#[derive(Deserialize)]
struct WireHealth {
    graph: String,
    #[serde(default)]
    since: Option<String>,
    #[serde(default)]
    detail: Option<String>,
    #[serde(default)]
    notices: Vec<String>,
}

#[derive(Deserialize)]
struct WireInfo {
    bridge: String,
    #[serde(default)]
    standby: Option<WireStandby>,
}

#[derive(Deserialize)]
struct WireStandby {
    active: String,
    #[serde(default)]
    waiting: Vec<String>,
}

#[derive(Deserialize)]
struct WireCode {
    /// An address that is none is not shown, so that nobody goes there.
    verification_uri: WebAddress,
    user_code: Option<Legible>,
}

impl Bridge {
    /// Takes what came on a topic; an empty text means that the topic is gone.
    pub(super) fn take(&mut self, field: BridgeField, text: &str) {
        match field {
            BridgeField::State => self.state = Legible::at_most(text, SENTENCE),
            BridgeField::Info => {
                let info = serde_json::from_str::<WireInfo>(text).ok();
                self.id = info.as_ref().map(|info| Legible::at_most(&info.bridge, ID));
                let standby = info.and_then(|info| info.standby);
                self.instances = standby.map(|standby| Legible::at_most(&standby.words(), SENTENCE));
            }
            BridgeField::Health => {
                self.health = serde_json::from_str::<WireHealth>(text).ok().map(Health::from)
            }
            BridgeField::SignIn => {
                self.sign_in = serde_json::from_str::<WireCode>(text).ok().map(|code| code.words());
            }
        }
    }

    /// `online`, `offline`, or nothing while that is not known.
    pub(super) fn state(&self) -> Option<&str> {
        Some(self.state.as_str()).filter(|state| !state.is_empty())
    }

    pub(super) fn is_online(&self) -> bool {
        self.state.as_str() == ONLINE
    }

    /// Whether nothing is left.
    pub(super) fn is_gone(&self) -> bool {
        *self == Self::default()
    }

    /// What is new since `before`, a line each; `name` is how it is called in them.
    pub(super) fn news(&self, name: &str, before: &Self) -> Vec<String> {
        if self.is_gone() && !before.is_gone() {
            return vec![format!("{name} is gone")];
        }
        let mut lines = Vec::new();
        if let Some(state) = self.state().filter(|_| self.state != before.state) {
            lines.push(format!("{name} is {state}"));
        }
        if let Some(health) = &self.health {
            let old = before.health.as_ref().map(|old| (&old.graph, &old.detail));
            if old != Some((&health.graph, &health.detail)) {
                let detail = health.detail.iter().map(|detail| format!(": {detail}")).collect::<String>();
                lines.push(format!("{name} says Graph is {}{detail}", health.graph));
            }
        }
        let instances = self.instances.as_ref().filter(|_| self.instances != before.instances);
        lines.extend(instances.map(|instances| format!("{name}: {instances}")));
        lines.extend(self.sign_in.clone().filter(|_| self.sign_in != before.sign_in));
        lines
    }
}

impl From<WireHealth> for Health {
    fn from(wire: WireHealth) -> Self {
        Self {
            graph: Legible::at_most(&wire.graph, SENTENCE),
            since: wire.since.and_then(|since| since.parse().ok()),
            detail: wire.detail.map(|detail| Legible::at_most(&detail, SENTENCE)),
            notices: wire
                .notices
                .iter()
                .take(MOST_NOTICES)
                .map(|notice| Legible::at_most(notice, SENTENCE))
                .collect(),
        }
    }
}

impl WireStandby {
    fn words(&self) -> String {
        let waiting = if self.waiting.is_empty() { "none".to_owned() } else { self.waiting.join(", ") };
        format!("active instance: {}; waiting: {waiting}", self.active)
    }
}

impl WireCode {
    fn words(&self) -> String {
        match &self.user_code {
            Some(code) if self.verification_uri.is_typed() => {
                let (address, code) = (&self.verification_uri, Legible::at_most(code, ID));
                format!("sign-in required: open {address} and enter the code {code}")
            }
            // The address is too long for a line.
            Some(_) | None => {
                "sign-in required: run `presence2mqtt login --browser` where the bridge runs".to_owned()
            }
        }
    }
}
