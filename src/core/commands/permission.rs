//! Whose presence may be set, and what is said where it may not. Pure.

use super::CommandQueue;
use crate::core::model::request::Whom;
use crate::core::model::settings::Settings;
use crate::core::model::sign_in::SignedIn;
use crate::core::people::person::Person;

const NOBODY: &str = "no account is signed in: run `presence2mqtt login`";
const SOMEBODY_ELSE: &str = "a person's sign-in can set only that person's own presence; to set others, use an app's own \
                             sign-in method with the application permission Presence.ReadWrite.All";
const NOT_ASKED_FOR: &str = "the sign-in was made without the permission Presence.ReadWrite, which commands need: run \
                             `presence2mqtt login` again";
const UNKNOWN: &str = "the object id of this person is not known yet; try again when their health is ok";

impl CommandQueue {
    /// Whether commands can set this person's presence.
    pub(in crate::core) fn may_set(&self, person: &Person, settings: &Settings) -> bool {
        settings.commands.is_some() && self.whom(person, settings).is_ok()
    }

    /// How Graph knows the person, or why they cannot be set.
    pub(super) fn whom(&self, person: &Person, settings: &Settings) -> Result<Whom, &'static str> {
        if settings.account(self.account).sign_in.invites.is_some() {
            whom_as_person(person, self.signed_in.as_ref())
        } else {
            person.id().map(Whom::User).ok_or(UNKNOWN)
        }
    }

    /// What is said of commands on `<bridge>/health`.
    pub(in crate::core) fn notices(&self, settings: &Settings) -> impl Iterator<Item = String> {
        let is_on = settings.commands.is_some();
        let is_person = settings.account(self.account).sign_in.invites.is_some();
        let who = self.signed_in.as_ref().filter(|who| is_person && !who.may_write);
        let not_asked_for = who.map(|_| NOT_ASKED_FOR.to_owned());
        not_asked_for.into_iter().chain(self.forbidden.clone()).filter(move |_| is_on)
    }
}

/// A delegated sign-in can set only its own user.
fn whom_as_person(person: &Person, signed_in: Option<&SignedIn>) -> Result<Whom, &'static str> {
    match signed_in {
        None => Err(NOBODY),
        Some(who) if !person.is_me() && person.id() != Some(who.object_id) => Err(SOMEBODY_ELSE),
        Some(who) if !who.may_write => Err(NOT_ASKED_FOR),
        Some(_) => Ok(Whom::Me),
    }
}
