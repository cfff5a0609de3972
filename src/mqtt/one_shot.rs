//! A connection for a short command: every step has a time limit, and nothing is retried.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::{sleep, timeout};

use super::address::{Address, AddressError};
use super::client::Request;
use super::session::{Session, SessionEvent};
use super::wire::Answer;
use crate::core::model::effect::{Message, Subscription};
use crate::core::model::event::{Incoming, LinkFailure};
use crate::core::model::mqtt::{Protocol, Qos};

/// Filters in one SUBSCRIBE. AWS IoT Core ends the connection at more than eight.
const FILTERS: usize = 8;

/// SUBSCRIBEs at a time. The retained messages for so many exact topics fit into the shortest queue of the
/// known brokers.
const TOGETHER: usize = 8;

/// The most messages that are published and not acknowledged.
const WINDOW: usize = 256;

/// The time for each answer.
const PATIENCE: Duration = Duration::from_secs(10);

/// The time for the connection, long enough to find out why there is none.
const CONNECT_PATIENCE: Duration = Duration::from_secs(15);

/// How long to wait after the answer to a subscription, because some brokers send retained messages later.
const QUIET: Duration = Duration::from_millis(500);

/// The time for all retained messages.
const AT_MOST: Duration = Duration::from_secs(60);

/// Why a command could not use the broker.
#[derive(Debug, thiserror::Error)]
pub enum OneShotError {
    /// The connection could not be tried.
    #[error(transparent)]
    Address(#[from] AddressError),
    /// The broker refused or ended the connection.
    #[error("{0}")]
    Link(LinkFailure),
    /// The broker refused a filter.
    #[error("the broker refuses the subscription to {0}; allow it in its access list")]
    Refused(String),
    /// The broker refused a message.
    #[error("the broker refuses the message to {topic}: {why}")]
    PublishRefused {
        /// The topic.
        topic: String,
        /// The broker's reason.
        why: String,
    },
    /// The broker did not answer in time.
    #[error("the broker did not answer in time")]
    Silent,
}

/// An open connection.
pub struct OneShot {
    session: Session,
    buffer: Vec<SessionEvent>,
    messages: Vec<Incoming>,
    /// Messages that are published and not acknowledged, among them perhaps some whose wait was cancelled.
    under_way: usize,
}

/// What to wait for.
enum Awaited {
    Connected,
    Subscribed,
    Acknowledged,
}

impl OneShot {
    /// Connects to the first address that works. If the broker does not support the configured version of
    /// MQTT, connects with 3.1.1.
    ///
    /// # Errors
    ///
    /// If the broker cannot be reached or does not accept this client.
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

    /// Subscribes; [`message`](Self::message) then returns the messages.
    ///
    /// # Errors
    ///
    /// If the filter is refused or the connection ends.
    pub async fn subscribe(&mut self, filter: &str) -> Result<(), OneShotError> {
        self.subscribe_all(&[filter.to_owned()]).await
    }

    async fn subscribe_all(&mut self, filters: &[String]) -> Result<(), OneShotError> {
        // QoS 0, because brokers limit the queue of a slow subscriber at QoS 1.
        let subscription = |filter: &String| Subscription { filter: filter.clone(), qos: Qos::AtMostOnce };
        for some in filters.chunks(FILTERS) {
            self.ask(Request::Subscribe(some.iter().map(subscription).collect()))?;
        }
        for some in filters.chunks(FILTERS) {
            let answers = self.wait_for(&Awaited::Subscribed).await?;
            if let Some((refused, _)) =
                some.iter().zip(answers).find(|(_, answer)| *answer != Answer::Granted)
            {
                return Err(OneShotError::Refused(refused.clone()));
            }
        }
        Ok(())
    }

    fn unsubscribe_all(&mut self, filters: &[String]) -> Result<(), OneShotError> {
        filters.iter().try_for_each(|filter| self.ask(Request::Unsubscribe(filter.clone())))
    }

    fn ask(&mut self, request: Request) -> Result<(), OneShotError> {
        self.session.ask(request).map_err(|_| OneShotError::Silent)
    }

    /// Returns the retained messages that match the filter.
    ///
    /// # Errors
    ///
    /// If the filter is refused or the connection ends.
    pub async fn retained(&mut self, filter: &str) -> Result<Vec<Incoming>, OneShotError> {
        self.all_retained(&[filter.to_owned()]).await
    }

    /// Returns the retained messages that match many filters. It asks for a few at a time, because brokers
    /// send at most as many as a client's queue holds. Then it unsubscribes: otherwise the caller would
    /// receive its own later messages.
    ///
    /// # Errors
    ///
    /// If a filter is refused or the connection ends.
    pub async fn all_retained(&mut self, filters: &[String]) -> Result<Vec<Incoming>, OneShotError> {
        let mut before: &[String] = &[];
        for some in filters.chunks(FILTERS * TOGETHER) {
            self.subscribe_all(some).await?;
            // Messages for the newest subscription may still arrive late.
            self.unsubscribe_all(before)?;
            before = some;
        }
        let mut retained = Vec::new();
        let mut quiet = std::pin::pin!(sleep(QUIET));
        let mut end = std::pin::pin!(sleep(AT_MOST));
        loop {
            let before = retained.len();
            let (kept, live) =
                std::mem::take(&mut self.messages).into_iter().partition(|message| message.retained);
            self.messages = live;
            retained.extend::<Vec<Incoming>>(kept);
            if retained.len() > before {
                quiet.set(sleep(QUIET));
            }
            tokio::select! {
                () = &mut quiet => break,
                () = &mut end => break,
                ended = self.take_events() => ended?,
            }
        }
        self.unsubscribe_all(before)?;
        Ok(retained)
    }

    /// Publishes many messages, several at a time. Calls `arrived` with each topic that the broker
    /// acknowledged, and with the reason if it refused the message.
    ///
    /// # Errors
    ///
    /// If the connection ends or no acknowledgement comes.
    pub async fn publish_all(
        &mut self,
        messages: Vec<Message>,
        mut arrived: impl FnMut(String, Option<String>),
    ) -> Result<(), OneShotError> {
        let (mut messages, mut sent, mut refused) = (messages.into_iter(), VecDeque::new(), 0);
        let mut patience = std::pin::pin!(sleep(PATIENCE));
        loop {
            while sent.len() + refused < WINDOW
                && let Some(message) = messages.next()
            {
                sent.push_back(message.topic.clone());
                self.ask(Request::Publish(message))?;
            }
            if sent.is_empty() && refused == 0 {
                return Ok(());
            }
            // Other packets are no answer.
            tokio::select! {
                () = self.fill() => {}
                () = &mut patience => return Err(OneShotError::Silent),
            }
            if self.buffer.iter().any(|event| matches!(event, SessionEvent::Acknowledged { .. })) {
                patience.set(sleep(PATIENCE));
            }
            for event in std::mem::take(&mut self.buffer) {
                match event {
                    // A separate event acknowledges the refused message.
                    SessionEvent::PublishRefused { topic, why } => {
                        let at = sent.iter().position(|sent| *sent == topic);
                        if at.and_then(|at| sent.remove(at)).is_some() {
                            refused += 1;
                            arrived(topic, Some(why));
                        }
                    }
                    SessionEvent::Acknowledged { .. } if refused > 0 => refused -= 1,
                    SessionEvent::Acknowledged { .. } => {
                        sent.pop_front().into_iter().for_each(|topic| arrived(topic, None));
                    }
                    event @ (SessionEvent::Connected
                    | SessionEvent::Subscribed(_)
                    | SessionEvent::Message(_)
                    | SessionEvent::Skipped(_)
                    | SessionEvent::Closed(_)) => self.note(event)?,
                }
            }
        }
    }

    /// Publishes a message, and waits for its acknowledgement and for those of earlier messages.
    ///
    /// # Errors
    ///
    /// If the connection ends or no acknowledgement comes.
    pub async fn publish(&mut self, message: Message) -> Result<(), OneShotError> {
        self.ask(Request::Publish(message))?;
        self.under_way += 1;
        self.wait_for(&Awaited::Acknowledged).await.map(|_| ())
    }

    /// Returns the next message of a subscription, retained or live.
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

    /// Disconnects.
    pub async fn close(mut self) {
        if self.session.ask(Request::Disconnect).is_ok() {
            // It does not matter whether the DISCONNECT arrives: there is no last will.
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
                    // A separate event acknowledges the refused message.
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
