//! The publisher task: takes orders of the core, and reports the broker's events.

use std::collections::VecDeque;

use tokio::sync::mpsc;

use super::address::Address;
use super::client::{Request, TakesNoMore};
use super::gate::Skipped;
use super::session::{Session, SessionEvent};
use super::wire::Answer;
use crate::chain::chain;
use crate::core::model::effect::{BrokerOrder, ConnectAs, Subscription};
use crate::core::model::event::{Event, LinkFailure, RefusedFilter};
use crate::core::model::mqtt::Protocol;
use crate::meters::BrokerMeter;

/// Carries out orders until their channel closes, then cuts the connection if there is one.
///
/// The core limits what is unacknowledged, so `orders` and the session's queue are never full. If `events` is
/// full the publisher waits, and so does the broker's socket; nothing waits for the publisher.
pub async fn run(address: Address, orders: mpsc::Receiver<BrokerOrder>, events: mpsc::Sender<Event>) {
    metered(address, BrokerMeter::default(), orders, events).await;
}

/// The same, counting into this meter.
pub async fn metered(
    address: Address,
    meter: BrokerMeter,
    mut orders: mpsc::Receiver<BrokerOrder>,
    events: mpsc::Sender<Event>,
) {
    let mut publisher = Publisher {
        address,
        meter,
        session: None,
        connected_as: ConnectAs::Holder,
        ended: None,
        asked: VecDeque::new(),
    };
    let mut buffer = Vec::new();
    loop {
        let reports = tokio::select! {
            order = orders.recv() => match order {
                Some(BrokerOrder::Connect(who, protocol)) => publisher.connect(who, protocol).await,
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
    meter: BrokerMeter,
    session: Option<Session>,
    connected_as: ConnectAs,
    /// A connection that has ended, until its task is joined.
    ended: Option<Session>,
    /// The filters of subscriptions without an answer, in order.
    asked: VecDeque<Vec<Subscription>>,
}

impl Publisher {
    /// Opens a connection. An earlier one is cut and reports nothing more, because two clients with the same
    /// id would disconnect each other.
    async fn connect(&mut self, who: ConnectAs, protocol: Protocol) -> Vec<Event> {
        self.asked.clear();
        if let Some(session) = self.session.take() {
            session.cut().await;
        }
        self.connected_as = who;
        let session = match who {
            ConnectAs::Holder => Session::open(&self.address, protocol),
            ConnectAs::Visitor => Session::open(&self.address.of_visitor(), protocol),
        };
        match session {
            Ok(session) => {
                self.session = Some(session);
                Vec::new()
            }
            Err(error) => {
                let why = format!("cannot connect: {}", chain(&error));
                vec![Event::Disconnected(LinkFailure::Refused(why.into()))]
            }
        }
    }

    fn obey(&mut self, order: BrokerOrder) -> Vec<Event> {
        // Orders for a connection that has just ended; the core knows that, or is about to be told.
        let Some(session) = &mut self.session else { return Vec::new() };
        let mut ask = |request| session.ask(request);
        let taken: Result<(), TakesNoMore> = match order {
            BrokerOrder::Connect(..) => Ok(()),
            BrokerOrder::Subscribe(subscriptions) => {
                self.asked.push_back(subscriptions.clone());
                ask(Request::Subscribe(subscriptions))
            }
            BrokerOrder::Unsubscribe(filters) => {
                filters.into_iter().map(Request::Unsubscribe).try_for_each(ask)
            }
            BrokerOrder::Publish(messages) => {
                self.meter.published(messages.len());
                messages.into_iter().map(Request::Publish).try_for_each(ask)
            }
            BrokerOrder::Disconnect => ask(Request::Disconnect),
        };
        match taken {
            Ok(()) => Vec::new(),
            Err(error) => self.end(LinkFailure::Lost(error.to_string().into())),
        }
    }

    fn end(&mut self, failure: LinkFailure) -> Vec<Event> {
        self.ended = self.session.take();
        vec![Event::Disconnected(failure)]
    }

    /// Turns the events of the connection into reports. Acknowledgements are counted together, and reported
    /// after the events that they belong to.
    fn digest(&mut self, happened: impl Iterator<Item = SessionEvent>) -> Vec<Event> {
        let mut reports = Vec::new();
        let mut sent = Vec::new();
        let mut acknowledged = 0;
        for event in happened {
            match event {
                SessionEvent::Acknowledged { after } => {
                    acknowledged += 1;
                    if let Some(after) = after {
                        self.meter.acknowledged(after);
                    }
                }
                SessionEvent::PublishRefused { topic, why } => {
                    sent.push(Event::PublishRefused { topic, why: why.into() });
                }
                SessionEvent::Connected => {
                    if self.connected_as == ConnectAs::Holder {
                        self.meter.connected();
                    }
                    reports.push(Event::Connected);
                }
                SessionEvent::Message(message) => reports.push(Event::Message(message)),
                SessionEvent::Skipped(Skipped { topic, bytes }) => {
                    reports.push(Event::MessageSkipped { topic, bytes });
                }
                SessionEvent::Subscribed(answers) => {
                    let asked = self.asked.pop_front().unwrap_or_default();
                    let refused = asked.into_iter().zip(answers).filter_map(|(asked, answer)| match answer {
                        Answer::Granted => None,
                        Answer::Refused(why) => Some(RefusedFilter { filter: asked.filter, why }),
                    });
                    reports.push(Event::Subscribed { refused: refused.collect() });
                }
                SessionEvent::Closed(failure) => reports.extend(self.end(failure)),
            }
        }
        if acknowledged > 0 {
            sent.push(Event::Acknowledged(acknowledged));
        }
        sent.append(&mut reports);
        sent
    }
}
