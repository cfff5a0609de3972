//! What a step of the set-up shows: plain values for the page. No secret is among them.

use super::app;
use super::draft::{NO_APP, NO_BROKER};
use super::events::{Answer, Step};
use super::lights::found::FoundLight;
use super::steps::Setup;
use super::words::in_a_set_up;
use crate::config::Cloud;
use crate::core::model::foreign::Legible;
use crate::core::model::sign_in::{AccountChange, ShownInvitation};

/// What a step shows.
#[derive(Debug, Clone)]
pub(crate) struct View {
    pub(crate) step: Step,
    /// What is under way; then nothing is asked.
    pub(crate) work: Option<&'static str>,
    /// What was wrong with the last answer.
    pub(crate) wrong: Option<String>,
    /// Nothing could be made of the answer: it is shown again, as typed.
    pub(crate) is_refused: bool,
    /// The broker lets only those in whom it knows.
    pub(crate) wants_a_name: bool,
    /// As typed, or empty.
    pub(crate) email: String,
    /// The tenant's id and its cloud.
    pub(crate) tenant: String,
    /// Where an app is made, and by which form.
    pub(crate) portal: &'static str,
    pub(crate) form: String,
    /// There is a shell for the line that makes one.
    pub(crate) has_shell: bool,
    /// The environment says the app's id.
    pub(crate) is_app_given: bool,
    /// As typed, or empty.
    pub(crate) client_id: String,
    /// As typed, or where one was found; nothing where the environment says it.
    pub(crate) broker: Option<String>,
    /// At the broker, as typed, or empty; nothing where the environment says it.
    pub(crate) username: Option<String>,
    /// The environment does not say the password.
    pub(crate) asks_password: bool,
    pub(crate) invitation: Option<ShownInvitation>,
    /// Who is signed in, and the words of their presence or why there are none.
    pub(crate) signed_in: Option<String>,
    /// That is not the account that was entered.
    pub(crate) is_unexpected: bool,
    /// Somebody else is to sign in, and who did.
    pub(crate) another: bool,
    pub(crate) change: Option<AccountChange>,
    pub(crate) presence: Option<String>,
    pub(crate) lights: Vec<Found>,
    /// The place of the one that was chosen, or of the only one.
    pub(crate) light: Option<String>,
    pub(crate) shown: Option<String>,
    /// Where the configuration will be, and what would be replaced.
    pub(crate) file: String,
    pub(crate) replaced: Vec<String>,
}

/// A light to choose.
#[derive(Debug, Clone)]
pub(crate) struct Found {
    /// What is sent back.
    pub(crate) place: String,
    /// Whoever writes to the broker chose the words.
    pub(crate) label: Legible,
    pub(crate) preset: &'static str,
}

impl Setup {
    /// What this step shows.
    pub(crate) fn view(&self) -> View {
        let draft = &self.draft;
        let found = self.found.iter().map(|light| Found {
            place: light.place(),
            label: Legible::quoted(&light.label),
            preset: light.preset,
        });
        let typed =
            |text: &str, placeholder| if text == placeholder { String::new() } else { text.to_owned() };
        let mut email = match &draft.email[..] {
            "" if !draft.domain.is_empty() => format!("{}@{}", draft.client_id, draft.domain),
            email => email.to_owned(),
        };
        let mut client_id = typed(&draft.client_id, NO_APP);
        let mut broker = typed(&draft.broker, NO_BROKER);
        let mut username = draft.username.clone().unwrap_or_default();
        if let Some(Answer::Address(text)) = &self.refused {
            email.clone_from(text);
        } else if let Some(Answer::App(text)) = &self.refused {
            client_id.clone_from(text);
        } else if let Some(Answer::Broker { url, username: name, .. }) = &self.refused {
            // A password may stand before the @, and every visitor sees the page.
            broker = if url.contains('@') { String::new() } else { url.clone() };
            username.clone_from(name);
        }
        let chosen = draft.light.as_ref().or(match &self.found[..] {
            [only] => Some(only),
            _ => None,
        });
        View {
            step: self.step,
            work: self.work,
            wrong: self.wrong.as_deref().map(in_a_set_up),
            is_refused: self.refused.is_some(),
            wants_a_name: self.wants_a_name,
            email,
            tenant: format!("{} in the {} cloud", draft.tenant, draft.cloud.as_str()),
            portal: app::portal(draft.cloud),
            form: app::form(draft.cloud),
            has_shell: draft.cloud == Cloud::Global,
            is_app_given: draft.given.client_id,
            client_id,
            broker: (!draft.given.url).then_some(broker),
            username: (!draft.given.username).then_some(username),
            asks_password: !draft.given.password,
            invitation: self.invitation.clone(),
            signed_in: self.signed_in.clone(),
            is_unexpected: self.signed_in.as_ref().is_some_and(|who| !draft.expects(who)),
            another: self.another,
            change: self.change.clone(),
            presence: self.presence.as_deref().map(in_a_set_up),
            lights: found.collect(),
            light: chosen.map(FoundLight::place),
            shown: self.shown.clone(),
            file: self.existing.file.clone(),
            replaced: self.replaced(),
        }
    }
}
