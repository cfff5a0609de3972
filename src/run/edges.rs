//! The tasks at the edges, and the channels between them and the loop.

use std::path::Path;
use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::error::RunError;
use super::settings::{attendant, graph_client};
use crate::config::{Auth, Config};
use crate::core::model::effect::{BrokerOrder, GraphOrder};
use crate::core::model::event::{Event, PresenceEvent};
use crate::core::model::sign_in::{SignInEvent, SignInOrder};
use crate::graph::fetcher;
use crate::graph::sign_in::attendant;
use crate::graph::sign_in::delegated::DelegatedSignIn;
use crate::graph::sign_in::store::RunLock;
use crate::meters::Meters;
use crate::mqtt::address::{Address, Will};
use crate::mqtt::publisher;

/// Orders under way to an edge. The core bounds what it orders (64 reads and 16 writes, one window of messages in far fewer
/// batches), so a full channel means that the edge is dead.
const ORDERS: usize = 256;

/// Reports under way from an edge. When it is full the edge waits; the loop never does.
const REPORTS: usize = 256;

/// One edge as the loop sees it.
pub(super) struct Edge<Order, Report> {
    name: &'static str,
    orders: mpsc::Sender<Order>,
    reports: mpsc::Receiver<Report>,
}

/// All edges.
pub(super) struct Edges {
    pub(super) fetcher: Edge<GraphOrder, PresenceEvent>,
    pub(super) attendant: Edge<SignInOrder, SignInEvent>,
    pub(super) publisher: Edge<BrokerOrder, Event>,
    /// Held until the end: tokens that two bridges renewed by turns would be lost to both.
    claim: Option<RunLock>,
    tasks: JoinSet<()>,
}

impl Edges {
    /// Starts all tasks.
    pub(super) fn start(config: &Config, meters: &Meters) -> Result<Self, RunError> {
        let client = Arc::new(graph_client(config)?.metered(meters.graph.clone()));
        let meter = meters.broker.clone();
        let claim = client.delegated().map(DelegatedSignIn::claim).transpose()?;
        let address = address(config);
        let look_after = attendant(config, &client);
        let mut tasks = JoinSet::new();
        Ok(Self {
            attendant: edge("sign-in", &mut tasks, |o, r| attendant::run(look_after, o, r)),
            fetcher: edge("fetcher", &mut tasks, |o, r| fetcher::run(client, o, r)),
            publisher: edge("publisher", &mut tasks, |o, r| publisher::metered(address, meter, o, r)),
            claim,
            tasks,
        })
    }

    /// Puts other tasks in place of those that know the way to Graph; what these had under way is dropped.
    pub(super) fn replace_access(
        &mut self,
        before: &Config,
        config: &Config,
        meters: &Meters,
    ) -> Result<(), RunError> {
        let client = Arc::new(graph_client(config)?.metered(meters.graph.clone()));
        if state_dir(before) != state_dir(config) {
            self.claim = client.delegated().map(DelegatedSignIn::claim).transpose()?;
        }
        let look_after = attendant(config, &client);
        // The old ones end when their orders do, which is now.
        self.attendant = edge("sign-in", &mut self.tasks, |o, r| attendant::run(look_after, o, r));
        self.fetcher = edge("fetcher", &mut self.tasks, |o, r| fetcher::run(client, o, r));
        while self.tasks.try_join_next().is_some() {}
        Ok(())
    }

    /// Ends all tasks. They end when their orders do; what is still under way has no limit of its own worth waiting for.
    pub(super) async fn end(self) {
        let Self { mut tasks, .. } = self;
        tasks.shutdown().await;
    }
}

/// Whether a bridge could start with this configuration beside one that runs with another.
pub(super) fn could_start(before: &Config, config: &Config) -> Result<(), RunError> {
    let client = graph_client(config)?;
    if state_dir(before) != state_dir(config) {
        client.delegated().map(DelegatedSignIn::claim).transpose()?;
    }
    Ok(address(config).check()?)
}

fn address(config: &Config) -> Address {
    Address::of_bridge(&config.mqtt, Will::of_bridge(&config.mqtt.settings))
}

fn state_dir(config: &Config) -> Option<&Path> {
    match &config.graph.auth {
        Auth::Person { state_dir, .. } => Some(state_dir),
        Auth::ClientSecret { .. }
        | Auth::Certificate { .. }
        | Auth::WorkloadIdentity { .. }
        | Auth::ManagedIdentity { .. } => None,
    }
}

fn edge<Order, Report, Task>(
    name: &'static str,
    tasks: &mut JoinSet<()>,
    task: impl FnOnce(mpsc::Receiver<Order>, mpsc::Sender<Report>) -> Task,
) -> Edge<Order, Report>
where
    Task: Future<Output = ()> + Send + 'static,
{
    let (orders, ordered) = mpsc::channel(ORDERS);
    let (reporter, reports) = mpsc::channel(REPORTS);
    tasks.spawn(task(ordered, reporter));
    Edge { name, orders, reports }
}

impl<Order, Report> Edge<Order, Report> {
    /// Hands an order over; the edge is always ready for one.
    pub(super) fn order(&self, order: Order) -> Result<(), RunError> {
        self.orders.try_send(order).map_err(|_| RunError::TaskDied(self.name))
    }

    /// What the edge reports next.
    pub(super) async fn report(&mut self) -> Result<Report, RunError> {
        self.reports.recv().await.ok_or(RunError::TaskDied(self.name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_edge_whose_task_is_gone_is_named() {
        let mut tasks = JoinSet::new();
        let mut gone: Edge<(), ()> = edge("fetcher", &mut tasks, |orders, reports| async move {
            drop((orders, reports));
        });
        let error = gone.report().await.unwrap_err();
        assert_eq!(error.to_string(), "the fetcher task ended unexpectedly");
        assert!(matches!(gone.order(()), Err(RunError::TaskDied("fetcher"))));
    }
}
