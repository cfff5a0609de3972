//! The set-up on the page, at a first start: what a step shows, and what its forms say. Each is a page of its
//! own that works without a script; what is known and decided is the set-up's (`src/setup/steps.rs`), which
//! the loop asks for them.

use hyper::HeaderMap;
use hyper::header::HeaderValue;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, context};
use tokio::sync::mpsc::error::TrySendError;
use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use super::acts::{landing, loopback_port};
use super::form::Form;
use super::links::{documents, linked};
use super::page;
use super::question::PATIENCE;
use super::words::{change, invitation};
use crate::core::model::foreign::Legible;
use crate::core::model::sign_in::{LandingAddress, SignInBy};
use crate::setup::app::LINE;
use crate::setup::events::{Answer, Step};
use crate::setup::view::{Found, View};
use crate::setup::words::WHOSE;

const TEMPLATE: &str = include_str!("first_start.html");
const STYLE: &str = include_str!("first_start.css");

/// Visits that wait for the set-up. When it is full, whoever comes is told that the bridge is busy; nobody
/// waits.
const WAITING: usize = 16;

/// Seconds until a page that shows something under way asks again, and one that waits for a person.
const SOON: u8 = 1;
const WHILE_SIGNING_IN: u8 = 4;

/// Somebody looks at the set-up, perhaps with an answer.
#[derive(Debug)]
pub(crate) struct Visit {
    answer: Option<(Step, Answer)>,
    port: Option<u16>,
    view: oneshot::Sender<View>,
}

/// Why the set-up shows nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Away {
    Busy,
    /// It has ended, usually because everything is written: what it led to is about to begin.
    Over,
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
    /// Hands in an answer, if there is one; returns what the set-up shows now.
    pub(super) async fn visit(
        &self,
        answer: Option<(Step, Answer)>,
        headers: &HeaderMap,
    ) -> Result<View, Away> {
        let ((view, shown), port) = (oneshot::channel(), loopback_port(headers));
        self.0.try_send(Visit { answer, port, view }).map_err(|error| match error {
            TrySendError::Full(_) => Away::Busy,
            TrySendError::Closed(_) => Away::Over,
        })?;
        timeout(PATIENCE, shown).await.map_err(|_| Away::Busy)?.map_err(|_| Away::Over)
    }
}

impl Visit {
    /// The answer that somebody brought, once.
    pub(crate) fn answer(&mut self) -> Option<(Step, Answer)> {
        self.answer.take()
    }

    /// The port of the page on the visitor's own machine.
    pub(crate) fn port(&self) -> Option<u16> {
        self.port
    }

    /// Shows what the set-up is at now.
    pub(crate) fn show(self, view: View) {
        // If they went away they do not need it.
        let _gone = self.view.send(view);
    }
}

/// What the browser may do with the page: use the style that is in it, and send its forms here.
pub(super) fn policy() -> HeaderValue {
    page::policy(STYLE, None)
}

/// The page of a step; `paste` asks for the address that a browser ended on.
pub(super) fn render(view: &View, token: &str, paste: bool) -> Result<String, Error> {
    let mut environment = Environment::new();
    environment.set_undefined_behavior(UndefinedBehavior::Strict);
    environment.set_auto_escape_callback(|_| AutoEscape::Html);
    environment.add_filter("linked", |text: &str| linked(text, documents()));
    let is_open = view.invitation.is_some() || view.change.is_some();
    let is_waiting = view.step == Step::SignIn && is_open && !paste;
    let refresh = match (view.work.is_some() || view.step == Step::Done, is_waiting) {
        (true, _) => Some(SOON),
        (false, true) => Some(WHILE_SIGNING_IN),
        (false, false) => None,
    };
    let back = match (view.step, view.work) {
        (Step::Done, _) | (Step::Address, None) => None,
        (_, Some(_)) => Some("Stop"),
        (_, None) => Some("Back"),
    };
    let (step, number, heading) = name(view.step);
    environment.render_str(
        TEMPLATE,
        context! {
            style => STYLE,
            token,
            step,
            number,
            heading,
            refresh,
            paste,
            back,
            work => view.work,
            wrong => view.wrong.as_deref(),
            field => view.wrong.as_ref().and_then(|_| field(view, paste)),
            whose => WHOSE,
            email => view.email.as_str(),
            tenant => view.tenant.as_str(),
            form => view.form.as_str(),
            portal => view.portal,
            has_shell => view.has_shell,
            line => LINE,
            is_app_given => view.is_app_given,
            client_id => view.client_id.as_str(),
            broker => view.broker.as_deref(),
            username => view.username.as_deref(),
            asks_password => view.asks_password,
            invitation => view.invitation.as_ref().map(invitation),
            signed_in => view.signed_in.as_deref(),
            is_unexpected => view.is_unexpected,
            another => view.another,
            change => view.change.as_ref().map(change),
            presence => view.presence.as_deref(),
            lights => view.lights.iter().map(of_light).collect::<Vec<_>>(),
            light => view.light.as_deref(),
            shown => view.shown.as_deref(),
            file => view.file.as_str(),
            replaced => view.replaced.clone(),
        },
    )
}

/// The field that what is wrong is about, if the page has it.
fn field(view: &View, paste: bool) -> Option<&'static str> {
    let (field, is_there) = match view.step {
        Step::Address => ("email", !view.email.is_empty()),
        Step::App => ("client_id", true),
        Step::Broker if view.wants_a_name && view.username.is_none() => ("password", view.asks_password),
        Step::Broker if view.wants_a_name => ("username", true),
        Step::Broker => ("broker", view.broker.is_some()),
        Step::SignIn => ("landed", paste && view.is_refused),
        Step::Write | Step::Done => ("", false),
    };
    is_there.then_some(field)
}

fn of_light(found: &Found) -> Value {
    let Found { place, label, preset } = found;
    context! { place, label => label.as_str(), preset => *preset, place_shown => Legible::quoted(place).as_str() }
}

/// How a step is called in forms, which of all it is, and how for people.
fn name(step: Step) -> (&'static str, Option<u8>, &'static str) {
    match step {
        Step::Address => ("address", Some(1), "Whose presence?"),
        Step::App => ("app", Some(2), "The app registration"),
        Step::Broker => ("broker", Some(3), "The MQTT broker"),
        Step::SignIn => ("sign-in", Some(4), "Sign in"),
        Step::Write => ("write", Some(5), "A light, and start"),
        Step::Done => ("done", None, "The bridge starts…"),
    }
}

/// What a browser brings that comes back from the sign-in shown; nothing if this is any other visit. A
/// website's picture can have such an address, and so can an old tab.
pub(super) fn landed(query: Option<&str>, view: &View) -> Option<(Step, Answer)> {
    let address = landing(query)?;
    let is_awaited = view.invitation.as_ref().is_some_and(|shown| shown.ends_on(&address));
    is_awaited.then_some((Step::SignIn, Answer::Landed(address)))
}

/// What a form says, and of which step it is.
pub(super) fn answer(form: &Form) -> Option<(Step, Answer)> {
    const STEPS: [Step; 5] = [Step::Address, Step::App, Step::Broker, Step::SignIn, Step::Write];
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
        ("landed", Step::SignIn) => Answer::Landed(LandingAddress::pasted(form.value("landed")?)),
        ("another", Step::SignIn) => Answer::Another,
        ("app", Step::SignIn) => Answer::AnotherApp,
        ("change", Step::SignIn) => Answer::Change(true),
        ("keep", Step::SignIn) => Answer::Change(false),
        ("go", Step::SignIn) => Answer::Continue,
        ("look", Step::Write) => Answer::Look,
        ("blink", Step::Write) => Answer::Blink(field("light")),
        ("write", Step::Write) => {
            Answer::Write { light: field("light"), replace: form.value("replace") == Some("yes") }
        }
        _ => return None,
    };
    Some((step, answer))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::Cloud;
    use crate::core::model::sign_in::{AccountChange, ShownInvitation};
    use crate::setup::app::steps;

    fn view(step: Step) -> View {
        View {
            step,
            work: None,
            wrong: None,
            is_refused: false,
            wants_a_name: false,
            email: "alice@contoso.example".to_owned(),
            tenant: String::new(),
            portal: "https://entra.microsoft.com",
            form: "https://entra.example/#new".to_owned(),
            has_shell: true,
            is_app_given: false,
            client_id: String::new(),
            broker: Some("mqtt://x\"y".to_owned()),
            username: Some(String::new()),
            asks_password: true,
            invitation: None,
            signed_in: None,
            is_unexpected: false,
            another: false,
            change: None,
            presence: None,
            lights: vec![Found {
                place: "wled/<a>".to_owned(),
                label: "\u{202e}desk".into(),
                preset: "wled",
            }],
            light: None,
            shown: None,
            file: "x.toml".to_owned(),
            replaced: vec!["x.toml, which has [mqtt]".to_owned()],
        }
    }

    fn invited(code: Option<&str>) -> Option<ShownInvitation> {
        Some(ShownInvitation {
            verification_uri: "https://microsoft.com/devicelogin".parse().unwrap(),
            user_code: code.map(Into::into),
            expires_at: "2026-11-28T03:27:43Z".parse().unwrap(),
        })
    }

    #[test]
    fn every_step_has_a_page_with_the_token_in_each_form() {
        let sign_in = || view(Step::SignIn);
        let chosen = |light: &str| View { light: Some(light.to_owned()), ..view(Step::Write) };
        let who = || Some("alice".to_owned());
        let changed = || Some(AccountChange { before: "alice".into(), now: "<bob>".into() });
        for (view, paste, parts) in [
            (view(Step::Address), false, &["Step 1 of 5", "value=\"alice@contoso.example\""][..]),
            (
                View { wrong: who(), ..view(Step::Address) },
                false,
                &["aria-describedby=\"wrong\"", "id=\"wrong\" role=\"alert\">alice"],
            ),
            (
                View { wrong: who(), wants_a_name: true, ..view(Step::Broker) },
                false,
                &["value=\"\" autofocus aria-invalid=\"true\"", "id=\"wrong\""],
            ),
            (View { is_app_given: true, ..sign_in() }, false, &["PRESENCE2MQTT__GRAPH__CLIENT_ID"]),
            (
                view(Step::App),
                false,
                &[
                    "https:&#x2f;&#x2f;shell.azure.com&#x2f;bash</a>",
                    "href=\"https:&#x2f;&#x2f;entra.example&#x2f;#new\"",
                    "value=\"back\">Back",
                ],
            ),
            (view(Step::Broker), false, &["x&quot;y", "type=\"password\""]),
            (View { broker: None, ..view(Step::Broker) }, false, &["PRESENCE2MQTT__MQTT__URL"]),
            (View { username: None, ..view(Step::Broker) }, false, &["MQTT__USERNAME", "type=\"password\""]),
            (
                View { asks_password: false, ..view(Step::Broker) },
                false,
                &["MQTT__PASSWORD", "name=\"username\""],
            ),
            (View { work: Some("Connecting"), ..view(Step::Broker) }, false, &["content=\"1\"", ">Stop<"]),
            (sign_in(), false, &["value=\"code\"", "value=\"browser\""]),
            (View { signed_in: who(), ..sign_in() }, false, &["Use this sign-in", "value=\"another\""]),
            (
                View { signed_in: who(), another: true, ..sign_in() },
                false,
                &["value=\"code\"", "value=\"back\""],
            ),
            (
                View { change: changed(), ..sign_in() },
                false,
                &["Follow &lt;bob&gt; instead of alice", "Keep alice"],
            ),
            (View { signed_in: who(), presence: who(), ..sign_in() }, false, &["Go on</button>"]),
            (
                View { signed_in: who(), is_unexpected: true, presence: who(), ..sign_in() },
                false,
                &["You entered <b>alice@contoso.example</b>", "instead</button>"],
            ),
            (
                View { invitation: invited(Some("AB12")), ..sign_in() },
                false,
                &[">AB12<", "<svg", "content=\"4\"", "value=\"browser\""],
            ),
            (
                View { invitation: invited(None), ..sign_in() },
                false,
                &["./?paste", "content=\"4\"", "value=\"code\""],
            ),
            (
                View { invitation: invited(None), ..sign_in() },
                true,
                &["name=\"landed\"", "value=\"code\"", "choose <i>Another app</i>"],
            ),
            (
                View { invitation: invited(None), wrong: who(), is_refused: true, ..sign_in() },
                true,
                &["autofocus aria-invalid=\"true\""],
            ),
            (
                view(Step::Write),
                false,
                &["\u{fffd}desk", "wled&#x2f;&lt;a&gt;", "value=\"\" checked> No light"],
            ),
            (chosen("wled/<a>"), false, &["value=\"wled&#x2f;&lt;a&gt;\" checked>"]),
            (View { lights: Vec::new(), ..view(Step::Write) }, false, &["No light with colours"]),
            (view(Step::Write), false, &["name=\"replace\"", "[mqtt]"]),
            (
                View { signed_in: who(), presence: who(), ..view(Step::Write) },
                false,
                &["Signed in as <b>alice</b>"],
            ),
            (view(Step::Done), false, &["The bridge starts", "content=\"1\""]),
        ] {
            let page = render(&view, "t0ken", paste).unwrap();
            let is_sign_in = view.step == Step::SignIn
                && view.change.is_none()
                && (view.signed_in.is_none() || view.another);
            for part in parts {
                assert!(page.contains(part), "{part} in {page}");
            }
            let tokens = page.matches("<input type=\"hidden\" name=\"token\" value=\"t0ken\">").count();
            assert_eq!(tokens, page.matches("<form method=\"post\" action=\"./\">").count(), "{page}");
            assert!(!page.contains("<script") && !page.contains("undefined"), "{page}");
            assert_eq!(
                page.contains("name=\"act\" value=\"app\""),
                is_sign_in && !view.is_app_given,
                "{page}"
            );
            let complaints = page.matches("id=\"wrong\"").count();
            assert_eq!(complaints, usize::from(view.wrong.is_some()), "{page}");
            assert!(complaints == 0 || page.find("</h2>") < page.find("id=\"wrong\""), "{page}");
            assert!(!paste || !page.contains("http-equiv"), "what is typed would be lost: {page}");
        }
    }

    /// Without tags and the numbers of a list, as words.
    fn words(text: &str) -> String {
        let mut text = text.replace('\\', "");
        while let Some((start, end)) = text.find('<').zip(text.find('>')) {
            text.replace_range(start..=end, "");
        }
        for (entity, letter) in
            [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#x2f;", "/"), ("&amp;", "&")]
        {
            text = text.replace(entity, letter);
        }
        let is_number = |word: &&str| ["1.", "2.", "3."].contains(word);
        text.split_whitespace().filter(|word| !is_number(word)).collect::<Vec<_>>().join(" ")
    }

    /// Whoever changes one changes both.
    #[test]
    fn an_app_is_made_by_the_steps_of_the_terminal() {
        for (cloud, portal) in
            [(Cloud::Global, "https://entra.microsoft.com"), (Cloud::UsGovL5, "https://entra.microsoft.us")]
        {
            let view = View { portal, has_shell: cloud == Cloud::Global, ..view(Step::App) };
            let (page, steps) = (words(&render(&view, "t0ken", false).unwrap()), words(&steps(cloud)));
            assert!(page.contains(&steps), "{steps}\n is not in \n{page}");
        }
    }

    #[test]
    fn a_visit_is_an_answer_only_to_the_sign_in_that_is_shown() {
        let comes_back = Some("code=x&state=y");
        let mut view = View { invitation: invited(Some("AB12")), ..view(Step::SignIn) };
        assert!(landed(comes_back, &view).is_none());
        let link = "https://login.example/authorize?state=y".parse().unwrap();
        view.invitation = invited(None).map(|shown| ShownInvitation { verification_uri: link, ..shown });
        assert!(landed(comes_back, &view).is_some());
        assert!(landed(Some("code=x&state=z"), &view).is_none());
        view.invitation = None;
        assert!(landed(comes_back, &view).is_none());
    }

    #[test]
    fn a_form_is_of_one_step() {
        for (text, expected) in [
            ("step=address&act=go&email=a%40b.example", Some(Step::Address)),
            ("step=write&act=blink&light=wled%2fa", Some(Step::Write)),
            ("step=sign-in&act=browser", Some(Step::SignIn)),
            ("step=write&act=write&replace=yes", Some(Step::Write)),
            ("step=app&act=back", Some(Step::App)),
            ("step=address&act=write", None),
            ("step=done&act=back", None),
            ("step=sign-in&act=landed&landed=", Some(Step::SignIn)),
            ("step=sign-in&act=landed", None),
            ("act=go", None),
            ("step=app", None),
        ] {
            assert_eq!(answer(&Form::parse(text.as_bytes())).map(|(step, _)| step), expected, "{text}");
        }
        let broker = Form::parse(b"step=broker&act=go&broker=x&username=u&password=s3cret");
        let broker = answer(&broker);
        assert!(!format!("{broker:?}").contains("s3cret"), "{broker:?}");
    }
}
