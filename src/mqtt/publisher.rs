//! The publisher task: orders in, events of the broker out.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::address::Address;
use super::failure::chain;
use super::session::{Session, SessionEvent};
use crate::core::command::{BrokerOrder, Subscription};
use crate::core::event::{Event, LinkFailure};

/// Obeys until the orders end, then cuts what connection there is.
///
/// The core bounds what is unacknowledged, so neither `orders` nor rumqttc's queue is ever full. When `events`
/// is full the publisher waits, and with it the broker's socket; nothing waits for the publisher.
pub async fn run(address: Address, mut orders: mpsc::Receiver<BrokerOrder>, events: mpsc::Sender<Event>) {
    let mut publisher = Publisher { address, session: None, ended: None, asked: VecDeque::new() };
    let mut buffer = Vec::new();
    loop {
        let reports = tokio::select! {
            order = orders.recv() => match order {
                Some(order) => publisher.obey(order),
                None => break,
            },
            () = next(&mut publisher.session, &mut buffer) => publisher.digest(buffer.drain(..)),
        };
        for report in reports {
            if events.send(report).await.is_err() {
                return;
            }
        }
        if let Some(session) = publisher.ended.take() {
            session.cut().await;
        }
    }
    if let Some(session) = publisher.session {
        session.cut().await;
    }
}

async fn next(session: &mut Option<Session>, buffer: &mut Vec<SessionEvent>) {
    match session {
        Some(session) => session.next(buffer).await,
        None => std::future::pending().await,
    }
}

struct Publisher {
    address: Address,
    session: Option<Session>,
    /// A connection that is over, until its task is joined.
    ended: Option<Session>,
    /// Filters asked for and not answered yet, in order.
    asked: VecDeque<Vec<Subscription>>,
}

impl Publisher {
    fn obey(&mut self, order: BrokerOrder) -> Vec<Event> {
        if matches!(order, BrokerOrder::Connect(_)) {
            self.asked.clear();
            return match Session::open(&self.address) {
                Ok(session) => {
                    self.session = Some(session);
                    Vec::new()
                }
                Err(error) => {
                    vec![Event::Disconnected(LinkFailure::Refused(chain("cannot connect", &error)))]
                }
            };
        }
        // Orders for a connection that ended meanwhile: the core already knows, or is about to.
        let Some(session) = &self.session else { return Vec::new() };
        let taken = match order {
            BrokerOrder::Connect(_) => Ok(()),
            BrokerOrder::Subscribe(subscriptions) => {
                let taken = session.subscribe(&subscriptions);
                self.asked.push_back(subscriptions);
                taken
            }
            BrokerOrder::Unsubscribe(filters) => {
                filters.iter().try_for_each(|filter| session.unsubscribe(filter))
            }
            BrokerOrder::Publish(messages) => {
                messages.into_iter().try_for_each(|message| session.publish(message))
            }
            BrokerOrder::Disconnect => session.disconnect(),
        };
        match taken {
            Ok(()) => Vec::new(),
            // The queue is full or its end has gone; either way this connection cannot be trusted any more.
            Err(error) => self.end(LinkFailure::Lost(format!("the connection takes no more: {error}"))),
        }
    }

    fn end(&mut self, failure: LinkFailure) -> Vec<Event> {
        self.ended = self.session.take();
        vec![Event::Disconnected(failure)]
    }

    /// Turns what happened on the connection into reports; acknowledgements are added up.
    fn digest(&mut self, happened: impl Iterator<Item = SessionEvent>) -> Vec<Event> {
        let mut reports = Vec::new();
        let mut acknowledged = 0;
        for event in happened {
            match event {
                SessionEvent::Acknowledged => acknowledged += 1,
                SessionEvent::Alive => {}
                SessionEvent::Connected => reports.push(Event::Connected),
                SessionEvent::Message(message) => reports.push(Event::Message(message)),
                SessionEvent::Subscribed(granted) => {
                    let asked = self.asked.pop_front().unwrap_or_default();
                    let refused = asked.into_iter().zip(granted).filter(|(_, granted)| !granted);
                    let refused = refused.map(|(subscription, _)| subscription.filter).collect();
                    reports.push(Event::Subscribed { refused });
                }
                SessionEvent::Closed(failure) => reports.extend(self.end(failure)),
            }
        }
        if acknowledged > 0 {
            reports.insert(0, Event::Acknowledged(acknowledged));
        }
        reports
    }
}
