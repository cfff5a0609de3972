//! Going on with another configuration, without losing what is known.

use std::collections::{BTreeMap, HashMap};

use super::bridge::Bridge;
use super::commanding::Commanding;
use super::event::Access;
use super::name::{TopicLevel, UserId};
use super::person::Person;
use super::report::Report;
use super::schedule::Schedule;
use super::settings::{Settings, Watched};
use super::sign_in::Invitation;
use super::source::Source;
use super::time::Now;

impl Bridge {
    /// Goes on with other settings. Whatever ties the bridge to its broker, and to Home Assistant there, must be the same
    /// as before.
    pub(super) fn configured(&mut self, mut settings: Settings, access: Access, now: Now) {
        if self.link.is_stopping() {
            return;
        }
        // What is under way was ordered for people who may have another place now.
        self.under_way.clear();
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
        self.schedule = Schedule::new(settings.poll_interval, now.tick);
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
        // Before anybody is judged: how long a silence is long depends on the interval.
        self.schedule.fit(&self.budget);
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

    /// Follows whoever is configured now. Who was followed before, be it under another name, keeps what is known.
    fn follow(&mut self, access: Access, now: Now) {
        let interrupted = self.outbox.forget_places(&mut self.people);
        self.settling.clear();
        self.announcements.places.clear();
        self.by_name.clear();
        self.census.clear();
        let before = std::mem::take(&mut self.people);
        let meant: BTreeMap<TopicLevel, UserId> =
            before.iter().map(|person| (person.name.clone(), person.configured.clone())).collect();
        let users = self.settings.users.clone();
        for (place, mut person) in carry_over(before, &users, access, now).into_iter().enumerate() {
            person.forget_candidate();
            if access == Access::New {
                person.doubt();
            }
            if !self.settings.include_messages {
                person.forget_messages(now.tick);
            }
            *self.census.entry(person.health()).or_default() += 1;
            self.people.push(person);
            self.by_name.insert(place, &self.people);
            self.watch(place, now.tick);
        }
        // First of all, so that Home Assistant hears of nobody whose topics are emptied.
        self.take_back();
        self.leave(&meant, &users);
        match interrupted {
            Some(first) if self.link.is_up() => self.send_all(first, now.tick),
            Some(_) | None => (0..self.people.len()).for_each(|place| self.queue(place)),
        }
    }

    /// Empties what was said of people under names that mean nobody now, or somebody else.
    fn leave(&mut self, meant: &BTreeMap<TopicLevel, UserId>, users: &[Watched]) {
        let means: BTreeMap<&TopicLevel, &UserId> = users.iter().map(|user| (&user.name, &user.id)).collect();
        for (name, id) in meant {
            let means = means.get(name);
            if means == Some(&id) {
                continue;
            }
            self.remove_user(name);
            if means.is_none() {
                self.report(Report::Removed(name.clone()));
            }
        }
    }
}

/// The people to follow now, in their order, made of those who were followed before as far as they are the same.
fn carry_over(before: Vec<Person>, users: &[Watched], access: Access, now: Now) -> Vec<Person> {
    // Who that is depends on the tenant, or on who signed in.
    let is_the_same = |id: &UserId| access != Access::New || matches!(id, UserId::Object(_));
    let ids: HashMap<&TopicLevel, &UserId> = users.iter().map(|user| (&user.name, &user.id)).collect();
    let (same, others): (Vec<Person>, Vec<Person>) = before
        .into_iter()
        .filter(|person| is_the_same(&person.configured))
        .partition(|person| ids.get(&person.name) == Some(&&person.configured));
    let mut same: HashMap<TopicLevel, Person> =
        same.into_iter().map(|person| (person.name.clone(), person)).collect();
    let mut renamed: HashMap<UserId, Person> =
        others.into_iter().map(|person| (person.configured.clone(), person)).collect();
    let follow = |watched: &Watched| {
        let before = same.remove(&watched.name).or_else(|| renamed.remove(&watched.id));
        match before {
            Some(person) => person.configured(watched.clone(), now.tick),
            None => Person::joining(watched.clone(), now.tick),
        }
    };
    users.iter().map(follow).collect()
}
