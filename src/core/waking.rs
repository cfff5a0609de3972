//! What time that passed unseen means: a laptop's lid was closed, a virtual machine paused, or the clock was set.

use std::time::Duration;

use crate::core::bridge::Bridge;
use crate::core::model::effect::{Effect, GraphOrder};
use crate::core::model::report::Report;
use crate::core::model::time::Tick;
use crate::core::schedule::Again;

/// Nobody turns stale before this, so that a read which succeeds at once spares everybody the alarm.
const GRACE: Duration = Duration::from_millis(1200);

impl Bridge {
    /// Time went on by `slept`. Reads everybody again, on new connections: the old ones are dead, and a read on one
    /// would wait for its timeout.
    pub(super) fn slept(&mut self, slept: Duration, now: Tick) {
        self.report(Report::Slept(slept));
        self.budget.slept(slept);
        self.source.slept(now);
        self.commands.push(Effect::Graph(GraphOrder::ForgetConnections));
        for (_, job) in std::mem::take(&mut self.under_way) {
            self.again(&job, Again::After(Duration::ZERO), now);
        }
        self.give_up_commands("the machine slept meanwhile; it is not known whether it was done");
        self.schedule.all_now(now);
        self.judge_at = now + GRACE;
        // Nobody looked whether these changes lasted.
        for (_, place) in std::mem::take(&mut self.settling) {
            self.people[place].forget_candidate();
        }
        // The broker gives a silent client up after one and a half times the keep-alive (MQTT 3.1.1 section 3.1.2.10).
        let given_up = slept >= self.settings.keep_alive.mul_f32(1.5) && !self.link.is_stopping();
        // Reading back goes by how long the broker is silent, which nobody knows now.
        if given_up || self.link.is_reading_back() {
            self.outbox.disconnected(&mut self.people);
            self.link.give_up(now);
        }
    }
}
