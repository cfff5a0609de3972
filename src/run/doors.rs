//! The open HTTP server, if there is one. It outlives the turns of the bridge. A new configuration may move
//! it to another address.

use std::net::SocketAddr;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::error::RunError;
use crate::chain::chain;
use crate::config::{Config, Http};
use crate::http::door::{Door, DoorError, Keys};
use crate::http::first_start::Guide;
use crate::http::question::{Asked, Asker, questions};
use crate::meters::Meters;

/// At most one open server, and perhaps one that is closing.
pub(super) struct Doors {
    open: Option<Open>,
    /// The tasks of the servers. Each returns its number when it ends.
    tasks: JoinSet<u64>,
    opened: u64,
    asker: Asker,
    asked: mpsc::Receiver<Asked>,
    meters: Meters,
}

struct Open {
    number: u64,
    /// The configured address.
    listen: SocketAddr,
    /// The actual port, also if the configuration leaves it to the system.
    port: u16,
    keys: Keys,
}

/// What to do with the server for a configuration, prepared so that it cannot fail later.
pub(super) enum Plan {
    /// Close it.
    Close,
    /// Keep it, perhaps with other rules for visitors.
    Stay,
    /// Replace it by this one, which listens already.
    Move(Door),
}

impl Doors {
    pub(super) fn none(meters: Meters) -> Self {
        let (asker, asked) = questions();
        Self { open: None, tasks: JoinSet::new(), opened: 0, asker, asked, meters }
    }

    /// Prepares the server that a configuration needs, or returns why it cannot listen. Visitors notice
    /// nothing yet, with one exception: if the new address has the same port, the open server is closed
    /// first. A caller that does not follow the plan must then call `restore`.
    pub(super) async fn plan(&mut self, config: &Config) -> Result<Plan, DoorError> {
        let Some(http) = &config.http else { return Ok(Plan::Close) };
        if self.open.as_ref().is_some_and(|open| open.listen == http.listen) {
            return Ok(Plan::Stay);
        }
        if let Some(open) = self.open.take_if(|open| open.port == http.listen.port()) {
            self.close_one(open).await;
        }
        Door::open(http.listen).map(Plan::Move)
    }

    /// Opens the server again that was closed for a plan that the caller did not follow.
    pub(super) async fn restore(&mut self, config: &Config) {
        match self.plan(config).await {
            Ok(plan) => self.follow(plan, config),
            Err(error) => {
                tracing::warn!(error = chain(&error), "the status page has failed");
            }
        }
    }

    /// Waits until the port is free, without waiting for visitors.
    async fn close_one(&mut self, open: Open) {
        let Open { number, listen: _, port: _, keys } = open;
        drop(keys);
        while let Some(ended) = self.tasks.join_next().await {
            if ended.is_ok_and(|ended| ended == number) {
                return;
            }
        }
    }

    /// Carries out a plan.
    pub(super) fn follow(&mut self, plan: Plan, config: &Config) {
        let Some(http) = &config.http else {
            self.open = None;
            return;
        };
        let broker = config.mqtt.brokers.to_string();
        match (plan, &self.open) {
            (Plan::Move(door), _) => {
                let address = self.attend(door, http, broker, None);
                tracing::info!(url = format!("http://{address}/"), "the status page is open");
            }
            (Plan::Stay, Some(open)) => open.keys.change(http, broker),
            (Plan::Stay, None) | (Plan::Close, _) => self.open = None,
        }
    }

    /// Opens the server for the set-up of a first start. The same server shows the status page as soon as
    /// there is a configuration.
    pub(super) fn open_for_setup(&mut self, http: &Http, guide: Guide) -> Result<(), DoorError> {
        let door = Door::open(http.listen)?;
        let address = self.attend(door, http, String::new(), Some(guide));
        tracing::warn!(
            "no sign-in is configured yet: set the bridge up on its page, http://{address}/, \
            or with `presence2mqtt setup`"
        );
        Ok(())
    }

    fn attend(&mut self, door: Door, http: &Http, broker: String, guide: Option<Guide>) -> SocketAddr {
        let address = door.address().unwrap_or(http.listen);
        let (keys, task) = door.attend(http, broker, self.meters.clone(), self.asker.clone());
        keys.guide(guide);
        self.opened += 1;
        let number = self.opened;
        self.tasks.spawn(async move {
            task.await;
            number
        });
        self.open = Some(Open { number, listen: http.listen, port: address.port(), keys });
        address
    }

    /// The next question of a visitor.
    pub(super) async fn next(&mut self) -> Result<Asked, RunError> {
        loop {
            tokio::select! {
                Some(asked) = self.asked.recv() => return Ok(asked),
                Some(ended) = self.tasks.join_next() => {
                    let open = self.open.as_ref().map(|open| open.number);
                    if ended.ok().is_none_or(|number| Some(number) == open) {
                        return Err(RunError::TaskDied("HTTP"));
                    }
                }
            }
        }
    }

    /// Closes the server without waiting for visitors, because the bridge stops.
    pub(super) async fn close(mut self) {
        self.open = None;
        self.tasks.shutdown().await;
    }
}
