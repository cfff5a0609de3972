//! The tenant that the bridge reads.

use std::collections::BTreeMap;

use presence2mqtt::core::model::name::ObjectId;
use presence2mqtt::simulate::{Person, Server, Settings, Tenant};
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
        let source = Self::lively(Settings { speed: 0.0, users: PEOPLE.len(), ..settings }).await;
        source.set("alice", "Available", "Available");
        source.set("bob", "Busy", "InACall");
        source.set("carol", "Away", "Away");
        source
    }

    /// A tenant as large and as lively as it is set to be.
    pub(crate) async fn lively(settings: Settings) -> Self {
        let tenant = Tenant::new(settings);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        Self { server: Server::start(listener, tenant.clone()).unwrap(), tenant }
    }

    /// Ends the service: nobody listens at its port any more.
    pub(crate) async fn stop(self) {
        self.server.stop().await;
    }

    pub(crate) fn url(&self) -> String {
        self.server.url()
    }

    pub(crate) fn id(&self, name: &str) -> ObjectId {
        let people = self.tenant.people();
        people.iter().find(|person| person.principal_name.starts_with(name)).unwrap().id
    }

    /// How many connections have brought requests so far.
    pub(crate) fn connections(&self) -> usize {
        let requests = self.tenant.requests();
        let connections = requests.log.iter().map(|request| request.connection);
        connections.collect::<std::collections::BTreeSet<_>>().len()
    }

    pub(crate) fn set(&self, name: &str, availability: &str, activity: &str) {
        assert!(self.tenant.set_presence(self.id(name), availability, activity));
    }

    /// Gives everybody the same presence, for good.
    pub(crate) fn everybody_is(&self, availability: &str, activity: &str) {
        for person in self.tenant.people() {
            assert!(self.tenant.set_presence(person.id, availability, activity));
        }
    }

    /// What the broker must hold on everybody's plain topics.
    pub(crate) fn truth(&self) -> BTreeMap<String, String> {
        let truth = |person: Person| {
            let truth = self.tenant.presence(person.id).unwrap();
            let name = person.principal_name.split('@').next().unwrap();
            [
                (format!("presence/{name}/activity"), truth.activity),
                (format!("presence/{name}/availability"), truth.availability),
                (format!("presence/{name}/health"), "ok".to_owned()),
            ]
        };
        self.tenant.people().into_iter().flat_map(truth).collect()
    }
}
