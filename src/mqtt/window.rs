//! What was handed over and is not acknowledged yet.
//!
//! rumqttc uses packet ids in a circle as long as the broker's limit of unacknowledged messages. It gives
//! them to subscriptions too, and an id that comes round while its message is unacknowledged stops
//! everything: for good in MQTT 5, should that message be refused. So nothing is handed over that could meet
//! an id in use. The same account says which message an acknowledgement is for: rumqttc names ids only, in
//! the order in which messages were handed over.

use std::collections::VecDeque;

use tokio::time::Instant;

/// Messages that rumqttc has and has not written yet, at most; the others wait in the session.
const UNWRITTEN: usize = 512;

/// The account of one connection. Every question to it takes the same short time, however much is under way:
/// there are several for each message.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// How many packet ids there are: none until the broker says it.
    ids: usize,
    /// How many were used.
    used: u64,
    /// Of the newest that were used, whether each is still in use; the first one is.
    in_use: VecDeque<bool>,
    unwritten: VecDeque<Sent>,
    /// By packet id.
    unanswered: Vec<Option<Sent>>,
}

/// A message that was handed over.
#[derive(Debug)]
pub(super) struct Sent {
    /// The place of its packet id among all that were used; none at quality 0, which needs none.
    place: Option<u64>,
    /// For whom a refusal would be; nothing where there are no refusals.
    pub topic: Option<String>,
    /// When it was handed over.
    pub at: Instant,
}

impl Window {
    /// The broker has said how many messages it takes at once.
    pub(super) fn open(&mut self, ids: u16) {
        self.ids = ids.into();
    }

    /// Whether a request may be handed over.
    pub(super) fn has_room(&self, needs_id: bool) -> bool {
        self.ids > 0 && self.unwritten.len() < UNWRITTEN && (!needs_id || self.in_use.len() < self.ids)
    }

    /// A message was handed over.
    pub(super) fn sent(&mut self, topic: Option<String>, needs_id: bool, at: Instant) {
        let place = needs_id.then_some(self.used);
        if needs_id {
            self.use_id(true);
        }
        self.unwritten.push_back(Sent { place, topic, at });
    }

    /// Something else was handed over that takes a packet id.
    pub(super) fn id_taken(&mut self) {
        self.use_id(false);
    }

    /// The next message has this packet id; 0 is none, and the end of it.
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

    /// The message of this packet id is acknowledged.
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

    /// What the window is to be, without any care for time: every message in the order of its packet id.
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
                        // As rumqttc gives them.
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
