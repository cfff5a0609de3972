//! The tasks at the edges, and the channels between them and the loop.

use std::future::poll_fn;
use std::path::Path;
use std::sync::Arc;
use std::task::{Context, Poll};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::error::RunError;
use super::settings::{access, attendant, graph_client};
use crate::config::{Account, Auth, Config};
use crate::core::model::account::AccountId;
use crate::core::model::effect::{BrokerOrder, GraphOrder};
use crate::core::model::event::{Access, Event, PresenceEvent};
use crate::core::model::sign_in::{SignInEvent, SignInOrder};
use crate::graph::client::GraphClient;
use crate::graph::fetcher;
use crate::graph::sign_in::attendant;
use crate::graph::sign_in::delegated::DelegatedSignIn;
use crate::graph::sign_in::store::RunLock;
use crate::meters::Meters;
use crate::mqtt::address::{Address, Will};
use crate::mqtt::publisher;

/// Orders that an edge has not taken yet. The core limits its orders (64 reads and 16 writes, and one window
/// of messages in far fewer batches), so a full channel means that the edge is dead.
const ORDERS: usize = 256;

/// Reports that the loop has not taken yet. If the channel is full the edge waits; the loop never does.
const REPORTS: usize = 256;

/// One edge, as the loop sees it.
pub(super) struct Edge<Order, Report> {
    name: &'static str,
    orders: mpsc::Sender<Order>,
    reports: mpsc::Receiver<Report>,
}

/// The edges of one account.
struct AccountEdges {
    fetcher: Edge<GraphOrder, PresenceEvent>,
    attendant: Edge<SignInOrder, SignInEvent>,
    /// Held until the end: two bridges that renew the same sign-in make it invalid for both.
    claim: Option<RunLock>,
}

/// All edges.
pub(super) struct Edges {
    accounts: Vec<AccountEdges>,
    /// The edge to ask first the next time, so that each gets its turn.
    first: usize,
    pub(super) publisher: Edge<BrokerOrder, Event>,
    tasks: JoinSet<()>,
}

impl Edges {
    /// Starts all tasks.
    pub(super) fn start(config: &Config, meters: &Meters) -> Result<Self, RunError> {
        let meter = meters.broker.clone();
        let address = address(config);
        let mut tasks = JoinSet::new();
        let accounts = config.accounts().map(|(of, _)| AccountEdges::start(config, of, (meters, &mut tasks)));
        let accounts = accounts.collect::<Result<_, RunError>>()?;
        let publisher = edge("publisher", &mut tasks, |o, r| publisher::metered(address, meter, o, r));
        Ok(Self { accounts, first: 0, publisher, tasks })
    }

    /// Replaces the tasks whose connection to Graph has changed, and reports for each account what changed.
    /// Requests of the old tasks are dropped.
    pub(super) fn replace_access(
        &mut self,
        before: &Config,
        config: &Config,
        meters: &Meters,
    ) -> Result<Vec<Access>, RunError> {
        // First everything that can fail; then the replacement.
        let plan = plan(before, config);
        let mut started = Vec::new();
        for (of, known) in &plan {
            started.push(match known {
                Some((_, Access::Same)) => None,
                Some((index, _))
                    if state_dir(&before.accounts[*index]) == state_dir(&config.accounts[of.index()]) =>
                {
                    let client = graph_client(config, *of)?;
                    Some(AccountEdges::begin(config, *of, client, None, (meters, &mut self.tasks)))
                }
                Some(_) | None => Some(AccountEdges::start(config, *of, (meters, &mut self.tasks))?),
            });
        }
        let before = std::mem::take(&mut self.accounts);
        let mut before: Vec<Option<AccountEdges>> = before.into_iter().map(Some).collect();
        let (mut accounts, mut accesses) = (Vec::new(), Vec::new());
        for ((_, known), started) in plan.into_iter().zip(started) {
            let known_edges = known.and_then(|(index, _)| before.get_mut(index)?.take());
            accounts.extend(match (started, known_edges) {
                (Some(started), Some(known)) => {
                    Some(AccountEdges { claim: started.claim.or(known.claim), ..started })
                }
                (started, known) => started.or(known),
            });
            accesses.push(known.map_or(Access::New, |(_, access)| access));
        }
        // The old tasks end when their order channels close, which is now.
        drop(before);
        (self.accounts, self.first) = (accounts, 0);
        while self.tasks.try_join_next().is_some() {}
        Ok(accesses)
    }

    /// Hands an order to the fetcher of an account.
    pub(super) fn ask_graph(&self, account: AccountId, order: GraphOrder) -> Result<(), RunError> {
        self.accounts.get(account.index()).map_or(Ok(()), |account| account.fetcher.order(order))
    }

    /// Sends an order to the task that signs people in to an account.
    pub(super) fn sign_in(&self, account: AccountId, order: SignInOrder) -> Result<(), RunError> {
        self.accounts.get(account.index()).map_or(Ok(()), |account| account.attendant.order(order))
    }

    /// The next report of any edge.
    pub(super) async fn next(&mut self) -> Result<Event, RunError> {
        let Self { accounts, first, publisher, .. } = self;
        let turns = accounts.len() + 1;
        poll_fn(|context| {
            for turn in (0..turns).map(|step| (*first + step) % turns) {
                let report = match accounts.get_mut(turn) {
                    Some(account) => account.poll(AccountId::new(turn), context),
                    None => publisher.poll(context),
                };
                if report.is_ready() {
                    *first = (turn + 1) % turns;
                    return report;
                }
            }
            Poll::Pending
        })
        .await
    }

    /// Aborts all tasks, and waits until they are gone.
    pub(super) async fn end(self) {
        let Self { mut tasks, .. } = self;
        tasks.shutdown().await;
    }
}

impl AccountEdges {
    fn start(config: &Config, of: AccountId, around: (&Meters, &mut JoinSet<()>)) -> Result<Self, RunError> {
        let client = graph_client(config, of)?;
        let claim = client.delegated().map(DelegatedSignIn::claim).transpose()?;
        Ok(Self::begin(config, of, client, claim, around))
    }

    fn begin(
        config: &Config,
        of: AccountId,
        client: GraphClient,
        claim: Option<RunLock>,
        (meters, tasks): (&Meters, &mut JoinSet<()>),
    ) -> Self {
        let account = &config.accounts[of.index()];
        let client = Arc::new(client.metered(meters.graph(account.name.as_ref())));
        let look_after = attendant(account, &client);
        Self {
            attendant: edge("sign-in", tasks, |o, r| attendant::run(look_after, o, r)),
            fetcher: edge("fetcher", tasks, |o, r| fetcher::run(client, o, r)),
            claim,
        }
    }

    fn poll(&mut self, of: AccountId, context: &mut Context<'_>) -> Poll<Result<Event, RunError>> {
        match self.fetcher.poll(context) {
            Poll::Ready(event) => Poll::Ready(event.map(|event| Event::Presence(of, event))),
            Poll::Pending => self.attendant.poll(context).map(|event| Ok(Event::SignIn(of, event?))),
        }
    }
}

/// The present accounts, the index that each had before, and whether its connection to Graph changed.
fn plan(before: &Config, config: &Config) -> Vec<(AccountId, Option<(usize, Access)>)> {
    let known = |(now, account): (AccountId, &Account)| {
        let index = before.accounts.iter().position(|other| other.name == account.name);
        (now, index.map(|index| (index, access((before, AccountId::new(index)), (config, now)))))
    };
    config.accounts().map(known).collect()
}

/// Whether the bridge could start with `config` while it still runs with `before`.
pub(super) fn could_start(before: &Config, config: &Config) -> Result<(), RunError> {
    for (of, account) in config.accounts() {
        let client = graph_client(config, of)?;
        if !before.accounts.iter().any(|other| state_dir(other) == state_dir(account)) {
            client.delegated().map(DelegatedSignIn::claim).transpose()?;
        }
    }
    Ok(address(config).check()?)
}

fn address(config: &Config) -> Address {
    Address::of_bridge(&config.mqtt, Will::of_bridge(&config.mqtt.settings))
}

fn state_dir(account: &Account) -> Option<&Path> {
    match &account.auth {
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
    /// Sends an order. An edge always has room for one.
    pub(super) fn order(&self, order: Order) -> Result<(), RunError> {
        self.orders.try_send(order).map_err(|_| RunError::TaskDied(self.name))
    }

    /// The next report of the edge, if there is one now.
    fn poll(&mut self, context: &mut Context<'_>) -> Poll<Result<Report, RunError>> {
        self.reports.poll_recv(context).map(|report| report.ok_or(RunError::TaskDied(self.name)))
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
        let error = poll_fn(|context| gone.poll(context)).await.unwrap_err();
        assert_eq!(error.to_string(), "the fetcher task ended unexpectedly");
        assert!(matches!(gone.order(()), Err(RunError::TaskDied("fetcher"))));
    }
}
