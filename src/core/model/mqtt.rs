//! What both sides of the broker speak of: quality of service and the version of the protocol.

/// MQTT quality of service, of the two kinds that retained state needs (MQTT 3.1.1 section 4.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Qos {
    /// 0: sent and forgotten.
    AtMostOnce,
    /// 1: acknowledged.
    AtLeastOnce,
}

/// A version of MQTT.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protocol {
    /// MQTT 3.1.1, which every broker speaks.
    V3,
    /// MQTT 5, which gives reasons for refusals and lets messages expire.
    V5,
}

impl Protocol {
    /// The name in the configuration and on `<bridge>/info`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::V3 => "3.1.1",
            Self::V5 => "5",
        }
    }
}
