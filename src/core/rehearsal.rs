//! What a run asks of its broker, found out without one: the bridge decides as always, and everybody answers
//! it at once.

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::bridge::Bridge;
use super::model::effect::{BrokerOrder, ConnectAs, Effect, GraphOrder};
use super::model::event::{Event, LinkFailure, PresenceEvent};
use super::model::members::{Member, MembersPage};
use super::model::mqtt::Qos;
use super::model::name::ObjectId;
use super::model::presence::Presence;
use super::model::request::{Ended, Operation, ReadPresence, Reading, Request};
use super::model::settings::Settings;
use super::model::time::Now;
use super::model::words::PresenceWords;

/// People and lights are alike: so many show what a run does for each.
const ENOUGH: usize = 100;

/// How long a run it is.
const LASTS: Duration = Duration::from_secs(60);

/// A run that does not end by itself ends after so many events.
const EVENTS: usize = 10_000;

/// What a run asks of its broker.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Rehearsal {
    /// What it listens to as long as it runs. What it reads back at the start is not here.
    pub filters: BTreeSet<String>,
    /// Bytes of the largest message, its topic included.
    pub largest: usize,
    /// The connection is the bridge's own by now.
    is_held: bool,
}

/// Runs a bridge for a made-up minute that begins now.
#[must_use]
pub fn rehearse(mut settings: Settings, mut now: Now) -> Rehearsal {
    settings.users = settings.users.iter().take(ENOUGH).cloned().collect();
    // Nobody is there to wait for.
    settings.mqtt.standby = false;
    let end = now.tick + LASTS;
    let mut bridge = Bridge::new(settings, 0, now);
    let (mut rehearsal, mut events) = (Rehearsal::default(), VecDeque::from([Event::Started]));
    for _ in 0..EVENTS {
        let event = events.pop_front().unwrap_or_else(|| {
            let wake_at = bridge.wake_at(now.tick).unwrap_or(now.tick + LASTS).max(now.tick);
            now = Now { wall: now.wall + wake_at.since(now.tick), tick: wake_at };
            Event::Woken
        });
        if now.tick > end {
            break;
        }
        for effect in bridge.on(event, now) {
            match effect {
                Effect::Broker(order) => events.extend(rehearsal.ordered(order)),
                Effect::Graph(of, order) => {
                    events.extend(answer(order).map(|event| Event::Presence(of, event)));
                }
                Effect::SignIn(..) | Effect::Answer(..) | Effect::Report(_) | Effect::Finish(_) => {}
            }
        }
    }
    rehearsal
}

impl Rehearsal {
    /// Notes what the broker is asked for, and gives its answer.
    fn ordered(&mut self, order: BrokerOrder) -> Option<Event> {
        match order {
            BrokerOrder::Connect(who, _) => {
                self.is_held = who == ConnectAs::Holder;
                Some(Event::Connected)
            }
            BrokerOrder::Subscribe(subscriptions) => {
                let is_held = self.is_held;
                let lasting =
                    subscriptions.into_iter().filter(|asked| is_held && asked.qos == Qos::AtLeastOnce);
                self.filters.extend(lasting.map(|asked| asked.filter));
                Some(Event::Subscribed { refused: Vec::new() })
            }
            BrokerOrder::Publish(messages) => {
                let sizes = messages.iter().map(|message| message.topic.len() + message.payload.len());
                self.largest = self.largest.max(sizes.max().unwrap_or_default());
                Some(Event::Acknowledged(messages.len()))
            }
            BrokerOrder::Disconnect => Some(Event::Disconnected(LinkFailure::Lost("as asked".into()))),
            BrokerOrder::Unsubscribe(_) => None,
        }
    }
}

/// Everybody is there and busy, and one person is in each group.
fn answer(order: GraphOrder) -> Option<PresenceEvent> {
    let somebody = ObjectId::from(uuid::Uuid::from_u128(1));
    match order {
        GraphOrder::Read(request) => {
            let ids = match &request.operation {
                ReadPresence::Me => vec![somebody],
                ReadPresence::User(id) | ReadPresence::Communications(id) => vec![*id],
                ReadPresence::Bulk(ids) => ids.clone(),
            };
            let presence = PresenceWords::from_graph("Busy", Some("InAConferenceCall")).map(Presence::of);
            let readings = ids.into_iter().map(|id| Reading { id, presence: presence.clone() }).collect();
            Some(PresenceEvent::Read(ended(&request, readings)))
        }
        GraphOrder::Resolve(request) => {
            let id = ObjectId::from(uuid::Uuid::from_u128(u128::from(request.id.number()) + 2));
            Some(PresenceEvent::Resolved(ended(&request, id)))
        }
        GraphOrder::ReadMembers(request) => {
            let name = "somebody@contoso.example";
            let member =
                Member { id: somebody, principal_name: Some(name.into()), display_name: Some(name.into()) };
            let page = MembersPage { members: vec![member], counted: Some(1), unreadable: 0, next: None };
            Some(PresenceEvent::Members(ended(&request, page)))
        }
        GraphOrder::Set(request) => Some(PresenceEvent::Set(ended(&request, ()))),
        GraphOrder::ForgetConnections | GraphOrder::WarmUp => None,
    }
}

fn ended<O: Operation>(request: &Request<O>, answer: O::Answer) -> Ended<O> {
    Ended { request: request.id, further: 0, outcome: Ok(answer) }
}
