//! The core and the reader of answers without any edge: everybody around them is played here, at once and always the same.

use std::collections::VecDeque;
use std::time::Duration;

use jiff::Timestamp;
use presence2mqtt::core::bridge::Bridge;
use presence2mqtt::core::command::{BrokerOrder, Command, Protocol, Qos, Read, What};
use presence2mqtt::core::event::{Answer, Event, PresenceEvent, RequestId};
use presence2mqtt::core::name::ObjectId;
use presence2mqtt::core::payload::About;
use presence2mqtt::core::settings::{Endpoint, OnStale, Settings, Watched};
use presence2mqtt::core::time::{Now, Tick};
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
    Body(RequestId, &'a [u8]),
}

impl World {
    /// A bridge that has published everybody once.
    pub(crate) fn settled(count: usize) -> Self {
        let now = Tick::default();
        let bridge = Bridge::new(settings(count), SEED, at(now));
        let mut world = Self {
            bridge,
            people: People::new(count, SEED),
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
    pub(crate) fn asked(&mut self) -> (RequestId, Vec<ObjectId>) {
        loop {
            self.now = self.bridge.wake_at(self.now).unwrap().max(self.now + Duration::from_millis(1));
            for command in self.bridge_works(Happens::Event(Event::Woken)) {
                match command {
                    Command::Read(Read { request, what: What::Bulk(ids), .. }) => return (request, ids),
                    Command::Broker(BrokerOrder::Publish(messages)) => self.unacknowledged += messages.len(),
                    _ => {}
                }
            }
        }
    }

    /// The answer to what is asked next.
    pub(crate) fn next_answer(&mut self) -> Event {
        let (request, ids) = self.asked();
        let people = answer::list(&self.body(&ids)).unwrap();
        Event::Presence(PresenceEvent { request, outcome: Ok(Answer::People(people)) })
    }

    /// Something happens, and what comes of it is left alone.
    pub(crate) fn happens(&mut self, event: Event) -> Vec<Command> {
        let commands = self.bridge_works(Happens::Event(event));
        for command in &commands {
            if let Command::Broker(BrokerOrder::Publish(messages)) = command {
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
    pub(crate) fn bridge_works(&mut self, happens: Happens<'_>) -> Vec<Command> {
        if self.is_counted { self.counted_work(happens) } else { self.work(happens) }
    }

    /// What valgrind counts.
    #[inline(never)]
    fn counted_work(&mut self, happens: Happens<'_>) -> Vec<Command> {
        self.work(happens)
    }

    fn work(&mut self, happens: Happens<'_>) -> Vec<Command> {
        let event = match happens {
            Happens::Event(event) => event,
            Happens::Body(request, body) => {
                let people = answer::list(body).unwrap();
                self.read += people.len();
                Event::Presence(PresenceEvent { request, outcome: Ok(Answer::People(people)) })
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
                Command::Read(read) => match read.what {
                    What::Bulk(ids) => {
                        body = self.body(&ids);
                        Happens::Body(read.request, &body)
                    }
                    other => panic!("{other:?}"),
                },
                Command::Broker(BrokerOrder::Connect(_)) => Happens::Event(Event::Connected),
                Command::Broker(BrokerOrder::Subscribe(_)) => {
                    Happens::Event(Event::Subscribed { refused: Vec::new() })
                }
                Command::Broker(BrokerOrder::Publish(messages)) => {
                    self.published += messages.len();
                    Happens::Event(Event::Acknowledged(messages.len()))
                }
                _ => continue,
            };
            commands.extend(self.bridge_works(happens));
        }
    }
}

fn at(tick: Tick) -> Now {
    let nine: Timestamp = "2026-11-23T09:00:00Z".parse().unwrap();
    Now { tick, wall: nine + tick.0 }
}

fn settings(count: usize) -> Settings {
    let watched = |place| {
        let name = people::name(place);
        let id = people::id(SEED, place).to_string();
        Watched { name: name.parse().unwrap(), id: id.parse().unwrap(), display_name: name, discovery: false }
    };
    Settings {
        base_topic: "presence".parse().unwrap(),
        bridge_name: "bridge".parse().unwrap(),
        client_id: "presence2mqtt".parse().unwrap(),
        predecessor: None,
        qos: Qos::AtLeastOnce,
        protocol: Protocol::V3,
        keep_alive: Duration::from_secs(30),
        message_expiry: None,
        refresh_interval: None,
        endpoint: Endpoint::Auto,
        poll_interval: CYCLE,
        stale_after: None,
        on_stale: OnStale::Keep,
        debounce: Duration::ZERO,
        include_messages: false,
        request_budget: 1500,
        certificate_ends: None,
        invites: false,
        announce_sign_in: false,
        commands: None,
        discovery: None,
        users: (0..count).map(watched).collect(),
        groups: Vec::new(),
        lights: Vec::new(),
        about: About { version: "0.1.0", cloud: "global", auth_method: "client-secret", account: None },
    }
}
