//! The actions of Graph that write presence: who may do so, what they may ask for, and what becomes of it.
//!
//! Graph's pages: `presence: setPresence`, `clearPresence`, `setUserPreferredPresence`,
//! `clearUserPreferredPresence`, `setStatusMessage`. What is not allowed there is refused here.

use std::ops::RangeInclusive;
use std::time::Duration;

use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};

use crate::core::model::name::ObjectId;

use super::action::Action;
use super::graph_request::{json_body, signed_in};
use super::iso_duration;
use super::ledger::Written;
use super::message::Asked;
use super::refusal::Refusal;
use super::sessions::{self, Pair};
use super::state::State;
use super::status_message::StatusMessage;
use super::token::{Caller, Grant};

/// How long a session may last; the shortest is the default.
const SESSION: RangeInclusive<Duration> = Duration::from_secs(5 * 60)..=Duration::from_secs(4 * 60 * 60);

const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// What an action does, once it is known to be allowed.
#[derive(Debug)]
enum Change {
    SetSession { pair: Pair<'static>, lasts: Duration },
    ClearSession,
    Prefer { pair: Pair<'static>, lasts: Duration },
    ClearPreferred,
    Say(Option<StatusMessage>),
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetPresence {
    session_id: Option<String>,
    availability: String,
    activity: String,
    expiration_duration: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct ClearPresence {
    session_id: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetUserPreferredPresence {
    availability: String,
    activity: String,
    expiration_duration: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct ClearUserPreferredPresence {}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct SetStatusMessage {
    status_message: Value,
}

/// Does what is asked to the person with this id, or to whoever signed in.
pub(super) fn answer(
    state: &mut State,
    grant: &Grant,
    id: Option<&str>,
    action: Action,
    asked: &Asked,
) -> Result<(), Refusal> {
    let person = match id {
        Some(text) => text.parse().map_err(|_| Refusal::bad_guid(text))?,
        None => signed_in(grant)?,
    };
    if !may_write(grant, person) {
        return Err(Refusal::usual(403));
    }
    let body = match action {
        // The only action without parameters; the metadata knows no body for it.
        Action::ClearUserPreferredPresence if asked.body.is_empty() => json!({}),
        Action::SetPresence
        | Action::ClearPresence
        | Action::SetUserPreferredPresence
        | Action::ClearUserPreferredPresence
        | Action::SetStatusMessage => json_body(asked)?,
    };
    let change = Change::read(action, &body, &grant.app)?;
    change.make(state, person, &grant.app)?;
    state.remember(Written { at: state.now.up, person, action, body });
    Ok(())
}

fn may_write(grant: &Grant, person: ObjectId) -> bool {
    match grant.caller {
        Caller::App => grant.has_any(&["Presence.ReadWrite.All"]),
        Caller::Delegated(me) => me == person && grant.has_any(&["Presence.ReadWrite"]),
    }
}

impl Change {
    fn read(action: Action, body: &Value, app: &str) -> Result<Self, Refusal> {
        match action {
            Action::SetPresence => {
                let body: SetPresence = parameters(body)?;
                check_session(body.session_id.as_deref(), app)?;
                let pair = pair(sessions::OF_SESSIONS, &body.availability, &body.activity)?;
                let lasts = duration(body.expiration_duration.as_deref(), *SESSION.start())?;
                if !SESSION.contains(&lasts) {
                    return Err(out_of_range());
                }
                Ok(Self::SetSession { pair, lasts })
            }
            Action::ClearPresence => {
                let body: ClearPresence = parameters(body)?;
                check_session(body.session_id.as_deref(), app)?;
                Ok(Self::ClearSession)
            }
            Action::SetUserPreferredPresence => {
                let body: SetUserPreferredPresence = parameters(body)?;
                let pair = pair(sessions::PREFERRED, &body.availability, &body.activity)?;
                let default = if matches!(pair.0, "Busy" | "DoNotDisturb") { DAY } else { 7 * DAY };
                let lasts = duration(body.expiration_duration.as_deref(), default)?;
                if lasts.is_zero() {
                    return Err(out_of_range());
                }
                Ok(Self::Prefer { pair, lasts })
            }
            Action::ClearUserPreferredPresence => {
                let ClearUserPreferredPresence {} = parameters(body)?;
                Ok(Self::ClearPreferred)
            }
            Action::SetStatusMessage => {
                let body: SetStatusMessage = parameters(body)?;
                let message = StatusMessage::read(&body.status_message);
                message.map(Self::Say).map_err(|invalid| argument(&format!("[{}] is not valid", invalid.0)))
            }
        }
    }

    fn make(self, state: &mut State, person: ObjectId, app: &str) -> Result<(), Refusal> {
        let now = state.now.up;
        let resident = state.resident(person).ok_or_else(|| Refusal::usual(404))?;
        match self {
            Self::SetSession { pair, lasts } => resident.sessions.set(app, pair, now, lasts),
            Self::ClearSession => {
                if !resident.sessions.clear(app, now) {
                    return Err(Refusal::new(404, "NotFound", "The presence session does not exist."));
                }
            }
            Self::Prefer { pair, lasts } => resident.sessions.prefer(pair, now + lasts),
            Self::ClearPreferred => resident.sessions.clear_preferred(),
            Self::Say(message) => resident.say(message),
        }
        resident.changed();
        Ok(())
    }
}

/// The action's parameters; one that it does not have is an error in Graph too.
fn parameters<T: DeserializeOwned>(body: &Value) -> Result<T, Refusal> {
    let wrong =
        |error| Refusal::new(400, "BadRequest", format!("The request payload is not valid: {error}."));
    T::deserialize(body).map_err(wrong)
}

fn check_session(id: Option<&str>, app: &str) -> Result<(), Refusal> {
    match id.is_some_and(|id| id.eq_ignore_ascii_case(app)) {
        true => Ok(()),
        false => Err(argument("[SessionId] is not the id of the application")),
    }
}

fn pair(allowed: &[Pair<'static>], availability: &str, activity: &str) -> Result<Pair<'static>, Refusal> {
    let found = allowed.iter().find(|&&pair| pair == (availability, activity));
    found.copied().ok_or_else(|| argument("[Availability] and [Activity] are not a supported combination"))
}

fn duration(text: Option<&str>, default: Duration) -> Result<Duration, Refusal> {
    let read = |text| iso_duration::read(text).ok_or_else(|| argument("[ExpirationDuration] is not valid"));
    text.map_or(Ok(default), read)
}

fn out_of_range() -> Refusal {
    argument("[ExpirationDuration] is out of range")
}

/// Graph's code for values it cannot take, seen in public bug reports about durations.
fn argument(what: &str) -> Refusal {
    Refusal::new(400, "InvalidArgument", format!("The provided {what}."))
}
