//! A connection of a command that is soon over: everything has a limit, nothing is retried.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::address::{Address, AddressError};
use super::client::Request;
use super::session::{Session, SessionEvent};
use super::wire::Answer;
use crate::core::model::effect::{Message, Subscription};
use crate::core::model::event::{Incoming, LinkFailure};
use crate::core::model::mqtt::{Protocol, Qos};

/// For each answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// For the connection: more than it takes to find out why there is none.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);

/// After the broker's answer to a subscription retained messages may still come, from brokers that send them late.
const QUIET: Duration = Duration::from_millis(500);

/// For everything that is retained.
const AT_MOST: Duration = Duration::from_secs(60);

/// Why a command could not talk to the broker.
#[derive(Debug, thiserror::Error)]
pub enum OneShotError {
    /// The connection could not be tried.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// It was refused or lost.
    #[error("{0}")]
    Link(LinkFailure),
    /// The broker refused a filter.
    #[error("the broker refuses the subscription to {0}; allow it in its access list")]
    Refused(String),
    /// The broker did not take a message.
    #[error("the broker refuses the message to {topic}: {why}")]
    PublishRefused {
        /// Where it was meant to go.
        topic: String,
        /// The broker's reason.
        why: String,
    },
    /// An answer did not come.
    #[error("the broker did not answer in time")]
    Silent,
}

/// A connection, open.
pub struct OneShot {
    session: Session,
    buffer: Vec<SessionEvent>,
    messages: Vec<Incoming>,
    /// Messages that are published and not acknowledged. One that nobody waited for to the end may be among them.
    under_way: usize,
}

/// What a wait is for.
enum Awaited {
    Connected,
    Subscribed,
    Acknowledged,
}

impl OneShot {
    /// Connects under the first address that works, in the configured version of MQTT, else in the one that every broker speaks.
    ///
    /// # Errors
    ///
    /// If the broker cannot be reached or does not let this client in.
    pub async fn connect(address: &Address) -> Result<Self, OneShotError> {
        let mut connected = Self::connect_in_either(address).await;
        for _ in 1..address.count() {
            if let Err(OneShotError::Link(_) | OneShotError::Silent) = connected {
                connected = Self::connect_in_either(address).await;
            }
        }
        connected
    }

    async fn connect_in_either(address: &Address) -> Result<Self, OneShotError> {
        let first = address.protocol();
        match Self::connect_in(address, first).await {
            Err(OneShotError::Link(LinkFailure::NotUnderstood(_))) if first == Protocol::V5 => {
                Self::connect_in(address, Protocol::V3).await
            }
            connected => connected,
        }
    }

    async fn connect_in(address: &Address, protocol: Protocol) -> Result<Self, OneShotError> {
        let session = Session::open(address, protocol)?;
        let mut connection = Self { session, buffer: Vec::new(), messages: Vec::new(), under_way: 0 };
        let connected = timeout(CONNECT_PATIENCE, connection.wait(&Awaited::Connected)).await;
        if let Err(error) = connected.unwrap_or(Err(OneShotError::Silent)) {
            connection.session.cut().await;
            return Err(error);
        }
        Ok(connection)
    }

    /// Subscribes; what comes is had by [`message`](Self::message).
    ///
    /// # Errors
    ///
    /// If the filter is refused or the connection ends.
    pub async fn subscribe(&mut self, filter: &str) -> Result<(), OneShotError> {
        // Quality 0: brokers cut the queue of a late subscriber at quality 1.
        let subscription = Subscription { filter: filter.to_owned(), qos: Qos::AtMostOnce };
        self.session.ask(Request::Subscribe(vec![subscription])).map_err(|_| OneShotError::Silent)?;
        if self.wait_for(&Awaited::Subscribed).await?.iter().any(|answer| *answer != Answer::Granted) {
            return Err(OneShotError::Refused(filter.to_owned()));
        }
        Ok(())
    }

    /// Subscribes and returns what was retained for the filter.
    ///
    /// # Errors
    ///
    /// If the filter is refused or the connection ends.
    pub async fn retained(&mut self, filter: &str) -> Result<Vec<Incoming>, OneShotError> {
        self.subscribe(filter).await?;
        let mut retained = Vec::new();
        let mut quiet = std::pin::pin!(sleep(QUIET));
        let mut end = std::pin::pin!(sleep(AT_MOST));
        loop {
            let before = retained.len();
            retained.extend(self.messages.drain(..).filter(|message| message.retained));
            if retained.len() > before {
                quiet.set(sleep(QUIET));
            }
            tokio::select! {
                () = &mut quiet => return Ok(retained),
                () = &mut end => return Ok(retained),
                ended = self.take_events() => ended?,
            }
        }
    }

    /// Publishes and waits for the acknowledgement, and for those of whatever was published before.
    ///
    /// # Errors
    ///
    /// If the connection ends or no acknowledgement comes.
    pub async fn publish(&mut self, message: Message) -> Result<(), OneShotError> {
        self.session.ask(Request::Publish(message)).map_err(|_| OneShotError::Silent)?;
        self.under_way += 1;
        self.wait_for(&Awaited::Acknowledged).await.map(|_| ())
    }

    /// The next message on a subscription, retained or live.
    ///
    /// # Errors
    ///
    /// If the connection ends.
    pub async fn message(&mut self) -> Result<Incoming, OneShotError> {
        while self.messages.is_empty() {
            self.take_events().await?;
        }
        Ok(self.messages.remove(0))
    }

    /// Says goodbye.
    pub async fn close(mut self) {
        if self.session.ask(Request::Disconnect).is_ok() {
            // Whether it arrives or the connection is cut: there is no will, so nobody is told either way.
            let _end = timeout(PATIENCE, async { while self.take_events().await.is_ok() {} }).await;
        }
        self.session.cut().await;
    }

    async fn wait_for(&mut self, awaited: &Awaited) -> Result<Vec<Answer>, OneShotError> {
        timeout(PATIENCE, self.wait(awaited)).await.map_err(|_| OneShotError::Silent)?
    }

    async fn wait(&mut self, awaited: &Awaited) -> Result<Vec<Answer>, OneShotError> {
        let mut refused = None;
        loop {
            self.fill().await;
            while !self.buffer.is_empty() {
                match (self.buffer.remove(0), awaited) {
                    (SessionEvent::Connected, Awaited::Connected) => return Ok(Vec::new()),
                    // It is acknowledged as well, apart from this.
                    (SessionEvent::PublishRefused { topic, why }, Awaited::Acknowledged) => {
                        refused = Some(OneShotError::PublishRefused { topic, why });
                    }
                    (SessionEvent::Acknowledged { .. }, Awaited::Acknowledged) => {
                        self.under_way = self.under_way.saturating_sub(1);
                        if self.under_way == 0 {
                            return refused.map_or(Ok(Vec::new()), Err);
                        }
                    }
                    (SessionEvent::Subscribed(granted), Awaited::Subscribed) => return Ok(granted),
                    (event, _) => self.note(event)?,
                }
            }
        }
    }

    async fn take_events(&mut self) -> Result<(), OneShotError> {
        self.fill().await;
        for event in std::mem::take(&mut self.buffer) {
            self.note(event)?;
        }
        Ok(())
    }

    async fn fill(&mut self) {
        if self.buffer.is_empty() {
            self.session.next(&mut self.buffer).await;
        }
    }

    fn note(&mut self, event: SessionEvent) -> Result<(), OneShotError> {
        match event {
            SessionEvent::Message(message) => self.messages.push(message),
            SessionEvent::Closed(failure) => return Err(OneShotError::Link(failure)),
            SessionEvent::PublishRefused { topic, why } => {
                return Err(OneShotError::PublishRefused { topic, why });
            }
            SessionEvent::Acknowledged { .. } => self.under_way = self.under_way.saturating_sub(1),
            SessionEvent::Connected | SessionEvent::Subscribed(_) | SessionEvent::Skipped(_) => {}
        }
        Ok(())
    }
}
