//! Going on with another configuration, without losing what is known.

use std::collections::{BTreeMap, HashMap, HashSet};

use crate::core::bridge::Bridge;
use crate::core::commanding::Commanding;
use crate::core::model::event::Access;
use crate::core::model::name::{ObjectId, TopicLevel, UserId};
use crate::core::model::report::Report;
use crate::core::model::settings::{Settings, Watched};
use crate::core::model::sign_in::Invitation;
use crate::core::model::time::{Now, Tick};
use crate::core::naming::fold;
use crate::core::person::Person;
use crate::core::schedule::Schedule;
use crate::core::source::Source;

impl Bridge {
    /// Goes on with other settings. Whatever ties the bridge to its broker, and to Home Assistant there, must be the same
    /// as before.
    pub(super) fn configured(&mut self, mut settings: Settings, access: Access, now: Now) {
        if self.link.is_stopping() {
            return;
        }
        self.reload_trouble = None;
        self.give_up_commands("the configuration was read again meanwhile; send it again");
        if access != Access::Same {
            // Whoever knew of an invitation is gone.
            if self.invitation.code().is_some() {
                self.take_code_back();
            }
            self.invitation = Invitation::new(now.tick);
        }
        match access {
            Access::Same | Access::Renewed => settings.about.account = self.settings.about.account.take(),
            Access::New => {
                self.source = Source::new(now);
                self.commanding = Commanding::default();
            }
        }
        self.budget.set_limit(settings.request_budget);
        let sent_as_before = self.settings.qos == settings.qos
            && self.settings.message_expiry == settings.message_expiry
            && self.settings.refresh_interval == settings.refresh_interval;
        let (listened, listen) = (self.settings.commands.is_some(), settings.commands.is_some());
        self.settings = settings;
        if listened != listen {
            self.listen_to_commands(listen);
        }
        self.follow(access, now);
        self.take_lights(self.settings.lights.clone(), now.tick);
        self.judge_at = now.tick;
        self.report(Report::Configured(self.people.len()));
        if sent_as_before {
            self.say_info_if_up();
        } else if self.link.is_up() {
            self.send_all(false, now.tick);
        }
    }

    /// The configuration cannot be read again; the old one stays.
    pub(super) fn not_configured(&mut self, why: String) {
        self.report(Report::NotConfigured(why.clone()));
        self.reload_trouble = Some(why);
    }

    /// Follows whoever is configured now, and whoever was known as a member of the groups that are. Who was followed before,
    /// be it under another name, keeps what is known.
    fn follow(&mut self, access: Access, now: Now) {
        let schedule = Schedule::new(self.settings.poll_interval, now.tick);
        let interrupted = self.leave_seats(schedule);
        self.groups.configured(self.settings.groups.clone(), now.tick);
        let before = std::mem::take(&mut self.people);
        let meant: BTreeMap<TopicLevel, (UserId, Option<ObjectId>)> = before
            .iter()
            .map(|person| (person.name.clone(), (person.configured.clone(), person.id())))
            .collect();
        let (mut people, others) = carry_over(before, &self.settings.users, access, now);
        self.keep_members(&mut people, others);
        for person in &mut people {
            person.forget_candidate();
            if access == Access::New {
                person.doubt();
            }
            if !self.settings.include_messages {
                person.forget_messages(now.tick);
            }
        }
        self.people = people;
        self.take_seats(interrupted, now.tick);
        self.leave(meant);
        self.decide_left_behind();
    }

    /// Keeps those who are in a group by its last reading, as long as nobody configured has their name.
    fn keep_members(&self, people: &mut Vec<Person>, others: Vec<Person>) {
        let mut names: HashSet<String> = people.iter().map(|person| fold(&person.name)).collect();
        let ids: HashSet<ObjectId> = people.iter().filter_map(Person::id).collect();
        for mut person in others {
            let Some(id) = person.id().filter(|id| !ids.contains(id)) else { continue };
            let group = self.groups.of(id).and_then(|group| self.groups.list.get(group));
            if let Some(membership) = group.filter(|_| names.insert(fold(&person.name))) {
                person.meant_by(UserId::Object(id));
                person.discovery = membership.group.discovery;
                people.push(person);
            }
        }
    }

    /// Forgets everybody's place, before they are given others and planned for in `schedule`. If a full sending was under
    /// way, says whether it was the first.
    pub(super) fn leave_seats(&mut self, schedule: Schedule) -> Option<bool> {
        // What is under way was ordered for people who may have another place now.
        self.under_way.clear();
        self.schedule = schedule;
        self.settling.clear();
        self.by_id.clear();
        self.announcements.places.clear();
        self.by_name.clear();
        self.census.clear();
        self.outbox.forget_places(&mut self.people)
    }

    /// Gives everybody the place they stand at, and goes on.
    pub(super) fn take_seats(&mut self, interrupted: Option<bool>, now: Tick) {
        let rules = self.rules();
        for place in 0..self.people.len() {
            if let Some(later) = self.people[place].settle(now, rules) {
                self.settling.insert((later, place));
            }
            self.seat(place, now);
        }
        self.begin_groups();
        // Before anybody is judged: how long a silence is long depends on the interval.
        self.fit();
        // First of all, so that Home Assistant hears of nobody whose topics are emptied.
        self.take_back();
        if let Some(first) = interrupted.filter(|_| self.link.is_up()) {
            self.send_all(first, now);
        }
    }

    /// Empties what was said of people under names that mean nobody now, or somebody else.
    fn leave(&mut self, meant: BTreeMap<TopicLevel, (UserId, Option<ObjectId>)>) {
        for (name, (configured, id)) in meant {
            let means = self.by_name.get(&name, &self.people).map(|place| &self.people[place]);
            let is_same =
                |person: &Person| person.configured == configured || (id.is_some() && person.id() == id);
            if means.is_some_and(is_same) {
                continue;
            }
            let is_nobody = means.is_none();
            self.remove_user(&name);
            if is_nobody {
                self.report(Report::Removed(name));
            }
        }
    }
}

/// The people to follow now, in their order, made of those who were followed before as far as they are the same; and who is
/// left of those.
fn carry_over(
    before: Vec<Person>,
    users: &[Watched],
    access: Access,
    now: Now,
) -> (Vec<Person>, Vec<Person>) {
    // Who that is depends on the tenant, or on who signed in.
    let is_the_same = |id: &UserId| access != Access::New || matches!(id, UserId::Object(_));
    let ids: HashMap<&TopicLevel, &UserId> = users.iter().map(|user| (&user.name, &user.id)).collect();
    let (mut same, mut renamed) = (HashMap::new(), HashMap::new());
    let mut before: Vec<Option<Person>> =
        before.into_iter().filter(|person| is_the_same(&person.configured)).map(Some).collect();
    for (place, person) in before.iter().flatten().enumerate() {
        if ids.get(&person.name) == Some(&&person.configured) {
            same.insert(person.name.clone(), place);
        } else {
            renamed.insert(person.configured.clone(), place);
        }
    }
    let mut follow = |watched: &Watched| {
        let place = same.remove(&watched.name).or_else(|| renamed.remove(&watched.id));
        match place.and_then(|place| before[place].take()) {
            Some(mut person) => {
                person.configured(watched.clone(), now.tick);
                person
            }
            None => Person::joining(watched.clone(), now.tick),
        }
    };
    let people = users.iter().map(&mut follow).collect();
    (people, before.into_iter().flatten().collect())
}
