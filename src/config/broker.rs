//! The address of the broker, or of several that belong to one cluster.

use std::fmt;
use std::str::FromStr;

use url::{Host, Url};

/// The broker's address, without user name and password: those are kept apart.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Broker {
    /// How it is spoken to.
    pub scheme: Scheme,
    /// A name or an address; IPv6 without brackets.
    pub host: String,
    /// Not 0.
    pub port: u16,
    /// Of the WebSocket, beginning with `/`; empty for `mqtt` and `mqtts`.
    pub path: String,
}

/// The addresses of the broker, tried in turn. There is at least one.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Brokers(Vec<Broker>);

impl Brokers {
    /// Nothing if there is none.
    #[must_use]
    pub fn new(brokers: Vec<Broker>) -> Option<Self> {
        (!brokers.is_empty()).then_some(Self(brokers))
    }

    /// In the order in which they are written.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = &Broker> {
        self.0.iter()
    }

    /// The address at this position, counting from 0; after the last one the first follows.
    #[must_use]
    pub fn in_turn(&self, turn: usize) -> &Broker {
        &self.0[turn % self.0.len()]
    }
}

impl From<Broker> for Brokers {
    fn from(broker: Broker) -> Self {
        Self(vec![broker])
    }
}

/// The URLs.
impl fmt::Display for Brokers {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, broker) in self.0.iter().enumerate() {
            f.write_str(if i == 0 { "" } else { ", " })?;
            broker.fmt(f)?;
        }
        Ok(())
    }
}

/// How the broker is spoken to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// MQTT over TCP.
    Mqtt,
    /// MQTT over TLS.
    Mqtts,
    /// MQTT over a WebSocket.
    Ws,
    /// MQTT over a WebSocket over TLS.
    Wss,
}

impl Scheme {
    /// Whether the connection is encrypted.
    #[must_use]
    pub fn is_tls(self) -> bool {
        matches!(self, Self::Mqtts | Self::Wss)
    }

    fn is_websocket(self) -> bool {
        matches!(self, Self::Ws | Self::Wss)
    }

    fn default_port(self) -> u16 {
        match self {
            Self::Mqtt => 1883,
            Self::Mqtts => 8883,
            Self::Ws => 80,
            Self::Wss => 443,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Mqtt => "mqtt",
            Self::Mqtts => "mqtts",
            Self::Ws => "ws",
            Self::Wss => "wss",
        }
    }
}

/// What is wrong with a broker's URL: says what is allowed, and never shows the URL.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct InvalidBroker(String);

impl FromStr for Broker {
    type Err = InvalidBroker;

    fn from_str(text: &str) -> Result<Self, InvalidBroker> {
        let refuse = |says: &str| Err(InvalidBroker(says.to_owned()));
        let url = Url::parse(text).map_err(|error| {
            InvalidBroker(format!("must be a URL such as mqtt://localhost:1883 ({error})"))
        })?;
        if !url.username().is_empty() || url.password().is_some() {
            return refuse(
                "must not hold a user name or password; write mqtt.username and mqtt.password_file",
            );
        }
        let scheme = match url.scheme() {
            "mqtt" => Scheme::Mqtt,
            "mqtts" => Scheme::Mqtts,
            "ws" => Scheme::Ws,
            "wss" => Scheme::Wss,
            _ => return refuse("must begin with mqtt://, mqtts://, ws:// or wss://"),
        };
        if url.query().is_some() || url.fragment().is_some() {
            return refuse("must not have a query or fragment (? or #)");
        }
        let host = match url.host() {
            Some(Host::Domain(name)) if !name.is_empty() && !name.contains('%') => name.to_owned(),
            Some(Host::Ipv4(address)) => address.to_string(),
            Some(Host::Ipv6(address)) => address.to_string(),
            Some(Host::Domain(_)) | None => {
                return refuse("must name the broker's host, as in mqtt://localhost:1883");
            }
        };
        let path = match url.path() {
            "" | "/" if !scheme.is_websocket() => "",
            _ if !scheme.is_websocket() => {
                return refuse("must not have a path; only ws:// and wss:// have one");
            }
            // Most brokers listen at /mqtt, and Mosquitto at any path. To use the root, write the slash.
            "/" if !text.ends_with('/') => "/mqtt",
            path => path,
        };
        match url.port().unwrap_or(scheme.default_port()) {
            0 => refuse("must have a port from 1 to 65535"),
            port => Ok(Self { scheme, host, port, path: path.to_owned() }),
        }
    }
}

/// The URL.
impl fmt::Display for Broker {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { scheme, host, port, path } = self;
        let scheme = scheme.as_str();
        if host.contains(':') {
            write!(f, "{scheme}://[{host}]:{port}{path}")
        } else {
            write!(f, "{scheme}://{host}:{port}{path}")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn good_addresses_are_completed() {
        for (written, meant) in [
            ("mqtt://broker", "mqtt://broker:1883"),
            ("mqtts://broker/", "mqtts://broker:8883"),
            ("MQTT://10.0.0.1:1884", "mqtt://10.0.0.1:1884"),
            ("mqtt://[fd00::1]:1883", "mqtt://[fd00::1]:1883"),
            ("ws://broker:9001", "ws://broker:9001/mqtt"),
            ("ws://broker:9001/", "ws://broker:9001/"),
            ("ws://broker", "ws://broker:80/mqtt"),
            ("wss://[::1]/a/b", "wss://[::1]:443/a/b"),
        ] {
            let broker: Broker = written.parse().unwrap();
            assert_eq!(broker.to_string(), meant);
            assert!(!broker.host.contains('['), "{written}");
        }
    }

    #[test]
    fn bad_addresses_are_refused_and_not_shown() {
        for (written, fragment) in [
            ("", "must be a URL"),
            ("broker", "must be a URL"),
            ("broker:1883", "must begin with mqtt://"),
            ("http://broker", "must begin with mqtt://"),
            ("mqtt://", "host"),
            ("mqtt:", "host"),
            ("mqtt://broker:0", "port"),
            ("mqtt://broker:70000", "invalid port"),
            ("mqtt://broker/path", "path"),
            ("mqtt://broker?a=b", "query or fragment"),
            ("ws://broker/#b", "query or fragment"),
            ("mqtt://alice@broker", "mqtt.username"),
            ("mqtt://:s3cr3t@broker", "mqtt.password_file"),
            ("mqtt://alice:s3cr3t@broker:x", "must be a URL"),
        ] {
            let error = written.parse::<Broker>().unwrap_err().to_string();
            assert!(error.contains(fragment), "{written}: {error}");
            assert!(!error.contains("s3cr3t"), "{error}");
        }
    }
}
