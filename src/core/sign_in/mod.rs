//! Signing in: an invitation when it is needed, its code, whose sign-in it is, and when a certificate ends.
//!
//! `invitation` says when to start a device code and how long to show it; [`certificate`] words a warning, and
//! [`token_life`] says when a token is renewed.

pub mod certificate;
mod invitation;
pub mod token_life;

use jiff::Timestamp;

use self::invitation::Invitation;
use super::broker::outbox::Outbox;
use super::context::Context;
use super::model::effect::Effect;
use super::model::foreign::Legible;
use super::model::payload::json;
use super::model::report::Report;
use super::model::settings::Settings;
use super::model::sign_in::{DeviceCode, InvitationEnd, SignInOrder};
use super::model::time::Tick;
use super::model::topic::BridgeField;

/// What is known of the sign-in.
#[derive(Debug)]
pub(super) struct SignIn {
    invitation: Invitation,
    /// Who is signed in, by name.
    account: Option<Legible>,
    /// When the app's certificate ends, if it signs in with one.
    certificate_ends: Option<Timestamp>,
}

impl SignIn {
    pub(super) fn new(settings: &Settings, now: Tick) -> Self {
        Self {
            invitation: Invitation::new(now),
            account: None,
            certificate_ends: settings.sign_in.certificate_ends,
        }
    }

    /// The configuration was read again.
    pub(super) fn configured(&mut self, settings: &Settings) {
        self.certificate_ends = settings.sign_in.certificate_ends;
    }

    /// Others look after signing in now, who know nothing of an invitation.
    pub(super) fn begin_anew(&mut self, outbox: &mut Outbox, cx: &Context) {
        if self.invitation.code().is_some() {
            take_code_back(outbox, cx);
        }
        self.invitation = Invitation::new(cx.now);
    }

    /// It is not known any more who is signed in.
    pub(super) fn forget_account(&mut self) {
        self.account = None;
    }

    /// Begins an invitation, or takes it back.
    pub(super) fn invite(&mut self, needed: bool, outbox: &mut Outbox, cx: &mut Context) {
        let Some(order) = self.invitation.order(needed, cx.now) else { return };
        cx.push(Effect::SignIn(order));
        if order == SignInOrder::TakeBack {
            take_code_back(outbox, cx);
        }
    }

    /// There is a code to be shown.
    pub(super) fn shown(&mut self, code: DeviceCode, outbox: &mut Outbox, cx: &mut Context) {
        self.invitation.shown(code);
        if let Some(code) = self.invitation.code() {
            cx.report(Report::SignInWith(code.verification_uri.clone(), code.user_code.clone()));
            self.publish_code(outbox, cx);
        }
    }

    /// The invitation is over. Returns whether somebody signed in.
    pub(super) fn ended(&mut self, end: &InvitationEnd, outbox: &mut Outbox, cx: &mut Context) -> bool {
        self.invitation.ended(end, cx.now, &mut cx.random);
        take_code_back(outbox, cx);
        match end {
            InvitationEnd::SignedIn => return true,
            InvitationEnd::Expired => {}
            InvitationEnd::Declined | InvitationEnd::AnotherAccount(_) | InvitationEnd::Failed(_) => {
                let why = self.invitation.trouble().unwrap_or_default().to_owned();
                cx.report(Report::NotSignedIn(why.into()));
            }
        }
        false
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
    pub(super) fn wake_at(&self, needed: bool) -> Option<Tick> {
        self.invitation.wake_at(needed)
    }

    /// Queues the code that is shown.
    pub(super) fn publish_code(&self, outbox: &mut Outbox, cx: &Context) {
        if cx.settings.sign_in.announce {
            // Without a code it is emptied: one that was taken back while the broker was away is still there.
            let shown = self.code().map(json).unwrap_or_default();
            outbox.own(cx.topics.of_bridge(BridgeField::SignIn), shown);
        }
    }

    /// The code that people should see now.
    pub(super) fn code(&self) -> Option<&DeviceCode> {
        self.invitation.code()
    }

    /// Who is signed in, by name.
    pub(super) fn account(&self) -> Option<&str> {
        self.account.as_deref()
    }

    /// What went wrong with the last invitation.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.invitation.trouble()
    }

    /// When the app's certificate ends, if it signs in with one.
    pub(super) fn certificate_end(&self) -> Option<Timestamp> {
        self.certificate_ends
    }

    /// What is to be done about the certificate, on `<bridge>/health`.
    pub(super) fn notice(&self, wall: Timestamp) -> Option<String> {
        self.certificate_ends.and_then(|ends| certificate::notice(ends, wall))
    }
}

/// Empties the topic of the code.
fn take_code_back(outbox: &mut Outbox, cx: &Context) {
    if cx.settings.sign_in.announce {
        outbox.own(cx.topics.of_bridge(BridgeField::SignIn), String::new());
    }
}
