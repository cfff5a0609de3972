//! `[mqtt]`.

use std::time::Duration;

use super::refusals::{HOUR, Refusals, SECOND, WEEK};
use crate::config::broker::{Broker, Brokers};
use crate::config::environment::Environment;
use crate::config::files::{check_certificates, check_key};
use crate::config::key::Key;
use crate::config::known::{ClientIdentity, Credentials, Mqtt};
use crate::config::written::{self, Urls};
use crate::core::model::mqtt::{Protocol, Qos};
use crate::core::model::name::TopicLevel;
use crate::core::model::settings::MqttSettings;

pub(super) fn check(
    written: &written::Mqtt,
    environment: &Environment,
    refusals: &mut Refusals<'_>,
) -> Option<Mqtt> {
    let brokers = brokers(written, refusals);
    if let Some(brokers) = &brokers
        && !brokers.iter().any(|broker| broker.scheme.is_tls())
    {
        refuse_tls_keys(written, refusals);
    }
    let client_id = refusals.parse("mqtt.client_id", &written.client_id);
    let instance = instance(written.instance.as_deref(), environment, refusals);
    let bridge_name = refusals.parse("mqtt.bridge_name", &written.bridge_name);
    let base_topic = refusals.parse("mqtt.base_topic", &written.base_topic);
    let credentials = credentials(written, refusals);
    let ca = written.ca_file.as_deref();
    let ca_file = refusals.file("mqtt.ca_file", ca, check_certificates);
    let client_identity = client_identity(written, refusals);
    let qos = qos(written.qos, refusals);
    let protocol = protocol(written.protocol);
    let message_expiry = message_expiry(written.message_expiry, protocol, refusals);
    keep_alive(written.keep_alive, refusals);
    let refresh_interval = Some(written.refresh_interval).filter(|i| !i.is_zero());
    if let Some(interval) = refresh_interval
        && !(10 * SECOND..=WEEK).contains(&interval)
    {
        refusals.refuse("mqtt.refresh_interval", "must be 0s (never) or 10s to 7days");
    }
    let brokers = brokers?;
    let addresses = brokers.iter().len();
    Some(Mqtt {
        brokers,
        credentials,
        ca_file,
        client_identity,
        settings: MqttSettings {
            base_topic: base_topic?,
            bridge_name: bridge_name?,
            client_id: client_id?,
            instance: instance?,
            standby: written.standby,
            qos: qos?,
            protocol,
            keep_alive: written.keep_alive,
            message_expiry,
            addresses,
            refresh_interval,
        },
    })
}

fn brokers(written: &written::Mqtt, refusals: &mut Refusals<'_>) -> Option<Brokers> {
    let key = Key::from("mqtt.url");
    let urls = match &written.url {
        Some(Urls::One(url)) => vec![(key.clone(), url)],
        Some(Urls::Several(urls)) => urls.iter().enumerate().map(|(i, url)| (key.index(i), url)).collect(),
        None => Vec::new(),
    };
    if urls.is_empty() {
        refusals.refuse(key, "is required, such as \"mqtt://localhost:1883\"");
        return None;
    }
    let parsed =
        urls.into_iter().map(|(key, url)| url.parse().map_err(|error| refusals.refuse(key, error)).ok());
    Brokers::new(parsed.collect::<Vec<Option<Broker>>>().into_iter().collect::<Option<_>>()?)
}

/// `ping` and `pong` are topic levels beside those of the instances.
fn instance(
    written: Option<&str>,
    environment: &Environment,
    refusals: &mut Refusals<'_>,
) -> Option<TopicLevel> {
    let Some(written) = written else {
        let host = TopicLevel::made_of(environment.host(), "ping");
        return Some(TopicLevel::made_of(host.as_str(), "pong"));
    };
    if ["ping", "pong"].contains(&written) {
        refusals.refuse("mqtt.instance", "must not be ping or pong");
        return None;
    }
    refusals.parse("mqtt.instance", written)
}

fn refuse_tls_keys(written: &written::Mqtt, refusals: &mut Refusals<'_>) {
    for (key, value) in [
        ("mqtt.ca_file", &written.ca_file),
        ("mqtt.client_cert_file", &written.client_cert_file),
        ("mqtt.client_key_file", &written.client_key_file),
    ] {
        if value.is_some() {
            refusals.refuse(key, "needs mqtts:// or wss:// in mqtt.url");
        }
    }
}

fn credentials(written: &written::Mqtt, refusals: &mut Refusals<'_>) -> Option<Credentials> {
    let (inline, file) = (written.password.as_ref(), written.password_file.as_deref());
    let password = refusals.secret("mqtt.password", inline, file);
    let Some(username) = written.username.clone() else {
        for (key, is_given) in [("mqtt.password", inline.is_some()), ("mqtt.password_file", file.is_some())] {
            if is_given {
                refusals.refuse(key, "needs mqtt.username");
            }
        }
        return None;
    };
    // MQTT 3.1.1, 1.5.3: at most 65535 bytes, no NUL.
    if username.is_empty() || username.len() > 65_535 || username.contains('\0') {
        refusals.refuse("mqtt.username", "must be 1 to 65535 bytes without NUL");
    }
    Some(Credentials { username, password })
}

fn client_identity(written: &written::Mqtt, refusals: &mut Refusals<'_>) -> Option<ClientIdentity> {
    let (cert, key) = (written.client_cert_file.as_deref(), written.client_key_file.as_deref());
    let cert_file = refusals.file("mqtt.client_cert_file", cert, check_certificates);
    let key_file = refusals.file("mqtt.client_key_file", key, check_key);
    match (cert_file, key_file) {
        (None, None) => None,
        (Some(cert_file), Some(key_file)) => Some(ClientIdentity { cert_file, key_file }),
        (Some(_), None) => {
            refusals.refuse("mqtt.client_cert_file", "needs mqtt.client_key_file");
            None
        }
        (None, Some(_)) => {
            refusals.refuse("mqtt.client_key_file", "needs mqtt.client_cert_file");
            None
        }
    }
}

fn qos(written: u8, refusals: &mut Refusals<'_>) -> Option<Qos> {
    match written {
        0 => Some(Qos::AtMostOnce),
        1 => Some(Qos::AtLeastOnce),
        _ => {
            refusals.refuse("mqtt.qos", "must be 0 or 1");
            None
        }
    }
}

fn protocol(written: written::Protocol) -> Protocol {
    match written {
        written::Protocol::V3 => Protocol::V3,
        written::Protocol::V5 => Protocol::V5,
    }
}

/// The protocol counts it in whole seconds (MQTT 5 section 3.3.2.3.3).
fn message_expiry(written: Duration, protocol: Protocol, refusals: &mut Refusals<'_>) -> Option<Duration> {
    let expiry = Some(written).filter(|expiry| !expiry.is_zero())?;
    if protocol == Protocol::V3 {
        refusals.refuse(
            "mqtt.message_expiry",
            "needs mqtt.protocol = \"5\": older brokers keep retained values for ever",
        );
    } else if expiry.subsec_nanos() != 0 || !(10 * SECOND..=WEEK).contains(&expiry) {
        refusals.refuse("mqtt.message_expiry", "must be 0s (never) or whole seconds, 10s to 7days");
    }
    Some(expiry)
}

/// The protocol counts it in whole seconds.
fn keep_alive(written: Duration, refusals: &mut Refusals<'_>) {
    if written.subsec_nanos() == 0 {
        refusals.within("mqtt.keep_alive", written, 5 * SECOND..=HOUR);
    } else {
        refusals.refuse("mqtt.keep_alive", "must be whole seconds, 5s to 1h");
    }
}
