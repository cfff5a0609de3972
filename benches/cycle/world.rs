//! The core and the reader of answers without any edge: everybody around them is played here, at once and
//! always the same.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use presence2mqtt::core::bridge::Bridge;
use presence2mqtt::core::model::account::AccountId;
use presence2mqtt::core::model::effect::{BrokerOrder, Effect, GraphOrder};
use presence2mqtt::core::model::event::{Event, LinkFailure, PresenceEvent};
use presence2mqtt::core::model::name::ObjectId;
use presence2mqtt::core::model::request::{Ended, ReadPresence, Request, RequestId};
use presence2mqtt::core::model::settings::{Settings, User};
use presence2mqtt::core::model::time::{Now, Tick};
use presence2mqtt::graph::answer;

use super::people::{self, People};

/// From one reading of everybody to the next.
pub(crate) const CYCLE: Duration = Duration::from_secs(30);

const SEED: u64 = 1;

/// A bridge, everybody whom it follows, and a broker that takes everything at once.
pub(crate) struct World {
    bridge: Bridge,
    people: People,
    now: Tick,
    /// Whether what the bridge does now is to be counted.
    pub(crate) is_counted: bool,
    /// What was sent on one of the ways that leave things alone.
    unacknowledged: usize,
    pub(crate) published: usize,
    pub(crate) read: usize,
}

/// Something that happens to the bridge.
pub(crate) enum Happens<'a> {
    Event(Event),
    /// An answer about many people.
    Body(RequestId<ReadPresence>, &'a [u8]),
}

impl World {
    /// A bridge that has published everybody once.
    pub(crate) fn settled(count: usize) -> Self {
        let now = Tick::default();
        let bridge = Bridge::new(settings(count), SEED, at(now));
        let mut world = Self {
            bridge,
            people: People::new(0, count, SEED),
            now,
            is_counted: false,
            unacknowledged: 0,
            published: 0,
            read: 0,
        };
        world.settle(Happens::Event(Event::Started));
        // Everybody once, and once more to be where a running bridge is.
        world.pass(CYCLE * 2);
        world
    }

    /// From now on this share of everybody changes from one cycle to the next.
    pub(crate) fn change(&self, share: f64) {
        self.people.change(share);
    }

    /// Lets time pass.
    pub(crate) fn pass(&mut self, time: Duration) {
        let end = self.now + time;
        while let Some(next) = self.bridge.wake_at(self.now).filter(|&next| next < end) {
            // Timers have their grain.
            self.now = next.max(self.now + Duration::from_millis(1));
            self.settle(Happens::Event(Event::Woken));
        }
        self.now = end;
    }

    /// Lets time pass until the bridge asks Graph something, and leaves that unanswered.
    pub(crate) fn asked(&mut self) -> (RequestId<ReadPresence>, Vec<ObjectId>) {
        loop {
            self.now = self.bridge.wake_at(self.now).unwrap().max(self.now + Duration::from_millis(1));
            for command in self.bridge_works(Happens::Event(Event::Woken)) {
                match command {
                    Effect::Graph(_, order) => return bulk(order),
                    Effect::Broker(BrokerOrder::Publish(messages)) => self.unacknowledged += messages.len(),
                    _ => {}
                }
            }
        }
    }

    /// The answer to what is asked next.
    pub(crate) fn next_answer(&mut self) -> Event {
        let (request, ids) = self.asked();
        let people = answer::list(&self.body(&ids)).unwrap().people;
        Event::Presence(
            AccountId::FIRST,
            PresenceEvent::Read(Ended { request, further: 0, outcome: Ok(people) }),
        )
    }

    /// Something happens, and what comes of it is left alone.
    pub(crate) fn happens(&mut self, event: Event) -> Vec<Effect> {
        let commands = self.bridge_works(Happens::Event(event));
        for command in &commands {
            if let Effect::Broker(BrokerOrder::Publish(messages)) = command {
                self.unacknowledged += messages.len();
            }
        }
        commands
    }

    /// The broker takes what there is, until nothing is left.
    pub(crate) fn publish_everything(&mut self) {
        while self.unacknowledged > 0 {
            let acknowledged = std::mem::take(&mut self.unacknowledged);
            drop(self.happens(Event::Acknowledged(acknowledged)));
        }
    }

    /// The bridge's share of the work, and only that.
    pub(crate) fn bridge_works(&mut self, happens: Happens<'_>) -> Vec<Effect> {
        if self.is_counted { self.counted_work(happens) } else { self.work(happens) }
    }

    /// What valgrind counts.
    #[inline(never)]
    fn counted_work(&mut self, happens: Happens<'_>) -> Vec<Effect> {
        self.work(happens)
    }

    fn work(&mut self, happens: Happens<'_>) -> Vec<Effect> {
        let event = match happens {
            Happens::Event(event) => event,
            Happens::Body(request, body) => {
                let people = answer::list(body).unwrap().people;
                self.read += people.len();
                Event::Presence(
                    AccountId::FIRST,
                    PresenceEvent::Read(Ended { request, further: 0, outcome: Ok(people) }),
                )
            }
        };
        self.bridge.on(event, at(self.now))
    }

    /// What Graph says about these people.
    pub(crate) fn body(&self, ids: &[ObjectId]) -> Vec<u8> {
        let mut body = br#"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#Collection(microsoft.graph.presence)","value":["#.to_vec();
        for (n, id) in ids.iter().enumerate() {
            if n > 0 {
                body.push(b',');
            }
            self.people.look(self.people.place(&id.to_string()).unwrap(), &mut body);
        }
        body.extend_from_slice(b"]}");
        body
    }

    fn settle(&mut self, happens: Happens<'_>) {
        let mut commands = VecDeque::from(self.bridge_works(happens));
        while let Some(command) = commands.pop_front() {
            let body;
            let happens = match command {
                Effect::Graph(_, order) => {
                    let (request, ids) = bulk(order);
                    body = self.body(&ids);
                    Happens::Body(request, &body)
                }
                Effect::Broker(BrokerOrder::Connect(..)) => Happens::Event(Event::Connected),
                Effect::Broker(BrokerOrder::Disconnect) => {
                    Happens::Event(Event::Disconnected(LinkFailure::Closed))
                }
                Effect::Broker(BrokerOrder::Subscribe(_)) => {
                    Happens::Event(Event::Subscribed { refused: Vec::new() })
                }
                Effect::Broker(BrokerOrder::Publish(messages)) => {
                    self.published += messages.len();
                    Happens::Event(Event::Acknowledged(messages.len()))
                }
                _ => continue,
            };
            commands.extend(self.bridge_works(happens));
        }
    }
}

/// Nothing else is asked of Graph here.
fn bulk(order: GraphOrder) -> (RequestId<ReadPresence>, Vec<ObjectId>) {
    match order {
        GraphOrder::Read(Request { id, operation: ReadPresence::Bulk(ids), .. }) => (id, ids),
        other => panic!("{other:?}"),
    }
}

fn at(tick: Tick) -> Now {
    let nine: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
    Now { tick, wall: nine + tick.0 }
}

fn settings(count: usize) -> Settings {
    let user = |place| {
        let name = people::name(place);
        let id = people::id(SEED, place).to_string();
        User {
            name: name.parse().unwrap(),
            id: id.parse().unwrap(),
            display_name: name,
            discovery: false,
            account: AccountId::FIRST,
        }
    };
    let mut settings = Settings::for_tests();
    settings.accounts[0].reading.poll_interval = CYCLE;
    settings.users = (0..count).map(user).collect();
    settings
}
