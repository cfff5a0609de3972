//! The set-up on the page, at a first start: what a step shows, and what its forms say. Each is a page of its own that works without
//! a script; what is known and decided is the set-up's (`src/setup/steps.rs`), which the loop asks for them.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, context};
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::form::Form;
use super::question::PATIENCE;
use super::words::qr_code;
use crate::core::model::foreign::Legible;
use crate::core::model::sign_in::{LandingAddress, ShownInvitation, SignInBy};
use crate::setup::steps::{Answer, Step};
use crate::setup::view::{Found, View};

const TEMPLATE: &str = include_str!("first_start.html");
const STYLE: &str = include_str!("first_start.css");

/// Visits that wait for the set-up. When it is full, whoever comes is told that the bridge is busy; nobody waits.
const WAITING: usize = 16;

/// Seconds until a page that shows something under way asks again, and one that waits for a person.
const SOON: u8 = 1;
const WHILE_SIGNING_IN: u8 = 4;

/// Somebody looks at the set-up, perhaps with an answer.
#[derive(Debug)]
pub(crate) struct Visit {
    answer: Option<(Step, Answer)>,
    view: oneshot::Sender<View>,
}

/// The way to the set-up.
#[derive(Debug, Clone)]
pub(crate) struct Guide(mpsc::Sender<Visit>);

/// The way to a set-up, and where visits come out.
pub(crate) fn visits() -> (Guide, mpsc::Receiver<Visit>) {
    let (guide, visits) = mpsc::channel(WAITING);
    (Guide(guide), visits)
}

impl Guide {
    /// Hands in an answer, if there is one; returns what the set-up shows now. Nothing from one that is busy or over.
    pub(super) async fn visit(&self, answer: Option<(Step, Answer)>) -> Option<View> {
        let (view, shown) = oneshot::channel();
        self.0.try_send(Visit { answer, view }).ok()?;
        timeout(PATIENCE, shown).await.ok()?.ok()
    }
}

impl Visit {
    /// The answer that somebody brought, once.
    pub(crate) fn answer(&mut self) -> Option<(Step, Answer)> {
        self.answer.take()
    }

    /// Shows what the set-up is at now.
    pub(crate) fn show(self, view: View) {
        // If they went away they do not need it.
        let _gone = self.view.send(view);
    }
}

/// What the browser may do with the page: use the style that is in it, and send its forms here.
pub(super) fn policy() -> HeaderValue {
    let style = STANDARD.encode(digest(&SHA256, STYLE.as_bytes()));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{style}'; img-src data:; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'self'"
    );
    let strict = HeaderValue::from_static("default-src 'none'");
    HeaderValue::from_str(&policy).unwrap_or(strict)
}

/// The page of a step; `paste` asks for the address that a browser ended on.
pub(super) fn render(view: &View, token: &str, paste: bool) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    let is_waiting = view.step == Step::SignIn && view.invitation.is_some() && !paste;
    let refresh = match (view.work.is_some() || view.step == Step::Done, is_waiting) {
        (true, _) => Some(SOON),
        (false, true) => Some(WHILE_SIGNING_IN),
        (false, false) => None,
    };
    let (step, number) = name(view.step);
    environment.render_str(
        TEMPLATE,
        context! {
            style => STYLE,
            token,
            step,
            number,
            refresh,
            paste,
            work => view.work,
            wrong => view.wrong.as_deref(),
            email => view.email.as_str(),
            tenant => view.tenant.as_str(),
            app_steps => view.app_steps.as_str(),
            client_id => view.client_id.as_str(),
            broker => view.broker.as_deref(),
            username => view.username.as_str(),
            invitation => view.invitation.as_ref().map(of_invitation),
            signed_in => view.signed_in.as_deref(),
            presence => view.presence.as_deref(),
            lights => view.lights.iter().map(of_light).collect::<Vec<_>>(),
            light => view.light.as_deref(),
            shown => view.shown.as_deref(),
            file => view.file.as_str(),
            replaced => view.replaced.clone(),
        },
    )
}

fn of_invitation(shown: &ShownInvitation) -> Value {
    let uri = shown.verification_uri.as_str();
    let qr_code = shown.user_code.as_ref().and_then(|_| qr_code(uri));
    context! {
        uri,
        code => shown.user_code.as_deref(),
        side => qr_code.as_ref().map(|(_, side)| *side),
        path => qr_code.map(|(path, _)| path),
    }
}

fn of_light(found: &Found) -> Value {
    let Found { place, label, preset } = found;
    context! { place, label => label.as_str(), preset => *preset, place_shown => Legible::quoted(place).as_str() }
}

/// How a step is called in forms, and which of all it is.
fn name(step: Step) -> (&'static str, Option<u8>) {
    match step {
        Step::Address => ("address", Some(1)),
        Step::App => ("app", Some(2)),
        Step::Broker => ("broker", Some(3)),
        Step::SignIn => ("sign-in", Some(4)),
        Step::Light => ("light", Some(5)),
        Step::Write => ("write", Some(6)),
        Step::Done => ("done", None),
    }
}

/// What a form says, and of which step it is.
pub(super) fn answer(form: &Form) -> Option<(Step, Answer)> {
    const STEPS: [Step; 6] = [Step::Address, Step::App, Step::Broker, Step::SignIn, Step::Light, Step::Write];
    let step = STEPS.into_iter().find(|step| form.value("step") == Some(name(*step).0))?;
    let field = |name| form.value(name).unwrap_or_default().to_owned();
    let answer = match (form.value("act")?, step) {
        ("back", _) => Answer::Back,
        ("go", Step::Address) => Answer::Address(field("email")),
        ("go", Step::App) => Answer::App(field("client_id")),
        ("go", Step::Broker) => Answer::Broker {
            url: field("broker"),
            username: field("username"),
            password: field("password").into(),
        },
        ("code", Step::SignIn) => Answer::SignIn(SignInBy::DeviceCode),
        ("browser", Step::SignIn) => Answer::SignIn(SignInBy::Browser),
        ("landed", Step::SignIn) => Answer::Landed(LandingAddress::pasted(form.value("landed")?)?),
        ("forget", Step::SignIn) => Answer::Forget,
        ("light", Step::Light) => Answer::Light(field("light")),
        ("no-light", Step::Light) => Answer::NoLight,
        ("look", Step::Light) => Answer::Look,
        ("go", Step::SignIn | Step::Light) => Answer::Continue,
        ("write", Step::Write) => Answer::Write { replace: form.value("replace") == Some("yes") },
        _ => return None,
    };
    Some((step, answer))
}
