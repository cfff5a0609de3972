//! What users send: commands that set presence. [`CommandQueue`] takes them, if whoever is signed in may set
//! that person (`queue`), `dispatch` is when they are sent to Graph and what the end of that means, and
//! `echo` what is answered.
//!
//! A command is obeyed at once or not at all: a presence that is set an hour late is wrong. So what fails is
//! answered as failed and never tried again later; only a token that Graph refuses is replaced and the write
//! repeated, once.

mod dispatch;
mod echo;
mod queue;

use std::collections::{BTreeMap, VecDeque};

use self::echo::Sender;
use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::account::AccountId;
use crate::core::model::place::{Place, Who};
use crate::core::model::presence_change::PresenceChange;
use crate::core::model::report::Report;
use crate::core::model::request::{RequestId, SetPresence};
use crate::core::model::sign_in::SignedIn;
use crate::core::model::time::Tick;

/// Commands about the people of one account, on their way.
#[derive(Debug)]
pub(super) struct CommandQueue {
    account: AccountId,
    waiting: VecDeque<PendingCommand>,
    in_flight: BTreeMap<RequestId<SetPresence>, PendingCommand>,
    /// Graph asked for patience about writes.
    hold_until: Tick,
    /// Why Graph forbade the last write, until one succeeds.
    forbidden: Option<String>,
    /// Whose sign-in it is, where a person signs in.
    signed_in: Option<SignedIn>,
    /// Older tokens are somebody else's, or lack what was consented to since.
    tokens_from: Option<Tick>,
}

/// A command that was accepted.
#[derive(Debug)]
struct PendingCommand {
    place: Place,
    who: Who,
    change: PresenceChange,
    from: Sender,
    since: Tick,
    /// It is a repeat with a new token; a second refusal is final.
    retried: bool,
}

impl CommandQueue {
    pub(super) fn new(account: AccountId) -> Self {
        Self {
            account,
            waiting: VecDeque::new(),
            in_flight: BTreeMap::new(),
            hold_until: Tick::default(),
            forbidden: None,
            signed_in: None,
            tokens_from: None,
        }
    }

    /// Another configuration gives the account this place. Whom it may set begins anew if it `is_another`.
    pub(super) fn configured(&mut self, account: AccountId, is_another: bool) {
        self.account = account;
        if is_another {
            *self = Self::new(account);
        }
    }

    /// Takes who is signed in now.
    pub(super) fn signed_in(&mut self, account: Option<SignedIn>, now: Tick) {
        if self.signed_in.is_some() && self.signed_in != account {
            self.tokens_from = Some(now);
        }
        self.signed_in = account;
    }

    /// Answers everything that is under way, whose ends will not be told, and what waits for it.
    pub(super) fn give_up_all(&mut self, why: &str, outbox: &mut Outbox, cx: &mut Context) {
        let in_flight = std::mem::take(&mut self.in_flight).into_values();
        for command in in_flight.chain(std::mem::take(&mut self.waiting)) {
            command.give_up(why, outbox, cx);
        }
    }

    /// Answers what was sent about people who are not followed any more, or under another name.
    pub(super) fn forget(&mut self, places: &[Place], outbox: &mut Outbox, cx: &mut Context) {
        let is_about = |command: &PendingCommand| places.contains(&command.place);
        let (lost, waiting): (VecDeque<_>, _) =
            std::mem::take(&mut self.waiting).into_iter().partition(is_about);
        self.waiting = waiting;
        let gone: Vec<_> =
            self.in_flight.iter().filter(|(_, command)| is_about(command)).map(|(id, _)| *id).collect();
        let gone = gone.into_iter().filter_map(|id| self.in_flight.remove(&id));
        for command in lost.into_iter().chain(gone.collect::<Vec<_>>()) {
            command.give_up("this person is not followed any more, or has another name", outbox, cx);
        }
    }
}

impl PendingCommand {
    /// Answers a command that will not be obeyed any more.
    fn give_up(self, why: &str, outbox: &mut Outbox, cx: &mut Context) {
        self.from.answer(Some(why), outbox, cx);
        cx.report(Report::CommandFailed(self.who, why.into()));
    }

    /// Answers a command that a newer one makes pointless.
    fn superseded(self, outbox: &mut Outbox, cx: &mut Context) {
        let why = "a newer command took its place";
        self.from.answer(Some(why), outbox, cx);
        cx.report(Report::CommandRefused(self.who, why.into()));
    }
}
