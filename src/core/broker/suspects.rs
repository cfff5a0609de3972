//! Messages at which the broker hangs up.
//!
//! A broker may close the connection at one message: too large, not allowed, or simply not to its taste. Sent
//! again after each connect it would take everything else along. So what was unacknowledged when a connection
//! ended is suspected, and is sent alone on the next one: if that ends as well, and does so for a while, it
//! is the one. It is left out from then on, named, and tried again after growing pauses. Up to MQTT 3.1.1
//! that is the only way in which a broker can refuse a message at all.

use std::collections::{BTreeMap, VecDeque};
use std::hash::{DefaultHasher, Hasher};
use std::time::Duration;

use crate::core::context::Context;
use crate::core::model::backoff::Backoff;
use crate::core::model::effect::Message;
use crate::core::model::report::Report;
use crate::core::model::time::Tick;

/// A line that breaks at one message again and again does so for less time than this.
const PERSISTS: Duration = Duration::from_secs(10);

/// So many are sent alone after the first time; of more, those that were there twice.
const FEW: usize = 32;

/// Suspects that are remembered. Others come with the next connection that ends.
const REMEMBERED: usize = 2048;

/// Messages that are left out and named, at most.
const NAMED: usize = 100;

/// Whether it was the message, or the line, is tried so soon after everything else has arrived.
const FIRST_RETRY: Duration = Duration::from_secs(2);

/// Messages that are sent again at once, so that more have arrived.
const FILLERS: usize = 64;

/// What is around a topic and a payload in a packet, about.
const ENVELOPE: usize = 8;

/// A message that was sent, by the hash of its topic.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Sent {
    topic: u64,
    bytes: usize,
}

/// A message that is not sent.
#[derive(Debug)]
struct LeftOut {
    sent: Sent,
    topic: String,
    verdict: Verdict,
}

/// How sure it is that the broker hangs up at a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// It may have been the line that broke, twice at the same place, or once more.
    Doubtful,
    Likely,
    /// It has the size of others that are left out.
    BySize,
    /// It was tried again after everything else had arrived.
    Certain,
}

/// What is known of them.
#[derive(Debug)]
pub(super) struct Suspects {
    /// In the order in which they were sent.
    under_way: VecDeque<Sent>,
    /// How often each was unacknowledged at an end.
    suspected: BTreeMap<u64, u8>,
    /// The one that is under way and has nothing beside it.
    alone: Option<(String, Sent)>,
    /// When the broker first hung up, since everything last arrived.
    since: Option<Tick>,
    /// Messages that wait to be sent alone.
    held: VecDeque<Message>,
    /// Bytes of messages that arrived on this connection.
    passed: usize,
    /// A message that is sent again where more have to arrive.
    filler: Option<Message>,
    /// In the order in which they were found.
    left_out: Vec<LeftOut>,
    /// What has this size or more is too large: two were left out that are larger than whatever arrived.
    too_large: Option<usize>,
    /// The largest that was acknowledged.
    largest: usize,
    /// The one of those left out that is tried again.
    trial: Option<u64>,
    retry_at: Option<Tick>,
    /// What was left out may be sent again: everything has to be.
    must_resend: bool,
    backoff: Backoff,
}

/// What is to be done with a message.
#[derive(Debug)]
pub(super) enum Admission {
    /// Send it.
    Now(Message),
    /// It waits to be sent alone.
    Held,
    /// It is not sent.
    LeftOut,
    /// It is not sent for now, and what belongs behind it is not either.
    Doubted,
}

impl Default for Suspects {
    fn default() -> Self {
        Self {
            under_way: VecDeque::new(),
            suspected: BTreeMap::new(),
            alone: None,
            since: None,
            held: VecDeque::new(),
            passed: 0,
            filler: None,
            left_out: Vec::new(),
            too_large: None,
            largest: 0,
            trial: None,
            retry_at: None,
            must_resend: false,
            backoff: Backoff::new(Duration::from_secs(10), Duration::from_secs(3600)),
        }
    }
}

impl Suspects {
    /// Whether every message may be sent, as almost always.
    pub(super) fn are_none(&self) -> bool {
        self.suspected.is_empty() && self.left_out.is_empty()
    }

    /// Whether a message may be sent beside others.
    pub(super) fn admit(&mut self, message: Message) -> Admission {
        let sent = Sent::from_message(&message);
        let is_too_large = self.too_large.is_some_and(|too_large| sent.bytes >= too_large);
        let is_left_out =
            is_too_large || self.left_out.iter().any(|left_out| left_out.sent.topic == sent.topic);
        if is_left_out && self.trial != Some(sent.topic) {
            let is_doubtful =
                |left_out: &LeftOut| left_out.sent.topic == sent.topic && left_out.is_doubtful();
            let is_doubted = self.left_out.iter().any(is_doubtful);
            self.leave_out(sent, message.topic, Verdict::BySize);
            if is_doubted { Admission::Doubted } else { Admission::LeftOut }
        } else if is_left_out || self.is_sent_alone(sent.topic) {
            self.held.push_back(message);
            Admission::Held
        } else {
            Admission::Now(message)
        }
    }

    /// Sends a message alone as well, which belongs behind one that is.
    pub(super) fn hold(&mut self, message: Message) {
        let sent = Sent::from_message(&message);
        let is_left_out = self.left_out.iter().any(|left_out| left_out.sent.topic == sent.topic);
        if !is_left_out || self.trial == Some(sent.topic) {
            self.held.push_back(message);
        }
    }

    fn is_sent_alone(&self, topic: u64) -> bool {
        let times = if self.suspected.len() <= FEW { 1 } else { 2 };
        self.suspected.get(&topic).is_some_and(|&suspected| suspected >= times)
    }

    /// Whether others have to wait: something is under way alone, or about to be.
    pub(super) fn keep_others_waiting(&self) -> bool {
        self.alone.is_some() || !self.held.is_empty()
    }

    /// Remembers a message that may be sent again at any time, and means nothing new then.
    pub(super) fn may_repeat(&mut self, message: &Message) {
        self.filler = Some(message.clone());
    }

    /// Takes the next one that is to be sent alone. Nothing is under way. As many bytes as it has must have
    /// arrived on this connection before, or its end would say no more than that the line carries only so
    /// many: until then the filler goes.
    pub(super) fn next_alone(&mut self) -> Vec<Message> {
        let Some(next) = self.held.front().map(Sent::from_message) else { return Vec::new() };
        let missing = next.bytes.saturating_sub(self.passed);
        if missing > 0
            && let Some(filler) = &self.filler
            && Sent::from_message(filler).topic != next.topic
        {
            let times = missing.div_ceil(Sent::from_message(filler).bytes).min(FILLERS);
            return vec![filler.clone(); times];
        }
        let message = self.held.pop_front();
        self.alone = message.as_ref().map(|message| (message.topic.clone(), next));
        message.into_iter().collect()
    }

    /// These are under way.
    pub(super) fn sent(&mut self, messages: &[Message]) {
        self.under_way.extend(messages.iter().map(Sent::from_message));
    }

    /// The oldest that are under way have arrived.
    pub(super) fn acknowledged(&mut self, count: usize) {
        for sent in self.under_way.drain(..count.min(self.under_way.len())) {
            self.largest = self.largest.max(sent.bytes);
            self.passed += sent.bytes;
            self.suspected.remove(&sent.topic);
            if self.trial == Some(sent.topic) {
                // What was in its way is gone; those that are not certain may be sent again as well.
                self.trial = None;
                self.left_out.retain(|left_out| {
                    left_out.verdict == Verdict::Certain && left_out.sent.topic != sent.topic
                });
                self.too_large = None;
                self.must_resend = true;
            }
        }
        if self.under_way.is_empty() {
            self.alone = None;
        }
    }

    /// Everything that is not left out has arrived: so it was not the line. Soon it shows whether it was the
    /// message.
    pub(super) fn all_others_arrived(&mut self, now: Tick) {
        self.since = None;
        if self.left_out.iter().any(LeftOut::is_doubtful) {
            let soon = now + FIRST_RETRY;
            self.retry_at = Some(self.retry_at.map_or(soon, |at| at.min(soon)));
        }
    }

    /// The broker ended the connection. `true` if a message explains it.
    pub(super) fn hung_up(&mut self, cx: &mut Context) -> bool {
        let since = *self.since.get_or_insert(cx.now);
        if let Some((topic, sent)) = self.alone.take() {
            if self.trial != Some(sent.topic) && cx.now < since + PERSISTS {
                // It looks like it, but lines break as well.
                self.forget_connection();
                return true;
            }
            self.suspected.remove(&sent.topic);
            self.forget_connection();
            self.found(topic, sent, cx);
            return true;
        }
        for sent in &self.under_way {
            if self.suspected.len() < REMEMBERED || self.suspected.contains_key(&sent.topic) {
                let times = self.suspected.entry(sent.topic).or_default();
                *times = times.saturating_add(1);
            }
        }
        self.forget_connection();
        false
    }

    /// There is no connection any more, whoever ended it.
    pub(super) fn forget_connection(&mut self) {
        self.under_way.clear();
        self.held.clear();
        self.alone = None;
        self.passed = 0;
    }

    fn found(&mut self, topic: String, sent: Sent, cx: &mut Context) {
        let was_trial = self.trial.take() == Some(sent.topic);
        let known = self.left_out.iter().find(|left_out| left_out.sent.topic == sent.topic);
        let verdict = match known.map(|left_out| left_out.verdict) {
            Some(Verdict::Doubtful) if was_trial => Verdict::Likely,
            Some(_) if was_trial => Verdict::Certain,
            Some(verdict) => verdict,
            None => Verdict::Doubtful,
        };
        self.too_large = None;
        let before =
            self.left_out.iter().map(|left_out| left_out.sent.bytes).filter(|bytes| *bytes > self.largest);
        if let Some(smallest) = before.min().filter(|_| sent.bytes > self.largest) {
            self.too_large = Some(smallest.min(sent.bytes));
        }
        if known.is_none() {
            cx.report(Report::LeftOut { topic: topic.clone(), bytes: sent.bytes });
        }
        self.leave_out(sent, topic, verdict);
        self.retry_at = Some(cx.now + self.backoff.failed(&mut cx.random));
    }

    fn leave_out(&mut self, sent: Sent, topic: String, verdict: Verdict) {
        match self.left_out.iter_mut().find(|left_out| left_out.sent.topic == sent.topic) {
            Some(left_out) => {
                left_out.sent = sent;
                if verdict != Verdict::BySize {
                    left_out.verdict = verdict;
                }
            }
            None => {
                if self.left_out.len() < NAMED {
                    self.left_out.push(LeftOut { sent, topic, verdict });
                }
            }
        }
    }

    /// Whether one of those left out is to be tried again, now: everything has to be sent for it. `true`
    /// once.
    pub(super) fn begins_trial(&mut self, cx: &mut Context) -> bool {
        if std::mem::take(&mut self.must_resend) {
            if self.left_out.is_empty() {
                self.retry_at = None;
                self.backoff.reset();
            }
            return true;
        }
        let is_due = self.retry_at.is_some_and(|at| at <= cx.now) && !self.left_out.is_empty();
        if is_due {
            let doubtful = self.left_out.iter().find(|left_out| left_out.is_doubtful());
            let any = self.left_out.get(cx.random.usize(..self.left_out.len()));
            self.trial = doubtful.or(any).map(|left_out| left_out.sent.topic);
            // Should it not come to be sent, it is another one's turn then.
            self.retry_at = Some(cx.now + self.backoff.failed(&mut cx.random));
        }
        is_due
    }

    /// When one of those left out is tried again.
    pub(super) fn retry_at(&self) -> Option<Tick> {
        if self.must_resend { Some(Tick::default()) } else { self.retry_at }
    }

    /// What is left out, on `<bridge>/health`.
    pub(super) fn notice(&self) -> Option<String> {
        let LeftOut { sent: Sent { bytes, .. }, topic, .. } = self.left_out.first()?;
        let others = match self.left_out.len() - 1 {
            0 => String::new(),
            more => format!(" and at {more} more"),
        };
        Some(format!(
            "the broker closes the connection at a message of {bytes} bytes for {topic}{others}; it is \
            left out and retried later: raise \
             the broker's limit (Mosquitto: max_packet_size), or allow the topic"
        ))
    }
}

impl LeftOut {
    fn is_doubtful(&self) -> bool {
        matches!(self.verdict, Verdict::Doubtful | Verdict::Likely)
    }
}

impl Sent {
    fn from_message(message: &Message) -> Self {
        let mut hasher = DefaultHasher::new();
        hasher.write(message.topic.as_bytes());
        Self { topic: hasher.finish(), bytes: ENVELOPE + message.topic.len() + message.payload.len() }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::mqtt::Qos;
    use crate::core::model::settings::Settings;
    use crate::core::model::time::Now;

    fn context() -> Context {
        let wall = "2026-11-28T09:00:00Z".parse().unwrap();
        Context::new(Settings::for_tests(), 1, Now { tick: Tick::default(), wall })
    }

    fn message(topic: usize, bytes: usize) -> Message {
        Message::retained(format!("presence/{topic}/state"), "x".repeat(bytes), Qos::AtLeastOnce)
    }

    /// A broker that hangs up at messages of more than `limit` bytes, and how often it does until everything
    /// else is there.
    fn hang_ups(messages: &[Message], limit: usize) -> (usize, Suspects) {
        let (mut suspects, mut cx) = (Suspects::default(), context());
        suspects.may_repeat(&message(1000, 300));
        for hung_up in 0.. {
            assert!(hung_up < 20, "for ever");
            let mut waiting: VecDeque<Message> = messages.iter().cloned().collect();
            let is_over = loop {
                let mut batch = Vec::new();
                while !suspects.keep_others_waiting() {
                    let Some(message) = waiting.pop_front() else { break };
                    if let Admission::Now(message) = suspects.admit(message) {
                        batch.push(message);
                    }
                }
                if batch.is_empty() {
                    batch = suspects.next_alone();
                }
                if batch.is_empty() {
                    break true;
                }
                suspects.sent(&batch);
                let taken = batch.iter().position(|message| message.payload.len() > limit);
                suspects.acknowledged(taken.unwrap_or(batch.len()));
                if taken.is_some() {
                    suspects.hung_up(&mut cx);
                    cx.now = cx.now + PERSISTS;
                    break false;
                }
            };
            if is_over {
                return (hung_up, suspects);
            }
        }
        unreachable!()
    }

    #[test]
    fn one_is_left_out_after_its_second_time_and_of_many_those_of_its_size() {
        let messages: Vec<Message> =
            (0..20).map(|topic| message(topic, if topic % 3 == 1 { 4000 } else { 300 })).collect();
        let (hung_up, suspects) = hang_ups(&messages, 3000);
        // The first one at its second time, the second one alone, and the other five by what those two have
        // in common.
        assert_eq!(hung_up, 3);
        let notice = suspects.notice().unwrap();
        assert!(notice.contains("4024 bytes for presence/1/state and at 6 more"), "{notice}");
    }

    #[test]
    fn of_many_only_those_that_were_there_twice_are_sent_alone() {
        let messages: Vec<Message> =
            (0..400).map(|topic| message(topic, if topic == 7 { 4000 } else { 300 })).collect();
        assert_eq!(hang_ups(&messages, 3000).0, 3);
        assert_eq!(hang_ups(&messages, 5000).0, 0);
    }

    #[test]
    fn what_is_left_out_is_tried_again_alone_and_forgotten_when_it_arrives() {
        let messages = [message(1, 300), message(2, 4000)];
        let (_, mut suspects) = hang_ups(&messages, 3000);
        let mut cx = context();
        suspects.forget_connection();
        assert!(!suspects.begins_trial(&mut cx));
        cx.now = suspects.retry_at().unwrap();
        assert!(suspects.begins_trial(&mut cx));
        assert!(matches!(suspects.admit(messages[1].clone()), Admission::Held));
        let filler = suspects.next_alone();
        assert!(filler.len() > 12 && filler.iter().all(|message| message.topic == "presence/1000/state"));
        suspects.sent(&filler);
        suspects.acknowledged(filler.len());
        let alone = suspects.next_alone();
        assert_eq!(alone, messages[1..]);
        suspects.sent(&alone);
        suspects.acknowledged(1);
        assert!(suspects.begins_trial(&mut cx), "everything has to be sent again");
        assert_eq!((suspects.notice(), suspects.retry_at()), (None, None));
    }
}
