//! What is done about a sign-in that is needed: an invitation, its code, and what becomes of it.

use crate::core::bridge::Bridge;
use crate::core::model::effect::Effect;
use crate::core::model::name::UserId;
use crate::core::model::payload::json;
use crate::core::model::report::Report;
use crate::core::model::sign_in::{InvitationEnd, SignInEvent, SignInOrder};
use crate::core::model::time::Tick;
use crate::core::model::topic::BridgeField;
use crate::core::person::Person;
use crate::core::source::Reach;

impl Bridge {
    pub(super) fn needs_sign_in(&self) -> bool {
        self.settings.invites && self.source.reach() == Reach::SignInRequired && !self.link.is_stopping()
    }

    /// Begins an invitation, or takes it back.
    pub(super) fn invite(&mut self, now: Tick) {
        let Some(order) = self.invitation.order(self.needs_sign_in(), now) else { return };
        self.commands.push(Effect::SignIn(order));
        if order == SignInOrder::TakeBack {
            self.take_code_back();
        }
    }

    pub(super) fn sign_in_happened(&mut self, event: SignInEvent, now: Tick) {
        match event {
            SignInEvent::Code(code) => {
                self.invitation.shown(code);
                if let Some(code) = self.invitation.code() {
                    let report = Report::SignInWith(code.verification_uri.clone(), code.user_code.clone());
                    self.report(report);
                    self.say_code();
                }
            }
            SignInEvent::Ended(end) => {
                self.invitation.ended(&end, now, &mut self.random);
                self.take_code_back();
                match end {
                    InvitationEnd::SignedIn => self.try_now(now),
                    InvitationEnd::Expired => {}
                    InvitationEnd::Declined | InvitationEnd::AnotherAccount(_) | InvitationEnd::Failed(_) => {
                        let why = self.invitation.trouble().unwrap_or_default().to_owned();
                        self.report(Report::NotSignedIn(why));
                    }
                }
            }
            SignInEvent::CredentialsChanged => self.try_now(now),
            SignInEvent::CertificateEnds(ends) => self.settings.certificate_ends = ends,
            SignInEvent::Account(account) => {
                let name = account.as_ref().map(|account| account.username.clone());
                let before = &self.settings.about.account;
                let another = before.is_some() && name.is_some() && *before != name;
                // With somebody else other people can be set.
                self.commanding.signed_in(account, now);
                self.judge_at = now;
                if *before != name {
                    self.settings.about.account = name;
                    self.say_info_if_up();
                }
                if another {
                    self.somebody_else_signed_in(now);
                }
            }
        }
    }

    /// Whoever is read as the signed-in person is somebody else now.
    fn somebody_else_signed_in(&mut self, now: Tick) {
        for place in 0..self.people.len() {
            if self.people[place].configured != UserId::Me {
                continue;
            }
            let name = self.people[place].name.clone();
            let joining = Person::joining(self.settings.users[place].clone(), now);
            let before = std::mem::replace(&mut self.people[place], joining);
            self.announcements.places.retain(|_, announced| *announced != place);
            // Another name of whoever it was takes over.
            (0..self.people.len()).for_each(|place| self.announce(place));
            self.take_back();
            self.people[place].queued = before.queued;
            if let Some(count) = self.census.get_mut(&before.health()) {
                *count -= 1;
            }
            *self.census.entry(self.people[place].health()).or_default() += 1;
            self.remove_user(&name);
            self.queue(place);
        }
        self.schedule.all_now(now);
    }

    /// What a refusal was waiting for may have happened.
    fn try_now(&mut self, now: Tick) {
        if self.source.reach() == Reach::SignInRequired {
            self.source.try_now(now);
            self.schedule.all_now(now);
        }
    }

    /// Queues the code that is shown, where it may be published.
    pub(super) fn say_code(&mut self) {
        if self.settings.announce_sign_in && self.link.is_up() {
            // Without a code it is emptied: one that was taken back while the broker was away is still there.
            let shown = self.invitation.code().map(json).unwrap_or_default();
            self.outbox.own(self.topics.of_bridge(BridgeField::SignIn), shown);
        }
    }

    /// Empties the topic of the code.
    pub(super) fn take_code_back(&mut self) {
        if self.settings.announce_sign_in {
            self.outbox.own(self.topics.of_bridge(BridgeField::SignIn), String::new());
        }
    }
}
