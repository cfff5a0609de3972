//! The sign-in service: the token endpoint and its errors.

use std::collections::BTreeMap;
use std::time::Duration;

use serde_json::{Value, json};
use url::form_urlencoded;

use super::message::{Answer, Asked};
use super::state::State;
use super::token::{Caller, Grant};
use super::wire::Marks;

/// An error of the sign-in service: its AADSTS number and, where it helps, a name to put into the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct SignInError {
    code: u32,
    about: String,
}

/// `POST /{tenant}/oauth2/v2.0/token`
pub(super) fn token(state: &mut State, tenant: &str, asked: &Asked) -> Result<Value, SignInError> {
    let form: Form = form_urlencoded::parse(&asked.body).into_owned().collect();
    let tenants = [state.settings.tenant_id.as_str(), "contoso.example"];
    if !tenants.iter().any(|known| known.eq_ignore_ascii_case(tenant)) {
        return Err(SignInError::new(90002, tenant));
    }
    let client = required(&form, "client_id")?;
    if !client.eq_ignore_ascii_case(&state.settings.client_id) {
        return Err(SignInError::new(700016, client));
    }
    match required(&form, "grant_type")? {
        "client_credentials" => client_credentials(state, &form, &asked.host),
        other => Err(SignInError::new(70003, other)),
    }
}

type Form = BTreeMap<String, String>;

fn client_credentials(state: &mut State, form: &Form, host: &str) -> Result<Value, SignInError> {
    let scope = required(form, "scope")?;
    check_default_scope(scope, host)?;
    let Some(secret) = form.get("client_secret") else {
        return Err(SignInError::new(7000218, "client_secret"));
    };
    if *secret != state.settings.client_secret {
        return Err(SignInError::new(7000215, &state.settings.client_id));
    }
    if state.switches.secret_expired {
        return Err(SignInError::new(7000222, &state.settings.client_id));
    }
    let grant = Grant { caller: Caller::App, permissions: state.settings.permissions.clone() };
    let (token, lifetime) = state.issue(grant);
    let seconds = lifetime.as_secs();
    Ok(json!({
        "token_type": "Bearer",
        "expires_in": seconds,
        "ext_expires_in": seconds,
        "access_token": token,
    }))
}

fn required<'a>(form: &'a Form, name: &str) -> Result<&'a str, SignInError> {
    match form.get(name) {
        Some(value) if !value.is_empty() => Ok(value),
        Some(_) | None => Err(SignInError::new(900144, name)),
    }
}

/// App-only sign-in names exactly one resource, Graph or this simulator, and asks for all that was granted.
fn check_default_scope(scope: &str, host: &str) -> Result<(), SignInError> {
    let Some(resource) = scope.strip_suffix("/.default") else {
        return Err(SignInError::new(1002012, scope));
    };
    let known =
        ["https://graph.microsoft.com", "https://graph.microsoft.us", "https://dod-graph.microsoft.us"];
    let own = resource.strip_prefix("http://") == Some(host);
    if own || known.contains(&resource) { Ok(()) } else { Err(SignInError::new(70011, scope)) }
}

impl SignInError {
    pub(super) fn new(code: u32, about: impl Into<String>) -> Self {
        Self { code, about: about.into() }
    }

    /// The answer as Entra writes it.
    pub(super) fn answer(&self, marks: &Marks) -> Answer {
        let (status, error, text) = self.words();
        let timestamp = marks.now.wall.strftime("%Y-%m-%d %H:%M:%SZ").to_string();
        let (code, trace, correlation) = (self.code, &marks.request_id, &marks.client_request_id);
        let body = json!({
            "error": error,
            "error_description": format!(
                "AADSTS{code}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {timestamp}"
            ),
            "error_codes": [code],
            "timestamp": timestamp,
            "trace_id": trace,
            "correlation_id": correlation,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        });
        Answer::json(status, body)
    }

    /// HTTP status, OAuth error and text.
    fn words(&self) -> (u16, &'static str, String) {
        let about = &self.about;
        match self.code {
            900144 => (400, "invalid_request", format!(
                "The request body must contain the following parameter: '{about}'."
            )),
            90002 => (400, "invalid_request", format!(
                "Tenant '{about}' not found. Check to make sure you have the correct tenant ID."
            )),
            700016 => (400, "unauthorized_client", format!(
                "Application with identifier '{about}' was not found in the directory 'Contoso'."
            )),
            70003 => (400, "unsupported_grant_type", format!(
                "The app requested an unsupported grant type '{about}'."
            )),
            70011 | 1002012 | 28002 => (400, "invalid_scope", format!(
                "The provided value for scope {about} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            )),
            7000215 => (401, "invalid_client", format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{about}'."
            )),
            7000218 => (401, "invalid_client",
                "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.".into()
            ),
            7000222 => (401, "invalid_client", format!(
                "The provided client secret keys for app '{about}' are expired."
            )),
            700027 | 50012 | 50013 | 700030 => (401, "invalid_client", "Client assertion failed validation.".into()),
            50033 | 50087 | 90006 | 90012 | 90024 | 90033 | 90090 => (
                503, "temporarily_unavailable", "A transient error has occurred. Please try again.".into(),
            ),
            90055 => (429, "temporarily_unavailable", "The tenant is throttled because of too many requests.".into()),
            65004 => (400, "access_denied", "The user declined to consent.".into()),
            _ => (400, "invalid_grant", "The request was refused.".into()),
        }
    }
}

/// A plain failure of the service itself, with the wanted status.
pub(super) fn outage(status: u16, marks: &Marks) -> Answer {
    let code = if status == 429 { 90055 } else { 90033 };
    let mut answer = SignInError::new(code, "").answer(marks);
    answer.status = status;
    answer
}

/// A random life between the two ends of the setting, in whole seconds because that is what the answer can say.
pub(super) fn lifetime(random: &mut fastrand::Rng, range: &std::ops::Range<Duration>) -> Duration {
    let (from, to) = (range.start.as_secs(), range.end.as_secs());
    Duration::from_secs(if from < to { random.u64(from..to) } else { from })
}
