//! Which version of MQTT the broker is spoken to in.
//!
//! A broker that knows only 3.1.1 often says nothing when it is spoken to in MQTT 5: it closes. So does a
//! broker that is just ending, or something in front of a broker that is away. So 5 is given up only after
//! the same broker has answered in 3.1.1 and has then again not answered in 5.

use crate::core::model::event::LinkFailure;
use crate::core::model::mqtt::Protocol;

/// What has been found out so far.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum VersionProbe {
    /// As configured; the broker has not answered yet.
    Asked(Protocol),
    /// 5 was not understood; is 3.1.1?
    Trial,
    /// 3.1.1 was; is 5 really not?
    Doubted,
    /// Known, until the broker is another one.
    Settled(Protocol),
}

impl VersionProbe {
    /// For the next connection.
    pub(super) fn version(self) -> Protocol {
        match self {
            Self::Asked(protocol) | Self::Settled(protocol) => protocol,
            Self::Trial => Protocol::V3,
            Self::Doubted => Protocol::V5,
        }
    }

    /// The broker let this client in. `true` if the connection was only made to find out.
    pub(super) fn understood(&mut self) -> bool {
        let trial = *self == Self::Trial;
        *self = if trial { Self::Doubted } else { Self::Settled(self.version()) };
        trial
    }

    /// There is no connection. `true` if another version should be tried at once.
    pub(super) fn failed(&mut self, failure: &LinkFailure) -> bool {
        let not_understood = matches!(failure, LinkFailure::NotUnderstood(_));
        let next = match *self {
            Self::Asked(Protocol::V5) | Self::Settled(Protocol::V5) if not_understood => Self::Trial,
            Self::Doubted if not_understood => Self::Settled(Protocol::V3),
            Self::Trial | Self::Doubted => Self::Asked(Protocol::V5),
            Self::Asked(_) | Self::Settled(_) => return false,
        };
        *self = next;
        not_understood && next != Self::Asked(Protocol::V5)
    }
}

#[cfg(test)]
mod tests {
    use super::VersionProbe::{Asked, Doubted, Settled, Trial};
    use super::*;
    use Protocol::{V3, V5};

    #[derive(Debug, Clone, Copy)]
    enum Broker {
        Answers,
        Away,
        Mute,
    }
    use Broker::{Answers, Away, Mute};

    fn take(probe: &mut VersionProbe, broker: Broker) -> bool {
        match broker {
            Answers => probe.understood(),
            Away => probe.failed(&LinkFailure::Lost("away".into())),
            Mute => probe.failed(&LinkFailure::NotUnderstood("mute".into())),
        }
    }

    /// What the broker does in turn, and what is known after each.
    fn check(protocol: Protocol, steps: &[(Broker, VersionProbe, bool)]) {
        let mut probe = Asked(protocol);
        for &(broker, known, at_once) in steps {
            assert_eq!((take(&mut probe, broker), probe), (at_once, known), "after {broker:?}");
        }
    }

    #[test]
    fn five_is_given_up_only_for_a_broker_that_is_there_and_does_not_speak_it() {
        check(V5, &[(Mute, Trial, true), (Answers, Doubted, true), (Mute, Settled(V3), true)]);
        check(V5, &[(Mute, Trial, true), (Answers, Doubted, true), (Answers, Settled(V5), false)]);
        check(V5, &[(Mute, Trial, true), (Answers, Doubted, true), (Away, Asked(V5), false)]);
        check(V5, &[(Mute, Trial, true), (Away, Asked(V5), false), (Answers, Settled(V5), false)]);
        check(V5, &[(Away, Asked(V5), false), (Answers, Settled(V5), false), (Mute, Trial, true)]);
        check(V3, &[(Mute, Asked(V3), false), (Answers, Settled(V3), false), (Away, Settled(V3), false)]);
    }
}
