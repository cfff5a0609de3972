//! The status page: one answer with everything in it.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use jiff::Timestamp;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, context};

use super::words::{Moment, plain, qr_code, spaced};
use crate::core::lights::snapshot::LightSnapshot;
use crate::core::model::health::Health;
use crate::core::model::presence_change::preferred_words;
use crate::core::model::report::words;
use crate::core::model::sign_in::{AccountChange, ShownInvitation, SignInBy};
use crate::core::model::snapshot::{AccountSnapshot, BrokerState, PersonSnapshot, Snapshot, StandbySnapshot};

const TEMPLATE: &str = include_str!("page.html");
/// What people can do, each a template of its own.
const TEMPLATES: [(&str, &str); 7] = [
    ("told.html", include_str!("page/told.html")),
    ("change.html", include_str!("page/change.html")),
    ("act_sign_in.html", include_str!("page/act_sign_in.html")),
    ("act_account.html", include_str!("page/act_account.html")),
    ("act_light.html", include_str!("page/act_light.html")),
    ("act_person.html", include_str!("page/act_person.html")),
    ("act_refresh.html", include_str!("page/act_refresh.html")),
];
const STYLE: &str = include_str!("page.css");
const SCRIPT: &str = include_str!("page.js");

/// The page, ready to be filled in.
#[derive(Debug)]
pub(super) struct Page {
    policy: HeaderValue,
}

impl Page {
    pub(super) fn new() -> Self {
        let hash = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
        let policy = format!(
            "default-src 'none'; style-src 'sha256-{}'; script-src 'sha256-{}'; connect-src 'self'; img-src data:; \
             base-uri 'none'; form-action 'self'; frame-ancestors 'self'",
            hash(STYLE),
            hash(SCRIPT)
        );
        let strict = HeaderValue::from_static("default-src 'none'");
        Self { policy: HeaderValue::from_str(&policy).unwrap_or(strict) }
    }

    /// What the browser may do with the page: use the style and the script that are in it, ask for it again, and send it its forms.
    pub(super) fn policy(&self) -> HeaderValue {
        self.policy.clone()
    }

    /// The page as things are, with forms where there is a `token` for them, and with what its visitor is told.
    pub(super) fn render(
        &self,
        snapshot: &Snapshot,
        broker: &str,
        token: Option<&str>,
        told: Option<(bool, String)>,
    ) -> Result<String, Error> {
        // Seldom, so it is compiled when it is needed and no memory is kept for it.
        let mut environment = Environment::new();
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        for (name, template) in TEMPLATES {
            environment.add_template(name, template)?;
        }
        let Snapshot { at, broker: link, .. } = snapshot;
        let moment = |moment: Timestamp| Moment::new(moment, *at).value();
        let people: Vec<Value> = snapshot.persons.iter().map(|person| of_person(person, *at)).collect();
        let lights: Vec<Value> = snapshot.lights.iter().map(of_light).collect();
        environment.render_str(
            TEMPLATE,
            context! {
                style => STYLE,
                script => SCRIPT,
                token,
                presences => preferred_words().map(|word| context! { word, says => spaced(word) }),
                told => told.map(|(is_good, text)| context! { is_good, text }),
                bridge => snapshot.bridge.as_str(),
                mood => mood(snapshot),
                version => snapshot.version,
                started => moment(snapshot.started_at),
                accounts => snapshot.accounts.iter().map(|of| of_account(of, *at)).collect::<Vec<_>>(),
                troubled => snapshot.accounts.iter().any(|of| of.graph.detail.is_some()),
                several => snapshot.accounts.iter().any(|of| of.name.is_some()),
                broker => context! {
                    connected => matches!(link.state, BrokerState::Connected | BrokerState::Waiting),
                    says => match link.state {
                        BrokerState::Connected => "connected",
                        BrokerState::ReadingBack => "reading back",
                        BrokerState::Waiting => "connected, waiting",
                        BrokerState::Connecting => "not connected",
                        BrokerState::Stopping => "stopping",
                    },
                    address => broker,
                    protocol => link.protocol.as_str(),
                    queue => link.queue + link.in_flight,
                    trouble => link.trouble.as_deref(),
                    standby => link.standby.as_ref().map(of_standby),
                },
                notices => snapshot.notices.clone(),
                current => snapshot.current,
                all => snapshot.people,
                more => snapshot.people.saturating_sub(people.len()),
                people,
                lights,
            },
        )
    }
}

/// How it looks from afar.
fn mood(snapshot: &Snapshot) -> &'static str {
    let waits_well = snapshot.is_waiting() && snapshot.notices.is_empty();
    match (snapshot.is_ready() || snapshot.is_waiting(), snapshot.is_well() || waits_well) {
        (true, true) => "good",
        (true, false) => "fair",
        (false, _) => "bad",
    }
}

/// Who is active and who waits.
fn of_standby(standby: &StandbySnapshot) -> String {
    let names = standby.waiting.iter().map(|name| name.as_str()).collect::<Vec<_>>().join(", ");
    match (standby.is_active, &standby.holder) {
        (true, _) if names.is_empty() => "this instance is active, no other one waits".to_owned(),
        (true, _) => format!("this instance is active; waiting: {names}"),
        (false, Some(holder)) => format!("this instance waits; active: {holder}"),
        (false, None) => "this instance waits".to_owned(),
    }
}

fn of_account(account: &AccountSnapshot, now: Timestamp) -> Value {
    let moment = |moment: Timestamp| Moment::new(moment, now).value();
    let AccountSnapshot { name, graph, .. } = account;
    context! {
        name => name.as_ref().map(|name| name.as_str()),
        cloud => account.cloud,
        auth_method => account.auth_method,
        who => match (&account.signed_in, account.auth_method) {
            (Some(name), _) => name.as_str(),
            (None, "device-code" | "browser") => "nobody is signed in",
            (None, _) => "read as the app itself",
        },
        sign_in => account.sign_in.as_ref().map(|shown| of_invitation(shown, now)),
        sign_in_is_asked_for => account.sign_in_is_asked_for,
        is_persons => account.is_persons,
        is_signed_in => account.signed_in.is_some(),
        change => account.change.as_ref().map(|AccountChange { before, now }| {
            context! { before => before.as_str(), now => now.as_str() }
        }),
        graph => context! {
            state => graph.state.as_str(),
            says => plain(graph.state.as_str()),
            since => moment(graph.since),
            last => graph.last_success.map(moment),
            detail => graph.detail.as_deref(),
            interval => words(graph.achieved_interval),
            budget => graph.budget,
            used => graph.budget_used,
        },
    }
}

fn of_person(person: &PersonSnapshot, now: Timestamp) -> Value {
    let says = match &person.words {
        Some((availability, activity)) if availability == activity => spaced(activity),
        Some((availability, activity)) => format!("{} · {}", spaced(activity), spaced(availability)),
        None => "Not known".to_owned(),
    };
    let trouble = match (person.health, &person.words) {
        (Health::Ok, _) => None,
        (Health::Stale, None) => Some("waiting"),
        (Health::Stale, Some(_)) => Some("out of date"),
        (Health::SignInRequired, _) => Some("sign-in needed"),
        (Health::Forbidden, _) => Some("may not be read"),
        (Health::NotFound, _) => Some("not in this tenant"),
    };
    context! {
        name => person.name.as_str(),
        display_name => person.display_name.as_str(),
        // A word of a closed list, which the style knows.
        availability => person.words.as_ref().map(|(availability, _)| availability.as_str()),
        says,
        since => person.since.map(|since| Moment::new(since, now).value()),
        trouble,
        is_settable => person.is_settable,
    }
}

fn of_light(light: &LightSnapshot) -> Value {
    use crate::core::lights::color::Shade;
    let color = match light.shade {
        Some(Shade::On(color)) => Some(color.to_string()),
        Some(Shade::Off) | None => None,
    };
    let says = match (light.follows, light.shade) {
        _ if light.is_tested => "is tested",
        (false, _) => "paused",
        (true, None) => "waiting",
        (true, Some(Shade::Off)) => "off",
        (true, Some(Shade::On(_))) => "on",
    };
    let users: Vec<&str> = light.users.iter().map(|user| user.as_str()).collect();
    let because = light.because.as_deref();
    context! {
        name => light.name.as_str(),
        users => users.join(", "),
        color,
        says,
        because,
        follows => light.follows,
        is_tested => light.is_tested,
    }
}

fn of_invitation(shown: &ShownInvitation, now: Timestamp) -> Value {
    let uri = shown.verification_uri.as_str();
    // A code is often typed on a phone; a browser has to end on a machine from which the address can be copied.
    let qr_code = (shown.by() == SignInBy::DeviceCode).then(|| qr_code(uri)).flatten();
    context! {
        uri,
        code => shown.user_code.as_deref(),
        ends => Moment::new(shown.expires_at, now).value(),
        side => qr_code.as_ref().map(|(_, side)| *side),
        path => qr_code.map(|(path, _)| path),
    }
}
