//! The tenant that the bridge reads.

use std::collections::BTreeMap;

use presence2mqtt::core::name::ObjectId;
use presence2mqtt::simulate::{Server, Settings, Tenant};
use tokio::net::TcpListener;

/// The three people of the tenant.
pub(crate) const PEOPLE: [&str; 3] = ["alice", "bob", "carol"];

/// A tenant in which nothing happens by itself.
pub(crate) struct Source {
    pub(crate) tenant: Tenant,
    server: Server,
}

impl Source {
    pub(crate) async fn start() -> Self {
        Self::with(Settings::default()).await
    }

    pub(crate) async fn with(settings: Settings) -> Self {
        let tenant = Tenant::new(Settings { speed: 0.0, users: PEOPLE.len(), ..settings });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let source = Self { server: Server::start(listener, tenant.clone()).unwrap(), tenant };
        source.set("alice", "Available", "Available");
        source.set("bob", "Busy", "InACall");
        source.set("carol", "Away", "Away");
        source
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn id(&self, name: &str) -> ObjectId {
        let people = self.tenant.people();
        people.iter().find(|person| person.principal_name.starts_with(name)).unwrap().id
    }

    pub(crate) fn set(&self, name: &str, availability: &str, activity: &str) {
        assert!(self.tenant.set_presence(self.id(name), availability, activity));
    }

    /// What the broker must hold on everybody's plain topics.
    pub(crate) fn truth(&self) -> BTreeMap<String, String> {
        let truth = |name: &str| {
            let truth = self.tenant.presence(self.id(name)).unwrap();
            [
                (format!("presence/{name}/activity"), truth.activity),
                (format!("presence/{name}/availability"), truth.availability),
                (format!("presence/{name}/health"), "ok".to_owned()),
            ]
        };
        PEOPLE.into_iter().flat_map(truth).collect()
    }
}
