//! What visitors of the status page, and users on the broker, want of an account.

use super::Accounts;
use super::account::Account;
use super::sign_in::SignIn;
use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::act::{Act, ActId};
use crate::core::model::command::{AnswerTo, Command};
use crate::core::model::foreign::Legible;
use crate::core::model::name::TopicLevel;
use crate::core::model::sign_in::LandingAddress;
use crate::core::people::Roster;

/// What is said to an address that no sign-in of any account waits for.
const NOT_LANDED: &str = "this is not the address of the waiting sign-in: copy the whole address from the browser's address bar, or start again";

impl Accounts {
    /// A visitor of the status page wants something of an account. How it went is told later.
    /// Presence is set only while the outbox is open, so not while the bridge stops or waits for its turn.
    ///
    /// # Errors
    ///
    /// If nothing will come of it.
    pub(in crate::core) fn act(
        &mut self,
        act: Act,
        visitor: ActId,
        people: &Roster,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) -> Result<(), Legible> {
        let answer_to = AnswerTo::Visitor(visitor);
        match act {
            Act::SetPresence(user, payload) => {
                self.set(Command::presence(user, payload, answer_to), people, outbox, cx)?;
            }
            Act::SetStatusMessage(user, payload) => {
                let command = Command::status_message(user, payload, answer_to, cx.wall);
                self.set(command, people, outbox, cx)?;
            }
            Act::Landed(address) => self.sign_in_at(&address)?.landed(address, visitor, cx),
            Act::SignIn(of, by, back_to) => {
                self.sign_in_of(&of, cx)?.ask((by, back_to), visitor, outbox, cx);
            }
            Act::Change(of, is_meant) => self.sign_in_of(&of, cx)?.decide(is_meant, visitor, cx),
            Act::SignOut(of) => self.sign_in_of(&of, cx)?.sign_out(visitor, outbox, cx),
            // These are of no account.
            Act::Refresh | Act::Follow(..) | Act::TestLight(_) => {}
        }
        Ok(())
    }

    /// Takes a command.
    ///
    /// # Errors
    ///
    /// If it is empty or about nobody, or none are taken.
    pub(in crate::core) fn set(
        &mut self,
        command: Option<Command>,
        people: &Roster,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) -> Result<(), Legible> {
        let command = command.ok_or("nothing was chosen; choose a presence first")?;
        let person = people.by_name(&command.user).and_then(|place| people.get(place));
        let account = person.and_then(|person| self.get_mut(person.account()));
        let account = account.filter(|_| cx.settings.commands.is_some());
        let Account { commands, requests, .. } = account.ok_or("this person's presence cannot be set")?;
        commands.take(command, requests.hold_until(), people, outbox, cx);
        Ok(())
    }

    /// The sign-in to the account of this name, or to the only one.
    fn sign_in_of(&mut self, name: &Option<TopicLevel>, cx: &Context) -> Result<&mut SignIn, Legible> {
        let is_meant = |account: &&mut Account| {
            let settings = cx.settings.account(account.id());
            settings.name == *name && settings.sign_in.invites.is_some()
        };
        let account = self.list.iter_mut().find(is_meant);
        account.map(|account| &mut account.sign_in).ok_or("no person signs in to this account".into())
    }

    /// The sign-in that ends on this address.
    fn sign_in_at(&mut self, address: &LandingAddress) -> Result<&mut SignIn, Legible> {
        let mut sign_ins = self.list.iter_mut().map(|account| &mut account.sign_in);
        sign_ins.find(|sign_in| sign_in.ends_on(address)).ok_or(NOT_LANDED.into())
    }
}
