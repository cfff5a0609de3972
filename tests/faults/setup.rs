//! What a scenario starts from: who is followed, and how the bridge is configured.

use std::path::Path;
use std::time::Duration;

use presence2mqtt::config::{self, Config, Environment};
use presence2mqtt::core::model::mqtt::{Protocol, Qos};
use presence2mqtt::core::model::settings::{Endpoint, OnStale};
use presence2mqtt::simulate::{self, Person};

/// More than anybody asks for here; what the budget does has tests of its own.
pub(crate) const REQUESTS: u32 = 10_000;

/// How long one request may take.
pub(crate) const REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

/// Everything about a scenario but what goes wrong.
#[derive(Debug, Clone)]
pub(crate) struct Setup {
    pub(crate) users: Vec<Followed>,
    pub(crate) endpoint: Endpoint,
    pub(crate) poll_interval: Duration,
    pub(crate) stale_after: Duration,
    pub(crate) on_stale: OnStale,
    pub(crate) debounce: Duration,
    pub(crate) include_messages: bool,
    pub(crate) qos: Qos,
    pub(crate) protocol: Protocol,
    pub(crate) refresh_interval: Option<Duration>,
    /// An earlier configuration left somebody on the broker.
    pub(crate) leftover: bool,
}

/// Somebody under `[[users]]`.
#[derive(Debug, Clone)]
pub(crate) struct Followed {
    pub(crate) name: String,
    /// Of the person, in the tenant.
    pub(crate) place: usize,
    /// Written as a principal name, which has to be resolved first.
    pub(crate) by_name: bool,
}

impl Setup {
    /// So many people, and a configuration that is as plain as can be.
    pub(crate) fn plain(people: usize) -> Self {
        let followed = |place| Followed { name: format!("user{place}"), place, by_name: false };
        Self {
            users: (0..people).map(followed).collect(),
            endpoint: Endpoint::Auto,
            poll_interval: Duration::from_millis(150),
            stale_after: Duration::from_secs(1),
            on_stale: OnStale::Keep,
            debounce: Duration::ZERO,
            include_messages: false,
            qos: Qos::AtLeastOnce,
            protocol: Protocol::V3,
            refresh_interval: None,
            leftover: false,
        }
    }

    /// The shortest that MQTT can say, and that rumqttc takes in MQTT 5.
    pub(crate) fn keep_alive(&self) -> Duration {
        match self.protocol {
            Protocol::V3 => Duration::from_secs(1),
            Protocol::V5 => Duration::from_secs(5),
        }
    }

    /// How many people the tenant has.
    pub(crate) fn people(&self) -> usize {
        self.users.iter().map(|user| user.place + 1).max().unwrap_or(0)
    }

    /// The configuration as it is written, and then much faster than it could be written.
    pub(crate) fn config(
        &self,
        tenant: &simulate::Settings,
        secret: &str,
        person: impl Fn(usize) -> Person,
        broker: u16,
        graph: u16,
    ) -> Config {
        let simulate::Settings { tenant_id, client_id, .. } = tenant;
        let user = |user: &Followed| {
            let person = person(user.place);
            let id = if user.by_name { person.principal_name } else { person.id.to_string() };
            format!("[[users]]\nname = \"{}\"\nid = \"{id}\"\n", user.name)
        };
        let users: String = self.users.iter().map(user).collect();
        let text = format!(
            "[mqtt]\nurl = \"mqtt://127.0.0.1:{broker}\"\n\
             [graph]\ntenant_id = \"{tenant_id}\"\nclient_id = \"{client_id}\"\n\
             graph_url = \"http://127.0.0.1:{graph}\"\nlogin_url = \"http://127.0.0.1:{graph}\"\n\
             [graph.auth]\nmethod = \"client-secret\"\n{secret}\n{users}"
        );
        let environment = Environment::from_iter([]);
        let mut config = config::parse(&text, Path::new("faults.toml"), &environment).unwrap();
        config.mqtt.settings.keep_alive = self.keep_alive();
        config.mqtt.settings.protocol = self.protocol;
        config.mqtt.settings.qos = self.qos;
        config.mqtt.settings.refresh_interval = self.refresh_interval;
        config.accounts[0].settings.endpoint = self.endpoint;
        config.accounts[0].settings.poll_interval = self.poll_interval;
        config.graph.stale_after = Some(self.stale_after);
        config.graph.on_stale = self.on_stale;
        config.graph.debounce = self.debounce;
        config.graph.include_messages = self.include_messages;
        config.accounts[0].request_timeout = REQUEST_TIMEOUT;
        config.accounts[0].settings.request_budget = REQUESTS;
        config
    }
}
