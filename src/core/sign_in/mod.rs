//! Signing in: an invitation when it is needed, what it shows, whose sign-in it is, and when a certificate ends.
//!
//! `invitation` says how and when to begin one and how long to show it; [`certificate`] words a warning, and
//! [`token_life`] says when a token is renewed.

pub mod certificate;
mod invitation;
pub mod token_life;

use jiff::Timestamp;

use self::invitation::{Codes, Invitation};
use super::broker::outbox::Outbox;
use super::context::Context;
use super::model::account::AccountId;
use super::model::effect::Effect;
use super::model::foreign::Legible;
use super::model::payload::json;
use super::model::report::Report;
use super::model::settings::AccountSettings;
use super::model::sign_in::{InvitationEnd, LandingAddress, ShownInvitation, SignInBy, SignInOrder};
use super::model::time::Tick;
use super::model::topic::AccountField;

/// What is known of the sign-in of one account.
#[derive(Debug)]
pub(super) struct SignIn {
    of: AccountId,
    invitation: Invitation,
    /// Who is signed in, by name.
    account: Option<Legible>,
    /// When the app's certificate ends, if it signs in with one.
    certificate_ends: Option<Timestamp>,
    /// Why new tokens cannot be stored, and where.
    not_stored: Option<Legible>,
    random: fastrand::Rng,
}

impl SignIn {
    /// Nothing yet. `seed` is all the randomness it gets.
    pub(super) fn new(of: AccountId, settings: &AccountSettings, seed: u64, now: Tick) -> Self {
        Self {
            of,
            invitation: Invitation::new(Codes::default(), now),
            account: None,
            certificate_ends: settings.sign_in.certificate_ends,
            not_stored: None,
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

    /// Others look after signing in now, who know nothing of an invitation. A reload is no reason for another code.
    pub(super) fn begin_anew(&mut self, outbox: &mut Outbox, cx: &Context) {
        if self.shown().is_some() {
            self.take_back(outbox, cx);
        }
        self.invitation = Invitation::new(self.invitation.codes(), cx.now);
        self.not_stored = None;
    }

    /// Another tenant or another app: who is signed in there, and what becomes of codes, is not known.
    pub(super) fn forget_account(&mut self, cx: &Context) {
        self.account = None;
        self.invitation = Invitation::new(Codes::default(), cx.now);
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
    pub(super) fn show(&mut self, shown: ShownInvitation, outbox: &mut Outbox, cx: &mut Context) {
        self.invitation.show(shown, cx.now);
        if let Some(shown) = self.shown() {
            let report = match &shown.user_code {
                Some(code) => Report::SignInWith(shown.verification_uri.clone(), code.clone()),
                None => Report::SignInByBrowser,
            };
            cx.report_of(self.of, report);
            self.publish_shown(outbox, cx);
        }
    }

    /// A person handed in the address that their browser ended on.
    pub(super) fn landed(&mut self, address: LandingAddress, cx: &mut Context) {
        match self.invitation.landed(address) {
            Some(order) => cx.push(Effect::SignIn(self.of, order)),
            None => cx.report_of(self.of, Report::NotSignedIn("no sign-in waits for an address now".into())),
        }
    }

    /// That address does not end the invitation.
    pub(super) fn not_taken(&mut self, why: Legible, cx: &mut Context) {
        if self.invitation.not_taken(&why) {
            cx.report_of(self.of, Report::NotSignedIn(why));
        }
    }

    /// Whether the disk takes new tokens, or why not.
    pub(super) fn not_stored(&mut self, why: Option<Legible>) {
        self.not_stored = why;
    }

    /// The invitation is over. Returns whether somebody signed in.
    pub(super) fn ended(&mut self, end: &InvitationEnd, outbox: &mut Outbox, cx: &mut Context) -> bool {
        let told = self.invitation.ended(end, cx.now, &mut self.random).cloned();
        self.take_back(outbox, cx);
        cx.report_of(self.of, told.map(Report::NotSignedIn));
        *end == InvitationEnd::SignedIn
    }

    /// The app's certificate was replaced.
    pub(super) fn certificate_ends(&mut self, ends: Option<Timestamp>) {
        self.certificate_ends = ends;
    }

    /// Takes who is signed in, by name. Returns whether that is news, and whether it is somebody else than before.
    pub(super) fn signed_in(&mut self, account: Option<Legible>) -> (bool, bool) {
        let is_news = self.account != account;
        let is_another = is_news && self.account.is_some() && account.is_some();
        self.account = account;
        (is_news, is_another)
    }

    /// When the next order is due.
    pub(super) fn wake_at(&self, needed: Option<SignInBy>) -> Option<Tick> {
        self.invitation.wake_at(needed)
    }

    /// Queues the invitation that is shown.
    pub(super) fn publish_shown(&self, outbox: &mut Outbox, cx: &Context) {
        if cx.settings.account(self.of).sign_in.announce {
            // Without an invitation it is emptied: one that was taken back while the broker was away is still there.
            let shown = self.shown().map(json).unwrap_or_default();
            outbox.own(self.topic(cx), shown);
        }
    }

    /// The topic that holds the invitation which is shown, if one is.
    pub(super) fn shown_on(&self, cx: &Context) -> Option<String> {
        let is_announced = cx.settings.account(self.of).sign_in.announce && self.shown().is_some();
        is_announced.then(|| self.topic(cx))
    }

    /// What people should see now.
    pub(super) fn shown(&self) -> Option<&ShownInvitation> {
        self.invitation.shown()
    }

    /// Who is signed in, by name.
    pub(super) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// What went wrong with the last invitation.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.invitation.trouble().map(Legible::as_str)
    }

    /// When the app's certificate ends, if it signs in with one.
    pub(super) fn certificate_end(&self) -> Option<Timestamp> {
        self.certificate_ends
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
    pub(super) fn goes(&self, outbox: &mut Outbox, cx: &Context) {
        self.take_back(outbox, cx);
    }

    fn topic(&self, cx: &Context) -> String {
        cx.topics.of_account(cx.settings.account(self.of).name.as_ref(), AccountField::SignIn)
    }

    /// Empties the topic of the invitation.
    fn take_back(&self, outbox: &mut Outbox, cx: &Context) {
        if cx.settings.account(self.of).sign_in.announce {
            outbox.remove(self.topic(cx));
        }
    }
}
