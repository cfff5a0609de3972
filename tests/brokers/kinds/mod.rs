//! How each broker is started.

mod aedes;
mod ejabberd;
mod mosquitto;
pub(crate) mod nats;
mod rabbitmq;

use crate::broker::Kind;

/// From the lightest to the heaviest.
pub(crate) const ALL: [&Kind; 5] =
    [&mosquitto::MOSQUITTO, &nats::NATS, &aedes::AEDES, &ejabberd::EJABBERD, &rabbitmq::RABBITMQ];
