//! Messages that were passed to rumqttc and are not acknowledged yet.
//!
//! rumqttc uses packet ids in a circle as long as the broker's limit of unacknowledged messages, also for
//! subscriptions. If the next id belongs to an unacknowledged message, rumqttc stops; in MQTT 5 for ever, if
//! that message is refused. So the window passes on a request only if its id is free. It also finds the
//! message that an acknowledgement is for: rumqttc reports only ids, in the order in which it got the
//! messages.

use std::collections::VecDeque;

use tokio::time::Instant;

/// The most messages that rumqttc has and has not sent; the others wait in the session.
const UNWRITTEN: usize = 512;

/// The window of one connection. Every operation takes a constant short time, however many messages are under
/// way, because there are several operations for each message.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// The number of packet ids; 0 until the broker has sent its limit.
    ids: usize,
    /// The number of ids used so far.
    used: u64,
    /// For the newest ids, whether each is in use. The first one in the list always is.
    in_use: VecDeque<bool>,
    unwritten: VecDeque<Sent>,
    /// By packet id.
    unanswered: Vec<Option<Sent>>,
}

/// A message that was passed to rumqttc.
#[derive(Debug)]
pub(super) struct Sent {
    /// The position of its packet id among all ids used; `None` at QoS 0, which needs none.
    place: Option<u64>,
    /// The topic, to name it if the broker refuses the message; `None` if the broker reports no refusals.
    pub topic: Option<String>,
    /// When it was handed over.
    pub at: Instant,
}

impl Window {
    /// The broker has sent its limit of unacknowledged messages.
    pub(super) fn open(&mut self, ids: u16) {
        self.ids = ids.into();
    }

    /// Whether a request may be passed on.
    pub(super) fn has_room(&self, needs_id: bool) -> bool {
        self.ids > 0 && self.unwritten.len() < UNWRITTEN && (!needs_id || self.in_use.len() < self.ids)
    }

    /// A message was passed on.
    pub(super) fn sent(&mut self, topic: Option<String>, needs_id: bool, at: Instant) {
        let place = needs_id.then_some(self.used);
        if needs_id {
            self.use_id(true);
        }
        self.unwritten.push_back(Sent { place, topic, at });
    }

    /// Another request that uses a packet id was passed on.
    pub(super) fn id_taken(&mut self) {
        self.use_id(false);
    }

    /// The next message was sent with this packet id. 0 means none, and that the message is finished.
    pub(super) fn written(&mut self, id: u16) {
        if let Some(sent) = self.unwritten.pop_front()
            && id != 0
        {
            let id = usize::from(id);
            if self.unanswered.len() <= id {
                self.unanswered.resize_with(id + 1, || None);
            }
            self.unanswered[id] = Some(sent);
        }
    }

    /// The message with this packet id is acknowledged.
    pub(super) fn answered(&mut self, id: u16) -> Option<Sent> {
        let sent = self.unanswered.get_mut(usize::from(id))?.take()?;
        let first = self.used - self.in_use.len() as u64;
        let in_use = sent
            .place
            .and_then(|place| self.in_use.get_mut(usize::try_from(place.checked_sub(first)?).ok()?));
        in_use.into_iter().for_each(|in_use| *in_use = false);
        self.forget_unused();
        Some(sent)
    }

    fn use_id(&mut self, until_answered: bool) {
        self.used += 1;
        self.in_use.push_back(until_answered);
        self.forget_unused();
    }

    fn forget_unused(&mut self) {
        while self.in_use.front() == Some(&false) {
            self.in_use.pop_front();
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn send(window: &mut Window, topic: &str, needs_id: bool) {
        window.sent(Some(topic.to_owned()), needs_id, Instant::now());
    }

    fn answered(window: &mut Window, id: u16) -> Option<String> {
        window.answered(id).and_then(|sent| sent.topic)
    }

    fn open(ids: u16) -> Window {
        let mut window = Window::default();
        window.open(ids);
        window
    }

    #[test]
    fn nothing_is_handed_over_before_the_broker_has_answered() {
        assert!(!Window::default().has_room(true));
        assert!(!Window::default().has_room(false));
        assert!(open(1).has_room(true));
    }

    #[test]
    fn a_packet_id_never_comes_round_while_its_message_is_unacknowledged() {
        let mut window = open(3);
        send(&mut window, "a", true);
        // A subscription between the two takes the second id.
        window.id_taken();
        send(&mut window, "b", true);
        assert!(!window.has_room(true), "the next id is the first again");
        assert!(window.has_room(false));
        window.written(1);
        window.written(3);
        // Acknowledged out of order: the first id is still in use.
        assert_eq!(answered(&mut window, 3).as_deref(), Some("b"));
        assert!(!window.has_room(true));
        assert_eq!(answered(&mut window, 1).as_deref(), Some("a"));
        assert!(window.has_room(true));
    }

    /// A simple model of the window, however slow: all messages in the order of their packet ids.
    #[derive(Default)]
    struct Plain {
        used: u64,
        unwritten: VecDeque<(Option<u64>, usize)>,
        unanswered: Vec<(u16, Option<u64>, usize)>,
    }

    proptest! {
        #[test]
        fn like_a_list_that_is_searched(ids in 1_u16..6, steps in prop::collection::vec((0_u8..5, 0_u16..8), 0..80)) {
            let (mut window, mut plain) = (open(ids), Plain::default());
            for (n, (step, id)) in steps.into_iter().enumerate() {
                let places = plain.unwritten.iter().map(|sent| sent.0).chain(plain.unanswered.iter().map(|sent| sent.1));
                let oldest = places.flatten().min().unwrap_or(plain.used);
                let room = plain.used - oldest < u64::from(ids);
                prop_assert_eq!(window.has_room(true), room);
                match step {
                    0 if room => {
                        send(&mut window, &n.to_string(), true);
                        plain.unwritten.push_back((Some(plain.used), n));
                        plain.used += 1;
                    }
                    1 => {
                        send(&mut window, &n.to_string(), false);
                        plain.unwritten.push_back((None, n));
                    }
                    2 if room => {
                        window.id_taken();
                        plain.used += 1;
                    }
                    3 => {
                        // As rumqttc assigns them.
                        let next = plain.unwritten.pop_front();
                        let id = next.map_or(0, |(place, _)| place.map_or(0, |place| (place % u64::from(ids)) as u16 + 1));
                        window.written(id);
                        plain.unanswered.extend(next.filter(|_| id != 0).map(|(place, n)| (id, place, n)));
                    }
                    4 => {
                        let found = plain.unanswered.iter().position(|sent| sent.0 == id);
                        let expected = found.map(|at| plain.unanswered.remove(at).2.to_string());
                        prop_assert_eq!(answered(&mut window, id), expected);
                    }
                    _ => {}
                }
            }
        }
    }

    #[test]
    fn an_acknowledgement_names_the_topic_whatever_went_between() {
        let mut window = open(20);
        for (topic, needs_id) in [("a", true), ("live", false), ("b", true)] {
            send(&mut window, topic, needs_id);
        }
        for id in [1, 0, 2] {
            window.written(id);
        }
        assert_eq!(answered(&mut window, 2).as_deref(), Some("b"));
        assert_eq!(answered(&mut window, 1).as_deref(), Some("a"));
        assert_eq!(answered(&mut window, 1), None);
    }
}
