//! Whose presence may be set, and what is said where it may not.

use crate::core::bridge::Bridge;
use crate::core::model::name::UserId;
use crate::core::model::request::Whom;
use crate::core::schedule::Place;

const NOBODY: &str = "nobody is signed in: run `presence2mqtt login`";
const SOMEBODY_ELSE: &str = "a person's sign-in can set only that person's own presence; to set others, use an app's own \
                             sign-in method with the application permission Presence.ReadWrite.All";
const NOT_ASKED_FOR: &str = "the sign-in was made without the permission Presence.ReadWrite, which commands need: run \
                             `presence2mqtt login` again";
const UNKNOWN: &str = "the object id of this person is not known yet; try again when their health is ok";

impl Bridge {
    /// Whether commands can set this person's presence. [`Settable`](crate::core::model::report::Report::Settable) is reported when
    /// it changes: `judge_one` notices.
    pub(super) fn may_set(&self, place: Place) -> bool {
        self.settings.commands.is_some() && self.whom(place).is_ok()
    }

    /// How Graph knows the person, or why they cannot be set.
    pub(super) fn whom(&self, place: Place) -> Result<Whom, &'static str> {
        let person = &self.people[place];
        if !self.settings.invites {
            return person.id().map(Whom::User).ok_or(UNKNOWN);
        }
        match &self.commanding.signed_in {
            None => Err(NOBODY),
            Some(who) if person.configured != UserId::Me && person.id() != Some(who.object_id) => {
                Err(SOMEBODY_ELSE)
            }
            Some(who) if !who.may_write => Err(NOT_ASKED_FOR),
            Some(_) => Ok(Whom::Me),
        }
    }

    /// What is said of commands on `<bridge>/health`.
    pub(super) fn command_notices(&self) -> Vec<String> {
        if self.settings.commands.is_none() {
            return Vec::new();
        }
        let who = self.commanding.signed_in.as_ref().filter(|_| self.settings.invites);
        let not_asked_for = who.filter(|who| !who.may_write).map(|_| NOT_ASKED_FOR.to_owned());
        not_asked_for.into_iter().chain(self.commanding.forbidden.clone()).collect()
    }
}
