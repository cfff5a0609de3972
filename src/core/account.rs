//! One account: what is asked by it, who is signed in to it, and what is commanded about its people.

use super::broker::outbox::Outbox;
use super::commands::CommandQueue;
use super::context::Context;
use super::model::account::{AccountId, addressed};
use super::model::effect::GraphOrder;
use super::model::event::Access;
use super::model::health::GraphState;
use super::model::report::Report;
use super::model::settings::{AccountSettings, Settings};
use super::model::sign_in::{SignInBy, SignInEvent};
use super::model::time::{Now, Tick};
use super::people::Roster;
use super::requests::Requests;
use super::sign_in::SignIn;

/// All that is about one account.
#[derive(Debug)]
pub(super) struct Account {
    pub requests: Requests,
    pub sign_in: SignIn,
    pub commands: CommandQueue,
}

/// Who is signed in was told again.
#[derive(Debug, Clone, Copy)]
pub(super) struct ToldWho {
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

    pub(super) fn id(&self) -> AccountId {
        self.requests.account()
    }

    /// How a person has to sign in, if one has to.
    pub(super) fn needs_sign_in(&self, settings: &Settings) -> Option<SignInBy> {
        let required = self.requests.state() == GraphState::SignInRequired;
        settings.account(self.id()).sign_in.invites.filter(|_| required)
    }

    /// What is wrong, and what to do.
    pub(super) fn detail(&self, settings: &Settings) -> Option<String> {
        let is_needed = self.needs_sign_in(settings).is_some();
        let detail = self.sign_in.trouble().filter(|_| is_needed).or(self.requests.detail())?;
        let name = settings.account(self.id()).name.as_ref();
        Some(name.map_or_else(|| detail.to_owned(), |name| addressed(name, detail)))
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
    pub(super) fn sign_in_happened(
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
