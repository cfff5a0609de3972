//! What the bridge says about the connection: in `<bridge>/info`, in the notices of `<bridge>/health`, and on
//! the status page.

use super::Broker;
use super::link::Phase;
use crate::core::model::mqtt::Protocol;
use crate::core::model::payload::StandbyInfo;
use crate::core::model::report::DUPLICATE_CLIENT;
use crate::core::model::settings::Settings;
use crate::core::model::snapshot::{BrokerSnapshot, BrokerState, StandbySnapshot};

impl Broker {
    /// What `<bridge>/info` says of the connection: the version of MQTT, and who waits, where several
    /// instances take turns.
    pub(in crate::core) fn info<'a>(&'a self, settings: &'a Settings) -> (Protocol, Option<StandbyInfo<'a>>) {
        let standby = self.claim.standby().map(|standby| StandbyInfo {
            active: &settings.mqtt.instance,
            waiting: standby.others().collect(),
        });
        (self.link.protocol(), standby)
    }

    /// What the broker refuses, on `<bridge>/health`.
    pub(in crate::core) fn refusal_notices(&self) -> impl Iterator<Item = String> {
        self.refusals.notices().chain(self.outbox.notice())
    }

    /// What is said of the connection on `<bridge>/health`.
    pub(in crate::core) fn notices(&self, settings: &Settings) -> impl Iterator<Item = String> {
        let duplicate = self.link.has_duplicate().then(|| DUPLICATE_CLIENT.to_owned());
        let version = (self.link.protocol() != settings.mqtt.protocol).then(|| {
            format!(
                "the broker does not speak MQTT {}, so {} is used and nothing expires; set mqtt.protocol to it",
                settings.mqtt.protocol.as_str(),
                self.link.protocol().as_str()
            )
        });
        duplicate.into_iter().chain(version).chain(self.read_back.notices())
    }

    /// The way to the broker.
    pub(in crate::core) fn snapshot(&self) -> BrokerSnapshot {
        BrokerSnapshot {
            standby: self.claim.standby().map(|standby| StandbySnapshot {
                is_active: self.claim.is_claimed(),
                holder: standby.holder().cloned(),
                waiting: standby.others().cloned().collect(),
            }),
            state: match self.link.phase {
                Phase::Visiting if self.claim.is_waiting() => BrokerState::Waiting,
                Phase::Up { .. } => BrokerState::Connected,
                Phase::ReadingBack { .. } => BrokerState::ReadingBack,
                Phase::Down(_) | Phase::Connecting | Phase::Visiting | Phase::Closing(_) => {
                    BrokerState::Connecting
                }
                Phase::Stopping { .. } => BrokerState::Stopping,
            },
            trouble: self.link.trouble().map(str::to_owned),
            protocol: self.link.protocol(),
            queue: self.outbox.waiting(),
            in_flight: self.outbox.in_flight(),
        }
    }
}
