//! Signing in: an invitation when it is needed, what it shows, whose sign-in it is, and when a certificate
//! ends.
//!
//! `invitation` says how and when to begin one and how long to show it.

mod invitation;

use jiff::Timestamp;

use self::invitation::{Codes, Invitation};
use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::account::AccountId;
use crate::core::model::act::{ActId, Acted};
use crate::core::model::certificate;
use crate::core::model::effect::{Effect, Message};
use crate::core::model::foreign::Legible;
use crate::core::model::mqtt::Qos;
use crate::core::model::name::ObjectId;
use crate::core::model::payload::json;
use crate::core::model::report::Report;
use crate::core::model::settings::AccountSettings;
use crate::core::model::sign_in::{
    AccountChange, InvitationEnd, InvitationId, LandingAddress, ShownInvitation, SignInBy, SignInOrder,
    SignedIn,
};
use crate::core::model::snapshot::{AccountSnapshot, GraphSnapshot};
use crate::core::model::time::Tick;
use crate::core::model::topic::BridgeField;

/// What is said to whoever waits when nothing will come of it.
const RELOADED: &str = "the configuration was read again meanwhile; start again";

/// What is said to an address or a word that nothing waits for.
const NOT_AWAITED: &str = "this sign-in has ended; start again";

const SIGNED_OUT: &str =
    "The sign-in is deleted here. To end it everywhere, revoke it at https://myaccount.microsoft.com.";

/// What is known of the sign-in of one account.
#[derive(Debug)]
pub(super) struct SignIn {
    of: AccountId,
    invitation: Invitation,
    /// Who is signed in, by name.
    account: Option<Legible>,
    /// Who was signed in last, also while nobody is.
    last: Option<ObjectId>,
    /// When the app's certificate ends, if it signs in with one.
    certificate_ends: Option<Timestamp>,
    /// Why new tokens cannot be stored, and where.
    not_stored: Option<Legible>,
    /// Who waits at the status page for what happens next.
    visitor: Option<ActId>,
    random: fastrand::Rng,
}

impl SignIn {
    /// Nothing yet. `seed` is all the randomness it gets.
    pub(super) fn new(of: AccountId, settings: &AccountSettings, seed: u64, now: Tick) -> Self {
        Self {
            of,
            invitation: Invitation::new(Codes::default(), now),
            account: None,
            last: None,
            certificate_ends: settings.sign_in.certificate_ends,
            not_stored: None,
            visitor: None,
            random: fastrand::Rng::with_seed(seed),
        }
    }

    /// The configuration was read again, and gives the account this place; `cx` has the one before.
    pub(super) fn configured(
        &mut self,
        of: AccountId,
        settings: &AccountSettings,
        outbox: &mut Outbox,
        cx: &Context,
    ) {
        if !settings.sign_in.announce {
            self.take_back(outbox, cx);
        }
        self.of = of;
        self.certificate_ends = settings.sign_in.certificate_ends;
    }

    /// Others look after signing in now, who know nothing of an invitation. A reload is no reason for another
    /// code.
    pub(super) fn begin_anew(&mut self, outbox: &mut Outbox, cx: &mut Context) {
        self.answer(Err(RELOADED.into()), cx);
        if self.shown().is_some() {
            self.take_back(outbox, cx);
        }
        self.invitation.begin_anew(self.invitation.codes(), cx.now);
        self.not_stored = None;
    }

    /// Another tenant or another app: who is signed in there, and what becomes of codes, is not known.
    pub(super) fn forget_account(&mut self, cx: &Context) {
        (self.account, self.last) = (None, None);
        self.invitation.begin_anew(Codes::default(), cx.now);
    }

    /// Begins an invitation, or takes it back, given how a person has to sign in, if one has to.
    pub(super) fn invite(&mut self, needed: Option<SignInBy>, outbox: &mut Outbox, cx: &mut Context) {
        let Some(order) = self.invitation.order(needed, cx.now) else { return };
        if order == SignInOrder::TakeBack {
            self.take_back(outbox, cx);
        }
        cx.push(Effect::SignIn(self.of, order));
    }

    /// There is an invitation to be shown.
    pub(super) fn show(
        &mut self,
        id: InvitationId,
        shown: ShownInvitation,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) {
        if !self.invitation.is(id) {
            return;
        }
        self.invitation.show(shown, cx.now);
        if self.invitation.is_asked_for() {
            return self.answer(Ok("Sign in as shown below."), cx);
        }
        if let Some(shown) = self.shown() {
            let report = match &shown.user_code {
                Some(code) => Report::SignInWith(shown.verification_uri.clone(), code.clone()),
                None => Report::SignInByBrowser,
            };
            cx.report_of(self.of, report);
            self.publish_shown(outbox, cx);
        }
    }

    /// A person asks for an invitation for whoever comes, in place of any other.
    pub(super) fn ask(
        &mut self,
        (by, back_to): (SignInBy, Option<u16>),
        visitor: ActId,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) {
        if self.announced().is_some() {
            self.take_back(outbox, cx);
        }
        let order = self.invitation.ask(by, back_to);
        self.waits(visitor, cx);
        cx.push(Effect::SignIn(self.of, order));
    }

    /// Whether this address ends the invitation that is shown.
    pub(super) fn ends_on(&self, address: &LandingAddress) -> bool {
        self.shown().is_some_and(|shown| shown.ends_on(address))
    }

    /// A person handed in the address that their browser ended on.
    pub(super) fn landed(&mut self, address: LandingAddress, visitor: ActId, cx: &mut Context) {
        self.waits(visitor, cx);
        match self.invitation.landed(address) {
            Some(order) => cx.push(Effect::SignIn(self.of, order)),
            None => self.answer(Err(NOT_AWAITED.into()), cx),
        }
    }

    /// That address does not end the invitation.
    pub(super) fn not_taken(&mut self, id: InvitationId, why: Legible, cx: &mut Context) {
        if !self.invitation.is(id) {
            return;
        }
        self.invitation.not_taken(&why);
        if self.announced().is_some() {
            cx.report_of(self.of, Report::NotSignedIn(why.clone()));
        }
        self.answer(Err(why), cx);
    }

    /// Another account signed in than the one that is followed.
    pub(super) fn another(&mut self, id: InvitationId, change: AccountChange, cx: &mut Context) {
        if self.invitation.is(id) {
            self.invitation.another(change);
            self.answer(Ok("Another account signed in: choose below which one to follow."), cx);
        }
    }

    /// A person says whether the account that signed in takes the place of another.
    pub(super) fn decide(&mut self, is_meant: bool, visitor: ActId, cx: &mut Context) {
        self.waits(visitor, cx);
        if self.invitation.change().is_some() {
            cx.push(Effect::SignIn(self.of, SignInOrder::Change(is_meant)));
        } else {
            self.answer(Err(NOT_AWAITED.into()), cx);
        }
    }

    /// A person wants the sign-in to be forgotten.
    pub(super) fn sign_out(&mut self, visitor: ActId, outbox: &mut Outbox, cx: &mut Context) {
        if self.announced().is_some() {
            self.take_back(outbox, cx);
        }
        self.invitation.give_up(cx.now);
        self.waits(visitor, cx);
        cx.push(Effect::SignIn(self.of, SignInOrder::SignOut));
    }

    /// It was forgotten, or why not.
    pub(super) fn signed_out(&mut self, outcome: Result<(), Legible>, cx: &mut Context) {
        self.answer(outcome.map(|()| SIGNED_OUT), cx);
    }

    /// From now on this visitor is answered.
    fn waits(&mut self, visitor: ActId, cx: &mut Context) {
        self.answer(Err("this sign-in was changed in another window meanwhile".into()), cx);
        self.visitor = Some(visitor);
    }

    /// Tells whoever waits.
    fn answer(&mut self, acted: Acted, cx: &mut Context) {
        cx.answer(self.visitor.take(), acted);
    }

    /// Whether the disk takes new tokens, or why not.
    pub(super) fn not_stored(&mut self, why: Option<Legible>) {
        self.not_stored = why;
    }

    /// The invitation is over. Returns whether somebody signed in.
    pub(super) fn ended(
        &mut self,
        id: InvitationId,
        end: &InvitationEnd,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) -> bool {
        let is_sign_in = *end == InvitationEnd::SignedIn;
        if !self.invitation.is(id) {
            return is_sign_in;
        }
        if self.announced().is_some() {
            self.take_back(outbox, cx);
        }
        let told = self.invitation.ended(end, cx.now, &mut self.random).cloned();
        let acted = match (end, self.invitation.trouble()) {
            (InvitationEnd::NotChanged, _) => Ok("Nothing was changed."),
            (_, Some(trouble)) => Err(trouble.clone()),
            (_, None) => Ok("Signed in."),
        };
        self.answer(acted, cx);
        cx.report_of(self.of, told.map(Report::NotSignedIn));
        is_sign_in
    }

    /// The app's certificate was replaced.
    pub(super) fn certificate_ends(&mut self, ends: Option<Timestamp>) {
        self.certificate_ends = ends;
    }

    /// Takes who is signed in. Returns whether their name is news, and whether it is somebody else than
    /// whoever was signed in last: names change, object ids do not.
    pub(super) fn signed_in(&mut self, account: Option<SignedIn>) -> (bool, bool) {
        let id = account.as_ref().map(|account| account.object_id);
        let name = account.map(|account| account.username);
        let is_another = id.is_some() && self.last.is_some() && id != self.last;
        self.last = id.or(self.last);
        (std::mem::replace(&mut self.account, name.clone()) != name, is_another)
    }

    /// When the next order is due.
    pub(super) fn wake_at(&self, needed: Option<SignInBy>) -> Option<Tick> {
        self.invitation.wake_at(needed)
    }

    /// Queues the invitation that is shown.
    pub(super) fn publish_shown(&self, outbox: &mut Outbox, cx: &Context) {
        if cx.settings.account(self.of).sign_in.announce {
            // Without an invitation it is emptied: one that was taken back while the broker was away is still
            // there.
            let shown = self.announced().map(json).unwrap_or_default();
            outbox.own(self.topic(cx), shown);
        }
    }

    /// What empties the topic of the invitation that is announced, if one is.
    pub(super) fn goodbye(&self, cx: &Context) -> Option<Message> {
        let is_announced = cx.settings.account(self.of).sign_in.announce && self.announced().is_some();
        is_announced.then(|| Message::retained(self.topic(cx), String::new(), Qos::AtLeastOnce))
    }

    /// What people should see now.
    pub(super) fn shown(&self) -> Option<&ShownInvitation> {
        self.invitation.shown()
    }

    /// The same, unless it is only for the person who asked for it.
    fn announced(&self) -> Option<&ShownInvitation> {
        self.shown().filter(|_| !self.invitation.is_asked_for())
    }

    /// How the account is shown whose sign-in this is, and which does so with Graph.
    pub(super) fn snapshot(&self, graph: GraphSnapshot, cx: &Context) -> AccountSnapshot {
        let settings = cx.settings.account(self.of);
        AccountSnapshot {
            name: settings.name.clone(),
            cloud: settings.app.cloud,
            auth_method: settings.auth_method,
            signed_in: self.account().map(str::to_owned),
            graph,
            sign_in: self.shown().cloned(),
            sign_in_is_asked_for: self.invitation.is_asked_for(),
            is_persons: settings.sign_in.invites.is_some(),
            change: self.invitation.change().cloned(),
            certificate_ends: self.certificate_ends,
        }
    }

    /// Who is signed in, by name.
    pub(super) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// What went wrong with the last invitation.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.invitation.trouble().map(Legible::as_str)
    }

    /// What is to be done about the certificate and about the disk, on `<bridge>/health`.
    pub(super) fn notices(&self, wall: Timestamp) -> impl Iterator<Item = String> {
        let certificate = self.certificate_ends.and_then(|ends| certificate::notice(ends, wall));
        let not_stored = self.not_stored.as_ref().map(|why| {
            format!(
                "a renewed sign-in cannot be stored and is lost when the bridge stops: {why}; free space there, or make it writable"
            )
        });
        certificate.into_iter().chain(not_stored)
    }

    /// The topic of the invitation, emptied for good: the account goes.
    pub(super) fn goes(&mut self, outbox: &mut Outbox, cx: &mut Context) {
        self.answer(Err(RELOADED.into()), cx);
        self.take_back(outbox, cx);
    }

    fn topic(&self, cx: &Context) -> String {
        cx.topics.of_account(cx.settings.account(self.of).name.as_ref(), BridgeField::SignIn)
    }

    /// Empties the topic of the invitation.
    fn take_back(&self, outbox: &mut Outbox, cx: &Context) {
        if cx.settings.account(self.of).sign_in.announce {
            outbox.remove(self.topic(cx));
        }
    }
}
