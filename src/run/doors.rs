//! The door that is open for visitors, if one is: it outlives the bridge's turns, and another configuration may move it.

use std::net::SocketAddr;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::RunError;
use crate::config::Config;
use crate::http::door::{Door, DoorError, Keys};
use crate::http::question::{Asker, Question, questions};
use crate::meters::Meters;

/// All doors there are: one or none, and one that is being closed.
pub(super) struct Doors {
    open: Option<Open>,
    /// Each gives its number when it ends.
    tasks: JoinSet<u64>,
    opened: u64,
    asker: Asker,
    asked: mpsc::Receiver<Question>,
    meters: Meters,
}

struct Open {
    number: u64,
    listen: SocketAddr,
    keys: Keys,
}

/// What a configuration wants of the doors, made possible.
pub(super) enum Plan {
    /// None.
    Close,
    /// The one there is, for other visitors perhaps.
    Stay,
    /// This one.
    Move(Door),
}

impl Doors {
    pub(super) fn none(meters: Meters) -> Self {
        let (asker, asked) = questions();
        Self { open: None, tasks: JoinSet::new(), opened: 0, asker, asked, meters }
    }

    /// Makes what a configuration wants possible, or says why it is not. Nobody notices yet.
    pub(super) fn plan(&self, config: &Config) -> Result<Plan, DoorError> {
        let Some(http) = &config.http else { return Ok(Plan::Close) };
        if self.open.as_ref().is_some_and(|open| open.listen == http.listen) {
            return Ok(Plan::Stay);
        }
        Door::open(http.listen).map(Plan::Move)
    }

    /// Does what was planned for this configuration.
    pub(super) fn follow(&mut self, plan: Plan, config: &Config) {
        let Some(http) = &config.http else {
            self.open = None;
            return;
        };
        let broker = config.mqtt.broker.to_string();
        match (plan, &self.open) {
            (Plan::Move(door), _) => {
                if let Some(address) = door.address() {
                    tracing::info!(url = format!("http://{address}/"), "the status page can be had");
                }
                let (keys, task) = door.attend(http, broker, self.meters.clone(), self.asker.clone());
                self.opened += 1;
                let number = self.opened;
                self.tasks.spawn(async move {
                    task.await;
                    number
                });
                self.open = Some(Open { number, listen: http.listen, keys });
            }
            (Plan::Stay, Some(open)) => open.keys.change(http, broker),
            (Plan::Stay, None) | (Plan::Close, _) => self.open = None,
        }
    }

    /// What somebody asks next.
    pub(super) async fn next(&mut self) -> Result<Question, RunError> {
        loop {
            tokio::select! {
                Some(question) = self.asked.recv() => return Ok(question),
                Some(ended) = self.tasks.join_next() => {
                    let open = self.open.as_ref().map(|open| open.number);
                    if ended.ok().is_none_or(|number| Some(number) == open) {
                        return Err(RunError::TaskDied("HTTP"));
                    }
                }
            }
        }
    }

    /// Closes all. Visitors are not waited for: the bridge is gone.
    pub(super) async fn close(mut self) {
        self.open = None;
        self.tasks.shutdown().await;
    }
}
