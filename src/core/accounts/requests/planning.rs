//! How people and groups are read, and when.

use super::Requests;
use super::source::Source;
use super::target::{InFlight, ReadTarget, Target};
use crate::core::context::Context;
use crate::core::model::event::Access;
use crate::core::model::place::Place;
use crate::core::model::settings::Endpoint;
use crate::core::model::time::Tick;
use crate::core::people::Roster;
use crate::core::people::person::Person;

impl Requests {
    /// Plans how somebody is read.
    pub(in crate::core) fn watch(&mut self, place: Place, person: &Person, cx: &Context) {
        if person.is_me() {
            self.schedule.begin(Target::Read(ReadTarget::Me(place)), cx.now);
        } else if person.id().is_none() {
            self.schedule.begin(Target::Resolve(place), cx.now);
        } else {
            match cx.settings.account(self.account).reading.endpoint {
                Endpoint::Auto | Endpoint::Bulk | Endpoint::Me => self.schedule.join_bulk(place, cx.now),
                Endpoint::Users => self.schedule.begin(Target::Read(ReadTarget::User(place)), cx.now),
                Endpoint::Communications => {
                    self.schedule.begin(Target::Read(ReadTarget::Communications(place)), cx.now);
                }
            }
        }
    }

    /// Plans when a group is read.
    pub(in crate::core) fn watch_group(&mut self, group: usize, due: Tick) {
        self.schedule.begin(Target::Members(group), due);
    }

    /// Forgets people who left, who are in order. What is under way about everybody else goes on.
    pub(in crate::core) fn forget(&mut self, gone: &[Place]) {
        self.schedule.forget(gone);
        self.in_flight.forget(gone);
    }

    /// Somebody wants everybody to be read now. `is_worth_it` says which groups are read out of turn.
    pub(in crate::core) fn refresh(&mut self, is_worth_it: impl Fn(usize) -> bool, now: Tick) {
        self.schedule.now_if(now, |target| match target {
            Target::Members(group) => is_worth_it(*group),
            Target::Read(_) | Target::Resolve(_) => true,
        });
    }

    /// The configuration is another; `replanned` if people are read in another way or at another pace. Groups
    /// are planned anew in any case.
    pub(in crate::core) fn configured(
        &mut self,
        access: Access,
        replanned: bool,
        people: &Roster,
        cx: &Context,
    ) {
        if access == Access::New {
            self.source = Source::new(cx.time());
        }
        match access {
            // Other tasks go the way to Graph; what the old ones had under way will not be answered.
            Access::New | Access::Renewed => self.in_flight = InFlight::default(),
            Access::Same => self.in_flight.pages.clear(),
        }
        if replanned || access != Access::Same {
            self.schedule.begin_anew(cx.settings.account(self.account).reading.poll_interval, cx.now);
            let account = self.account;
            let theirs = people.iter().filter(|(_, person)| person.account() == account);
            theirs.for_each(|(place, person)| self.watch(place, person, cx));
        } else {
            self.schedule.forget_groups();
            self.schedule.all_now(cx.now);
        }
    }
}
