//! The status page: one answer with everything in it.

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::header::HeaderValue;
use jiff::Timestamp;
use minijinja::syntax::SyntaxConfig;
use minijinja::{AutoEscape, Environment, Error, UndefinedBehavior, Value, context};

use super::links::DOCUMENTS;
use super::people;
use super::words::{Moment, change, invitation, plain, spaced};
use crate::core::lights::snapshot::LightSnapshot;
use crate::core::model::health::GraphState;
use crate::core::model::people_page::{PeopleQuery, Standing};
use crate::core::model::presence_change::preferred_words;
use crate::core::model::report::words;
use crate::core::model::snapshot::{AccountSnapshot, BrokerSnapshot, BrokerState, Snapshot, StandbySnapshot};

const STYLE: &str = include_str!("page/page.css");
const SCRIPT: &str = include_str!("page/page.js");

/// The templates by name: a frame, and one for each idea in it.
const TEMPLATES: [(&str, &str); 19] = [
    ("frame.html", include_str!("page/frame.html")),
    ("icon.html", include_str!("page/icon.html")),
    ("header.html", include_str!("page/header.html")),
    ("sign_in.html", include_str!("page/sign_in.html")),
    ("notices.html", include_str!("page/notices.html")),
    ("people.html", include_str!("page/people.html")),
    ("person.html", include_str!("page/person.html")),
    ("lights.html", include_str!("page/lights.html")),
    ("light.html", include_str!("page/light.html")),
    ("accounts.html", include_str!("page/accounts.html")),
    ("account.html", include_str!("page/account.html")),
    ("broker.html", include_str!("page/broker.html")),
    ("told.html", include_str!("page/told.html")),
    ("change.html", include_str!("page/change.html")),
    ("act_sign_in.html", include_str!("page/act_sign_in.html")),
    ("act_account.html", include_str!("page/act_account.html")),
    ("act_light.html", include_str!("page/act_light.html")),
    ("act_person.html", include_str!("page/act_person.html")),
    ("act_refresh.html", include_str!("page/act_refresh.html")),
];

/// After how many seconds a browser without scripts loads the page again: later, where somebody may be typing
/// in it.
const RELOAD_AFTER: (u32, u32) = (5, 30);

/// What one visitor wants to see, and is told.
#[derive(Debug)]
pub(super) struct View {
    pub wanted: PeopleQuery,
    /// How it went what they did, and whether that is good news.
    pub told: Option<(bool, String)>,
}

/// The page, ready to be filled in.
#[derive(Debug)]
pub(super) struct Page {
    policy: HeaderValue,
}

impl Page {
    pub(super) fn new() -> Self {
        Self { policy: policy(STYLE, Some(SCRIPT)) }
    }

    /// What the browser may do with the page: use the style and the script that are in it, ask for it again,
    /// and send it its forms.
    pub(super) fn policy(&self) -> HeaderValue {
        self.policy.clone()
    }

    /// The page as things are, for one visit; with forms where there is a `token` for them.
    pub(super) fn render(
        &self,
        snapshot: &Snapshot,
        view: &View,
        broker: &str,
        token: Option<&str>,
    ) -> Result<String, Error> {
        // Seldom, so it is compiled when it is needed and no memory is kept for it.
        let mut environment = Environment::new();
        environment.set_syntax(SyntaxConfig::builder().trim_blocks(true).build()?);
        environment.set_undefined_behavior(UndefinedBehavior::Strict);
        environment.set_auto_escape_callback(|_| AutoEscape::Html);
        for (name, template) in TEMPLATES {
            environment.add_template(name, template)?;
        }
        let Snapshot { at, people_page, accounts, .. } = snapshot;
        let moment = |moment: Timestamp| Moment::new(moment, *at).value();
        let View { wanted, told } = view;
        let is_searchable = people::is_searchable(snapshot, wanted);
        let is_filled_in = token.is_some()
            && (accounts.iter().any(|of| of.sign_in.is_some())
                || people_page.persons.iter().any(|of| of.is_settable));
        let has_trouble = |account: &AccountSnapshot| detail(account).is_some() && !account.begins();
        environment.get_template("frame.html")?.render(context! {
            style => STYLE,
            script => SCRIPT,
            token,
            told => told.as_ref().map(|(is_good, text)| context! { is_good, text }),
            presences => preferred_words().map(|word| context! { word, says => spaced(word) }),
            documents => DOCUMENTS,
            reload_after => if is_searchable || is_filled_in { RELOAD_AFTER.1 } else { RELOAD_AFTER.0 },
            bridge => snapshot.bridge.as_str(),
            mood => mood(snapshot),
            version => snapshot.version,
            started => moment(snapshot.started_at),
            accounts => accounts.iter().map(|of| of_account(of, *at)).collect::<Vec<_>>(),
            wants_sign_in => accounts.iter().any(|of| of.sign_in.is_some()),
            troubled => accounts.iter().any(has_trouble),
            several => accounts.iter().any(|of| of.name.is_some()),
            well => accounts.iter().filter(|of| of.graph.state == GraphState::Ok).count(),
            broker => of_broker(&snapshot.broker, broker),
            notices => snapshot.notices.clone(),
            current => snapshot.current,
            all => snapshot.people,
            searchable => is_searchable,
            q => wanted.search.as_str(),
            state => wanted.standing.map(Standing::as_str),
            counts => people::counts(people_page, wanted),
            pages => people::pages(people_page, wanted),
            next => people::next(snapshot, wanted),
            people => people_page.persons.iter().map(|of| people::of_person(of, *at)).collect::<Vec<_>>(),
            lights => snapshot.lights.iter().map(of_light).collect::<Vec<_>>(),
        })
    }
}

/// What a browser may do with a page: use its own style and script, ask for it again, and send it its forms.
pub(super) fn policy(style: &str, script: Option<&str>) -> HeaderValue {
    let hash = |text: &str| STANDARD.encode(digest(&SHA256, text.as_bytes()));
    let script = script.map(|script| format!("script-src 'sha256-{}'; connect-src 'self'; ", hash(script)));
    let policy = format!(
        "default-src 'none'; style-src 'sha256-{}'; {}img-src data:; base-uri 'none'; form-action 'self'; \
         frame-ancestors 'self'",
        hash(style),
        script.unwrap_or_default()
    );
    HeaderValue::from_str(&policy).unwrap_or(HeaderValue::from_static("default-src 'none'"))
}

/// How it looks from afar.
fn mood(snapshot: &Snapshot) -> &'static str {
    let waits_well = snapshot.is_waiting() && snapshot.notices.is_empty();
    if snapshot.is_well() || waits_well {
        "good"
    } else if snapshot.is_ready() || snapshot.is_waiting() {
        "fair"
    } else if snapshot.begins() {
        "new"
    } else {
        "bad"
    }
}

fn of_broker(link: &BrokerSnapshot, address: &str) -> Value {
    let (mood, says) = match (link.state, &link.trouble) {
        (BrokerState::Connected, _) => ("good", "connected"),
        (BrokerState::Waiting, _) => ("good", "connected, waiting"),
        (BrokerState::ReadingBack, _) => ("new", "reading back"),
        (BrokerState::Connecting, None) => ("new", "connecting"),
        (BrokerState::Connecting, Some(_)) => ("bad", "not connected"),
        (BrokerState::Stopping, _) => ("fair", "stopping"),
    };
    context! {
        mood,
        says,
        address,
        protocol => link.protocol.as_str(),
        queue => link.queue + link.in_flight,
        trouble => link.trouble.as_deref(),
        standby => link.standby.as_ref().map(of_standby),
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
            (None, "device-code" | "browser") => "no account is signed in",
            (None, _) => "signed in as the app",
        },
        begins => account.begins(),
        mood => match graph.state {
            GraphState::Ok => "good",
            GraphState::Throttled => "fair",
            _ if account.begins() => "new",
            GraphState::Starting => "fair",
            GraphState::Unreachable | GraphState::SignInRequired | GraphState::Forbidden => "bad",
        },
        sign_in => account.sign_in.as_ref().map(|shown| {
            context! { ends => moment(shown.expires_at), ..invitation(shown) }
        }),
        sign_in_is_asked_for => account.sign_in_is_asked_for,
        is_persons => account.is_persons,
        is_signed_in => account.signed_in.is_some(),
        change => account.change.as_ref().map(change),
        graph => context! {
            says => plain(graph.state.as_str()),
            since => moment(graph.since),
            last => graph.last_success.map(moment),
            detail => detail(account),
            interval => words(graph.achieved_interval),
            budget => graph.budget,
            used => graph.budget_used,
        },
    }
}

/// Why an account reads no presence. That nobody is signed in need not be said where it is shown how to.
fn detail(account: &AccountSnapshot) -> Option<&str> {
    let AccountSnapshot { graph, sign_in, signed_in, .. } = account;
    let is_invited = graph.state == GraphState::SignInRequired && sign_in.is_some() && signed_in.is_none();
    graph.detail.as_deref().filter(|_| !is_invited)
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

#[cfg(test)]
mod tests;
