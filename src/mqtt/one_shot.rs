//! A connection of a command that is soon over: everything has a limit, nothing is retried.

use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::address::{Address, AddressError};
use super::session::{Session, SessionEvent};
use crate::core::command::{Message, Qos, Subscription};
use crate::core::event::{Incoming, LinkFailure};

/// For the connection, and for each answer.
const PATIENCE: Duration = Duration::from_secs(10);

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
    /// An answer did not come.
    #[error("the broker did not answer in time")]
    Silent,
}

/// A connection, open.
pub struct OneShot {
    session: Session,
    buffer: Vec<SessionEvent>,
    messages: Vec<Incoming>,
}

/// What a wait is for.
enum Awaited {
    Connected,
    Subscribed,
    Acknowledged,
}

impl OneShot {
    /// Connects.
    ///
    /// # Errors
    ///
    /// If the broker cannot be reached or does not let this client in.
    pub async fn connect(address: &Address) -> Result<Self, OneShotError> {
        let session = Session::open(address)?;
        let mut connection = Self { session, buffer: Vec::new(), messages: Vec::new() };
        connection.wait_for(&Awaited::Connected).await?;
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
        self.session.subscribe(&[subscription]).map_err(|_| OneShotError::Silent)?;
        if self.wait_for(&Awaited::Subscribed).await?.contains(&false) {
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

    /// Publishes and waits for the acknowledgement.
    ///
    /// # Errors
    ///
    /// If the connection ends or no acknowledgement comes.
    pub async fn publish(&mut self, message: Message) -> Result<(), OneShotError> {
        self.session.publish(message).map_err(|_| OneShotError::Silent)?;
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
        if self.session.disconnect().is_ok() {
            // Whether it arrives or the connection is cut: there is no will, so nobody is told either way.
            let _end = timeout(PATIENCE, async { while self.take_events().await.is_ok() {} }).await;
        }
        self.session.cut().await;
    }

    async fn wait_for(&mut self, awaited: &Awaited) -> Result<Vec<bool>, OneShotError> {
        let wait = async {
            loop {
                self.fill().await;
                while !self.buffer.is_empty() {
                    match (self.buffer.remove(0), awaited) {
                        (SessionEvent::Connected, Awaited::Connected)
                        | (SessionEvent::Acknowledged, Awaited::Acknowledged) => return Ok(Vec::new()),
                        (SessionEvent::Subscribed(granted), Awaited::Subscribed) => return Ok(granted),
                        (event, _) => self.note(event)?,
                    }
                }
            }
        };
        timeout(PATIENCE, wait).await.map_err(|_| OneShotError::Silent)?
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
            SessionEvent::Connected
            | SessionEvent::Acknowledged
            | SessionEvent::Subscribed(_)
            | SessionEvent::Alive => {}
        }
        Ok(())
    }
}
