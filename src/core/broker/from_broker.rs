//! What the broker sends: acknowledgements, refusals, and what other clients publish.

use super::Broker;
use super::read_back::at_most_once;
use crate::core::context::Context;
use crate::core::model::event::{Incoming, RefusedFilter};
use crate::core::model::foreign::Legible;
use crate::core::model::heard::Heard;
use crate::core::model::time::Tick;
use crate::core::model::topic::{BridgeField, ONLINE};
use crate::core::people::Roster;

impl Broker {
    /// The answer to the last subscription comes after what was retained for the first.
    pub(in crate::core) fn subscribed(&mut self, refused: Vec<RefusedFilter>, cx: &mut Context) {
        if self.link.is_visiting() {
            if self.claim.is_waiting() {
                self.link.waits();
            }
            return self.claim.subscribed(&refused, cx);
        }
        self.link.heard(true, cx.now);
        let asked = self.asked.pop_front().unwrap_or_default();
        let over = self.read_back.by_name.answered(&asked);
        self.refusals.answered(asked, refused, cx);
        self.unsubscribe(over.unwrap_or_default(), cx);
    }

    /// So many of the oldest messages have arrived. `true` if a notice has gone with that.
    pub(in crate::core) fn acknowledged(&mut self, count: usize, cx: &mut Context) -> bool {
        if !self.outbox.acknowledged(count, cx.now) {
            return false;
        }
        cx.report(self.link.online());
        self.read_back.online()
    }

    /// The broker does not take a message; the others go on.
    pub(in crate::core) fn publish_refused(&mut self, topic: String, why: Legible, cx: &mut Context) {
        if self.link.is_visiting() {
            let why = format!("the broker refuses messages to {topic}: {why}");
            return self.claim.refused(&why, cx);
        }
        if let Some(again) = self.refusals.message(topic, why, cx) {
            self.resend_at = Some(self.resend_at.map_or(again, |at| at.min(again)));
        }
    }

    /// A message cannot be taken, and the others go on.
    pub(in crate::core) fn message_skipped(&mut self, topic: String, bytes: usize, cx: &mut Context) {
        if self.link.is_visiting() {
            // It will be met again.
            return;
        }
        self.link.heard(false, cx.now);
        self.refusals.skipped(topic, bytes, cx);
    }

    /// Takes a message that is about the connection. Returns whether others wait now than before; nothing to
    /// a visitor, to whom no message is about anything but whether the bridge's place is free.
    pub(in crate::core) fn heard(&mut self, heard: &Heard, message: &Incoming, now: Tick) -> Option<bool> {
        if self.link.is_visiting() {
            self.claim.heard(heard, message, now);
            return None;
        }
        if message.retained {
            self.link.heard(false, now);
        }
        if *heard == Heard::Pong {
            self.claim.heard_pong(message, now);
        }
        let Heard::Standby(instance) = heard else { return Some(false) };
        Some(self.claim.heard_instance(instance, &message.payload, now))
    }

    /// A word on the topic of this bridge's own `state`.
    pub(in crate::core) fn heard_own_state(&mut self, message: &Incoming, cx: &Context) {
        // What was retained is what there was before `online` arrived; an older connection's will comes live.
        let is_old = message.retained && self.outbox.announced_at().is_none();
        if self.link.is_up() && !is_old || message.payload == ONLINE.as_bytes() {
            self.own_state.heard(&message.payload, cx);
        }
    }

    /// Something is retained on a topic of this bridge's or of another one's, `earlier_announcements` perhaps
    /// where that says.
    pub(in crate::core) fn found(
        &mut self,
        heard: &Heard,
        message: &Incoming,
        earlier_announcements: Option<String>,
        people: &Roster,
        cx: &mut Context,
    ) {
        self.read_back.heard(heard, &message.payload, people);
        if *heard == Heard::Own(BridgeField::State) {
            self.heard_own_state(message, cx);
        }
        if let Some(filter) = earlier_announcements
            && self.link.also_subscribes(cx.now)
        {
            self.read_back.filters.push(filter.clone());
            self.ask(at_most_once(vec![filter]), cx);
        }
    }

    /// Somebody asks whether this bridge lives.
    pub(in crate::core) fn pinged(&mut self, ping: &Incoming, cx: &mut Context) {
        if let Some(standby) = self.claim.standby_mut() {
            standby.pinged(cx.now);
        }
        let is_awaited = self.claim.standby().is_some();
        let is_holder = self.outbox.is_open() || is_awaited && self.link.is_reading_back();
        if is_holder && let Some(pong) = self.claim.pong(&ping.payload, cx) {
            // Where another instance would take over it must not wait for thousands of messages.
            match is_awaited {
                true => self.outbox.at_once(pong, cx),
                false => self.outbox.result(pong),
            }
        }
    }
}
