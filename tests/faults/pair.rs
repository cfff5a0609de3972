//! Two instances of a bridge, each with lines of its own to one broker and one tenant.

use std::path::Path;
use std::time::{Duration, Instant};

use presence2mqtt::config::{self, Config, Environment};
use presence2mqtt::demo::broker::EmbeddedBroker;
use presence2mqtt::simulate::{self, Server, Tenant};
use tokio::net::TcpListener;
use tokio::sync::Mutex;

use crate::condition::{Condition, Cut};
use crate::instance::Instance;
use crate::line::Line;
use crate::observer::{Note, Observer};
use crate::people::People;
use crate::stage::within;
use crate::takeover::Plan;
use crate::truth::{Retained, differences};
use crate::turns::{Word, word};

/// Their names.
pub(crate) const NAMES: [&str; 2] = ["a", "b"];

/// Where an instance says that it waits, and where they speak to each other.
pub(crate) const STANDBY: &str = "presence/bridge/standby/";

/// Requests in 30 s that the tenant grants to both together: one that reads once a second needs half of it.
pub(crate) const BUDGET: usize = 60;

/// The stage of one scenario.
pub(crate) struct Pair {
    pub(crate) people: People,
    pub(crate) observer: Observer,
    pub(crate) instances: [Mutex<Instance>; 2],
    pub(crate) broker_lines: [Line; 2],
    pub(crate) graph_lines: [Line; 2],
    pub(crate) began: Instant,
    config: Config,
    broker: Mutex<Option<EmbeddedBroker>>,
    server: Server,
}

impl Pair {
    /// Everything but the instances runs.
    pub(crate) async fn set(plan: &Plan, random: &mut fastrand::Rng) -> Self {
        let tenant = Tenant::new(simulate::Settings {
            users: plan.people,
            speed: 0.0,
            seed: random.u64(..),
            request_limit: BUDGET,
            ..simulate::Settings::default()
        });
        let began = Instant::now();
        let people = People::new(tenant.clone(), random);
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let server = Server::start(listener, tenant.clone()).unwrap();
        let broker = EmbeddedBroker::start(0).await.unwrap();
        let graph_lines = [Line::to(Some(port)), Line::to(Some(port))];
        let broker_lines = [Line::to(Some(broker.port())), Line::to(Some(broker.port()))];
        let texts = [0, 1].map(|which| {
            let (broker, graph) = (broker_lines[which].port(), graph_lines[which].port());
            text(plan, &people, NAMES[which], broker, graph)
        });
        let config = config::parse(&texts[0], Path::new("pair.toml"), &Environment::from_iter([])).unwrap();
        let observer = Observer::start(&config.mqtt, broker.port()).await;
        let [a, b] = texts;
        Self {
            instances: [Instance::new(&a, None), Instance::new(&b, plan.clock)].map(Mutex::new),
            broker: Mutex::new(Some(broker)),
            people,
            observer,
            broker_lines,
            graph_lines,
            began,
            config,
            server,
        }
    }

    /// The broker goes; returns what it kept.
    pub(crate) async fn lose_broker(&self) -> Retained {
        let broker = self.broker.lock().await.take().unwrap();
        self.lead_to(None);
        let kept = self.observer.record().now.clone();
        self.observer.leave().await;
        within("the end of the broker", broker.stop()).await;
        kept
    }

    /// Another broker is where the first one was, with what that one kept. The observer is the first to know
    /// it.
    pub(crate) async fn start_broker(&self, kept: Retained) {
        let broker = EmbeddedBroker::start(0).await.unwrap();
        self.observer.restore(broker.port(), kept).await.unwrap();
        self.observer.move_to(broker.port()).await;
        self.lead_to(Some(broker.port()));
        *self.broker.lock().await = Some(broker);
    }

    fn lead_to(&self, target: Option<u16>) {
        self.broker_lines.iter().for_each(|line| line.lead_to(target));
    }

    /// Breaks the lines of these instances, or mends them.
    pub(crate) fn set_lines(lines: &[Line; 2], which: &[usize], condition: Condition) {
        for line in which.iter().map(|which| &lines[*which]) {
            line.set(condition);
            match condition {
                Condition::Closed => line.cut(Cut::Rst),
                Condition::HangsUp(cut) => line.cut(cut),
                _ => {}
            }
        }
    }

    /// The newest word of whoever holds the place, if that is not older than `since`.
    pub(crate) fn holder(&self, since: Instant) -> Option<Word> {
        let record = self.observer.record();
        let notes: &[Note] = &record.notes;
        notes.iter().rev().take_while(|note| note.at >= since).find_map(word)
    }

    /// How what is found differs from the truth, but for who waits.
    pub(crate) fn wrong(&self, found: &Retained) -> Vec<String> {
        let others = found.iter().filter(|(topic, _)| !topic.starts_with(STANDBY));
        let others = others.map(|(topic, payload)| (topic.clone(), payload.clone())).collect();
        differences(&others, &self.people, &self.config)
    }

    /// Those that say that they wait.
    pub(crate) fn waiting(found: &Retained) -> Vec<usize> {
        (0..NAMES.len()).filter(|which| found.contains_key(&format!("{STANDBY}{}", NAMES[*which]))).collect()
    }

    /// Waits for whatever comes next, or for a moment.
    pub(crate) async fn moment(&self) {
        let seen = self.observer.record().notes.len();
        self.observer.hears_by(seen, Instant::now() + Duration::from_millis(20)).await;
    }

    /// Ends everything, and waits for it.
    pub(crate) async fn strike(self) {
        drop(self.instances);
        if let Some(broker) = self.broker.into_inner() {
            within("the end of the broker", broker.stop()).await;
        }
        within("the end of the tenant", self.server.stop()).await;
    }
}

fn text(plan: &Plan, people: &People, instance: &str, broker: u16, graph: u16) -> String {
    let simulate::Settings { tenant_id, client_id, client_secret, .. } = people.tenant.settings();
    let user = |place| format!("[[users]]\nname = \"user{place}\"\nid = \"{}\"\n", people.person(place).id);
    let users: String = (0..people.count()).map(user).collect();
    format!(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:{broker}\"\nstandby = true\ninstance = \"{instance}\"\nkeep_alive = \"5s\"\n\
         protocol = \"{}\"\n\
         [graph]\ntenant_id = \"{tenant_id}\"\nclient_id = \"{client_id}\"\npoll_interval = \"1s\"\n\
         request_timeout = \"2s\"\nrequest_budget = {BUDGET}\n\
         graph_url = \"http://127.0.0.1:{graph}\"\nlogin_url = \"http://127.0.0.1:{graph}\"\n\
         [graph.auth]\nmethod = \"client-secret\"\nclient_secret = \"{client_secret}\"\n{users}",
        plan.protocol
    )
}
