//! What was handed over and is not acknowledged yet.
//!
//! rumqttc uses packet ids in a circle as long as the broker's limit of unacknowledged messages. It gives them to
//! subscriptions too, and an id that comes round while its message is unacknowledged stops everything: for good in
//! MQTT 5, should that message be refused. So nothing is handed over that could meet an id in use. The same account
//! says which message an acknowledgement is for: rumqttc names ids only, in the order in which messages were handed over.

use std::collections::{BTreeMap, VecDeque};

use tokio::time::Instant;

/// Messages that rumqttc has and has not written yet, at most; the others wait in the session.
const UNWRITTEN: usize = 128;

/// The account of one connection.
#[derive(Debug, Default)]
pub(super) struct Window {
    /// How many packet ids there are: none until the broker says it.
    ids: u64,
    /// How many were used.
    used: u64,
    unwritten: VecDeque<Sent>,
    unanswered: BTreeMap<u16, Sent>,
}

/// A message that was handed over.
#[derive(Debug)]
pub(super) struct Sent {
    /// The place of its packet id among all that were used; none at quality 0, which needs none.
    place: Option<u64>,
    pub topic: String,
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
        let sent = self.unwritten.iter().chain(self.unanswered.values());
        let oldest = sent.filter_map(|sent| sent.place).min().unwrap_or(self.used);
        self.ids > 0 && self.unwritten.len() < UNWRITTEN && (!needs_id || self.used - oldest < self.ids)
    }

    /// A message was handed over.
    pub(super) fn sent(&mut self, topic: String, needs_id: bool, at: Instant) {
        let place = needs_id.then_some(self.used);
        self.used += u64::from(needs_id);
        self.unwritten.push_back(Sent { place, topic, at });
    }

    /// Something else was handed over that takes a packet id.
    pub(super) fn id_taken(&mut self) {
        self.used += 1;
    }

    /// The next message has this packet id; 0 is none, and the end of it.
    pub(super) fn written(&mut self, id: u16) {
        if let Some(sent) = self.unwritten.pop_front()
            && id != 0
        {
            self.unanswered.insert(id, sent);
        }
    }

    /// The message of this packet id is acknowledged.
    pub(super) fn answered(&mut self, id: u16) -> Option<Sent> {
        self.unanswered.remove(&id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn send(window: &mut Window, topic: &str, needs_id: bool) {
        window.sent(topic.to_owned(), needs_id, Instant::now());
    }

    fn answered(window: &mut Window, id: u16) -> Option<String> {
        window.answered(id).map(|sent| sent.topic)
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
