//! One account: what is asked by it, who is signed in to it, and what is commanded about its people.

use super::commands::CommandQueue;
use super::requests::Requests;
use super::sign_in::SignIn;
use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::account::{AccountId, addressed};
use crate::core::model::effect::GraphOrder;
use crate::core::model::event::Access;
use crate::core::model::health::GraphState;
use crate::core::model::report::Report;
use crate::core::model::settings::{AccountSettings, Settings};
use crate::core::model::sign_in::{SignInBy, SignInEvent};
use crate::core::model::snapshot::{AccountSnapshot, GraphSnapshot};
use crate::core::model::time::{Now, Tick};
use crate::core::people::Roster;

/// All that is about one account.
#[derive(Debug)]
pub(in crate::core) struct Account {
    pub(super) requests: Requests,
    pub(super) sign_in: SignIn,
    pub(super) commands: CommandQueue,
}

/// Who is signed in was told again.
#[derive(Debug, Clone, Copy)]
pub(in crate::core) struct ToldWho {
    /// Their name is another one than before.
    pub is_news: bool,
    /// They are somebody else than whoever was signed in last.
    pub is_another: bool,
}

impl Account {
    pub(super) fn new(of: AccountId, settings: &AccountSettings, seed: u64, now: Now) -> Self {
        // By name: what others are configured changes nothing for this one.
        let name = settings.name.iter().flat_map(|name| name.as_str().bytes());
        let seed = name.fold(seed, |seed, byte| (seed ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3));
        Self {
            requests: Requests::new(of, settings, seed, now),
            sign_in: SignIn::new(of, settings, seed, now.tick),
            commands: CommandQueue::new(of),
        }
    }

    pub(in crate::core) fn id(&self) -> AccountId {
        self.requests.account()
    }

    pub(in crate::core) fn requests(&self) -> &Requests {
        &self.requests
    }

    /// How a person has to sign in, if one has to.
    pub(super) fn needs_sign_in(&self, settings: &Settings) -> Option<SignInBy> {
        let required = self.requests.source().state() == GraphState::SignInRequired;
        settings.account(self.id()).sign_in.invites.filter(|_| required)
    }

    /// What is wrong, and what to do.
    pub(in crate::core) fn detail(&self, settings: &Settings) -> Option<String> {
        let is_needed = self.needs_sign_in(settings).is_some();
        let detail = self.sign_in.trouble().filter(|_| is_needed).or(self.requests.source().detail())?;
        let name = settings.account(self.id()).name.as_ref();
        Some(name.map_or_else(|| detail.to_owned(), |name| addressed(name, detail)))
    }

    /// What is said of it on `<bridge>/health`, but of commands.
    pub(in crate::core) fn notices(&self, cx: &Context) -> impl Iterator<Item = String> {
        self.requests.notice(cx).into_iter().chain(self.sign_in.notices(cx.wall))
    }

    /// What is said of commands there.
    pub(in crate::core) fn command_notices(&self, settings: &Settings) -> impl Iterator<Item = String> {
        self.commands.notices(settings)
    }

    /// How it is shown. `now` counts the time that the machine slept.
    pub(in crate::core) fn snapshot(&self, cx: &Context, now: Tick) -> AccountSnapshot {
        let graph = self.requests.snapshot(cx, now);
        self.sign_in.snapshot(GraphSnapshot { detail: self.detail(&cx.settings), ..graph }, cx)
    }

    /// When the next request may begin, or the next invitation.
    pub(super) fn wake_at(&self, people: &Roster, cx: &Context, now: Tick) -> Option<Tick> {
        let read = self.requests.next_read_at(&cx.budgets, now);
        let write = self.commands.wake_at(people, &self.requests, &cx.budgets, now);
        let invitation = self.sign_in.wake_at(self.needs_sign_in(&cx.settings));
        read.into_iter().chain(write).chain(invitation).min()
    }

    /// Something happened with signing in. Returns what the people have to know, if it was told who is signed
    /// in.
    pub(in crate::core) fn sign_in_happened(
        &mut self,
        event: SignInEvent,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) -> Option<ToldWho> {
        let Self { requests, sign_in, commands } = self;
        match event {
            SignInEvent::Invited(id, shown) => sign_in.show(id, shown, outbox, cx),
            SignInEvent::NotTaken(id, why) => sign_in.not_taken(id, why, cx),
            SignInEvent::Another(id, change) => sign_in.another(id, change, cx),
            SignInEvent::SignedOut(outcome) => sign_in.signed_out(outcome, cx),
            SignInEvent::NotStored(why) => sign_in.not_stored(why),
            SignInEvent::Ended(id, end) => {
                if sign_in.ended(id, &end, outbox, cx) {
                    requests.sign_in_changed(cx.now);
                }
            }
            SignInEvent::CredentialsChanged => requests.sign_in_changed(cx.now),
            SignInEvent::CertificateEnds(ends) => sign_in.certificate_ends(ends),
            SignInEvent::Account(account) => {
                let report = account.as_ref().map(|account| Report::SignedIn(account.username.clone()));
                commands.signed_in(account.clone(), cx.now);
                let (is_news, is_another) = sign_in.signed_in(account);
                if is_another || is_news && sign_in.account().is_none() {
                    requests.account_changed(cx.now);
                }
                cx.report(report.filter(|_| is_news));
                return Some(ToldWho { is_news, is_another });
            }
        }
        None
    }

    /// What is under way will not be answered, or must not be.
    pub(super) fn cut_off(&mut self, why: &str, outbox: &mut Outbox, cx: &mut Context) {
        cx.ask_graph(self.id(), GraphOrder::ForgetConnections);
        self.commands.give_up_all(why, outbox, cx);
    }

    /// The configuration is about to be another one, in which this account is that one, if it is in it; `cx`
    /// has the one before.
    pub(super) fn part_with_settings(
        &mut self,
        next: Option<(AccountId, &AccountSettings, Access)>,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) {
        let Self { sign_in, commands, .. } = self;
        commands.give_up_all("the configuration was read again meanwhile; send it again", outbox, cx);
        let Some((of, settings, access)) = next else { return sign_in.goes(outbox, cx) };
        if access != Access::Same {
            sign_in.begin_anew(outbox, cx);
        }
        if access == Access::New {
            sign_in.forget_account(cx);
        }
        sign_in.configured(of, settings, outbox, cx);
        commands.configured(of, access == Access::New);
    }
}
