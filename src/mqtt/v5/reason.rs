//! Turns the broker's reason codes into sentences that say what to do (MQTT 5 section 2.4).

use rumqttc::v5::mqttbytes::v5::{
    ConnectReturnCode, DisconnectReasonCode, PubAckReason, SubscribeReasonCode,
};

use crate::core::model::event::LinkFailure;
use crate::core::model::foreign::Legible;
use crate::mqtt::gate::unknown_code;

pub(super) const RETAIN_NOT_SUPPORTED: &str = "the broker keeps no retained messages, which this bridge \
needs; allow them on the broker or use another one";
const NOT_AUTHORIZED: &str = "the broker does not accept this client; check mqtt.username, \
mqtt.password_file and the \
     broker's access list";
const QUOTA_EXCEEDED: &str = "a quota of the broker is used up; raise it there";
const PACKET_TOO_LARGE: &str = "a packet was too large for the broker; raise its limit";
const QOS_NOT_SUPPORTED: &str = "the broker does not acknowledge messages (quality of service 1), which this bridge \
     needs for its own topics; allow it on the broker or use another one";
const TOPIC_INVALID: &str = "the broker does not accept a topic of this bridge; check mqtt.base_topic and what the \
     broker allows";
const OTHER_SERVER: &str = "the broker sends its clients to another one; change mqtt.url";
const NOT_THIS_PROTOCOL: &str = "the broker does not speak MQTT 5";
const RATE_EXCEEDED: &str = "the broker reports that this client connects too often";
const BUSY: &str = "the broker is busy";
const UNSPECIFIED: &str = "the broker gives no reason";
const NOT_UNDERSTOOD_BY_BROKER: &str = "the broker does not understand what it was sent";

/// Why the broker did not accept a connection (section 3.2.2.2).
pub(super) fn of_refusal(code: ConnectReturnCode) -> LinkFailure {
    use ConnectReturnCode as Code;
    let (failure, why): (fn(Legible) -> LinkFailure, _) = match code {
        Code::BadUserNamePassword => (
            LinkFailure::Refused,
            "the broker refuses the user name or password; check mqtt.username and mqtt.password_file",
        ),
        Code::NotAuthorized => (LinkFailure::Refused, NOT_AUTHORIZED),
        Code::ClientIdentifierNotValid | Code::BadClientId => {
            (LinkFailure::Refused, "the broker refuses the client id; change mqtt.client_id")
        }
        Code::Banned => (
            LinkFailure::Refused,
            "the broker has banned this client; lift the ban there, or change mqtt.client_id",
        ),
        Code::BadAuthenticationMethod => (
            LinkFailure::Refused,
            "the broker requires a sign-in method that this bridge does not support; allow a password or a \
            certificate",
        ),
        Code::TopicNameInvalid => (LinkFailure::Refused, TOPIC_INVALID),
        Code::PacketTooLarge => (LinkFailure::Refused, PACKET_TOO_LARGE),
        Code::QuotaExceeded => (LinkFailure::Refused, QUOTA_EXCEEDED),
        Code::PayloadFormatInvalid => (LinkFailure::Refused, "the broker does not accept the last will"),
        Code::RetainNotSupported => (LinkFailure::Refused, RETAIN_NOT_SUPPORTED),
        Code::QoSNotSupported => (LinkFailure::Refused, QOS_NOT_SUPPORTED),
        Code::UseAnotherServer | Code::ServerMoved => (LinkFailure::Refused, OTHER_SERVER),
        Code::ConnectionRateExceeded => (LinkFailure::Refused, RATE_EXCEEDED),
        Code::UnspecifiedError | Code::ImplementationSpecificError => {
            (LinkFailure::Refused, "the broker does not accept this client and gives no reason; its log may")
        }
        Code::ServerUnavailable | Code::ServiceUnavailable => {
            (LinkFailure::Lost, "the broker is not available now")
        }
        Code::ServerBusy => (LinkFailure::Lost, BUSY),
        Code::UnsupportedProtocolVersion | Code::RefusedProtocolVersion => {
            (LinkFailure::NotUnderstood, NOT_THIS_PROTOCOL)
        }
        Code::MalformedPacket | Code::ProtocolError => (LinkFailure::NotUnderstood, NOT_UNDERSTOOD_BY_BROKER),
        Code::Success => (LinkFailure::NotUnderstood, "the broker's answer contradicts itself"),
    };
    failure(why.into())
}

/// Why the broker closed a connection (section 3.14.2.1). `said` is the broker's own text.
pub(super) fn of_goodbye(code: DisconnectReasonCode, said: Option<&str>) -> LinkFailure {
    use DisconnectReasonCode as Code;
    let (failure, why): (fn(Legible) -> LinkFailure, _) = match code {
        Code::SessionTakenOver => return LinkFailure::TakenOver,
        Code::NotAuthorized => (LinkFailure::Refused, NOT_AUTHORIZED),
        Code::AdministrativeAction => (
            LinkFailure::Refused,
            "an administrator closed the connection at \
        the broker",
        ),
        Code::TopicFilterInvalid | Code::TopicNameInvalid => (LinkFailure::Refused, TOPIC_INVALID),
        Code::PacketTooLarge => (LinkFailure::Refused, PACKET_TOO_LARGE),
        Code::QuotaExceeded => (LinkFailure::Refused, QUOTA_EXCEEDED),
        Code::PayloadFormatInvalid => {
            (LinkFailure::Refused, "the broker does not accept a payload of this bridge")
        }
        Code::RetainNotSupported => (LinkFailure::Refused, RETAIN_NOT_SUPPORTED),
        Code::QoSNotSupported => (LinkFailure::Refused, QOS_NOT_SUPPORTED),
        Code::UseAnotherServer | Code::ServerMoved => (LinkFailure::Refused, OTHER_SERVER),
        Code::WildcardSubscriptionsNotSupported => (
            LinkFailure::Refused,
            "the broker allows no wildcards in subscriptions, which this bridge needs to find its earlier topics; allow them there",
        ),
        Code::ConnectionRateExceeded => (LinkFailure::Refused, RATE_EXCEEDED),
        Code::MessageRateTooHigh => {
            (LinkFailure::Refused, "the broker reports that this client sends too much at once")
        }
        Code::ServerBusy => (LinkFailure::Lost, BUSY),
        Code::ServerShuttingDown => (LinkFailure::Lost, "the broker is shutting down"),
        Code::KeepAliveTimeout => (LinkFailure::Lost, "the broker received nothing for too long"),
        Code::MaximumConnectTime => (LinkFailure::Lost, "the broker ends connections after some time"),
        Code::NormalDisconnection | Code::DisconnectWithWillMessage => return LinkFailure::Closed,
        Code::UnspecifiedError | Code::ImplementationSpecificError => (LinkFailure::Lost, UNSPECIFIED),
        Code::MalformedPacket
        | Code::ProtocolError
        | Code::ReceiveMaximumExceeded
        | Code::TopicAliasInvalid
        | Code::SharedSubscriptionNotSupported
        | Code::SubscriptionIdentifiersNotSupported => (LinkFailure::Lost, NOT_UNDERSTOOD_BY_BROKER),
    };
    failure(in_words(why, said).into())
}

/// Why the broker refused a message, if it did (section 3.4.2.1).
pub(super) fn of_message(reason: PubAckReason) -> Option<&'static str> {
    match reason {
        PubAckReason::Success | PubAckReason::NoMatchingSubscribers => None,
        PubAckReason::NotAuthorized => Some("not authorized; allow writing it in the broker's access list"),
        PubAckReason::TopicNameInvalid => Some("the broker does not accept the topic's name"),
        PubAckReason::QuotaExceeded => Some(QUOTA_EXCEEDED),
        PubAckReason::PayloadFormatInvalid => Some("the broker does not accept the payload"),
        PubAckReason::PacketIdentifierInUse => Some("the broker has lost count of the messages"),
        PubAckReason::UnspecifiedError | PubAckReason::ImplementationSpecificError => Some(UNSPECIFIED),
    }
}

/// Why the broker refused a subscription, if it did (section 3.9.3).
pub(super) fn of_filter(code: &SubscribeReasonCode, said: Option<&str>) -> Option<String> {
    use SubscribeReasonCode as Code;
    let why = match code {
        Code::NotAuthorized => "not authorized",
        Code::TopicFilterInvalid => "the broker does not accept the filter",
        Code::QuotaExceeded => QUOTA_EXCEEDED,
        Code::WildcardSubscriptionsNotSupported => "the broker allows no wildcards",
        Code::SharedSubscriptionsNotSupported | Code::SubscriptionIdNotSupported | Code::PkidInUse => {
            NOT_UNDERSTOOD_BY_BROKER
        }
        Code::Success(_) => return None,
        Code::Failure | Code::Unspecified | Code::ImplementationSpecific => UNSPECIFIED,
    };
    Some(in_words(why, said))
}

/// The reason for a refusal. If rumqttc does not know the code, the gate has put it into the reason string.
pub(super) fn in_words(why: &str, said: Option<&str>) -> String {
    match unknown_code(said) {
        Some(code @ 0x95) => format!("{PACKET_TOO_LARGE} (reason code {code:#04x})"),
        Some(code @ 0x9b) => {
            format!("the broker does not accept this quality of service (reason code {code:#04x})")
        }
        Some(code) => format!("the broker refuses it with reason code {code:#04x}"),
        None => with_words(why, said),
    }
}

/// The broker's own text is foreign: it is quoted and cut.
fn with_words(why: &str, said: Option<&str>) -> String {
    const LONGEST: usize = 200;
    match said {
        Some(said) => format!("{why} ({:?})", said.chars().take(LONGEST).collect::<String>()),
        None => why.to_owned(),
    }
}
