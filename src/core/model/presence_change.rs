//! What may be set, and what the payload of a command means.
//!
//! What Graph would refuse is refused here, with what is allowed (Graph: `presence-setpresence`,
//! `presence-setuserpreferredpresence`, `presence-setstatusmessage`).

use std::ops::RangeInclusive;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;
use serde::de::DeserializeOwned;

use crate::core::model::time::whole_seconds;

/// Bytes of a command's payload.
pub const LONGEST_COMMAND: usize = 4096;

/// Characters of somebody else's words in a sentence of ours.
const LONGEST_SENTENCE: usize = 300;

const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a session may last.
const SESSION_LASTS: Range = (MINUTE.saturating_mul(5)..=MINUTE.saturating_mul(4 * 60), "5m to 4h");

/// How long a preference may last. Graph names no limits; the upper one is the longest of its own defaults.
const PREFERENCE_LASTS: Range = (MINUTE.saturating_mul(5)..=DAY.saturating_mul(7), "5m to 7days");

/// How long a status message may last. Graph names no limits.
const MESSAGE_LASTS: Range = (MINUTE..=DAY.saturating_mul(365), "1m to 365days");

type Range = (RangeInclusive<Duration>, &'static str);

/// An availability and an activity in Graph's spelling.
pub type Pair = (&'static str, &'static str);

/// The pairs of a session.
const SESSION_PAIRS: [Pair; 5] = [
    ("Available", "Available"),
    ("Busy", "InACall"),
    ("Busy", "InAConferenceCall"),
    ("Away", "Away"),
    ("DoNotDisturb", "Presenting"),
];

/// The pairs that may be preferred.
const PREFERRED: [Pair; 6] = [
    ("Available", "Available"),
    ("Busy", "Busy"),
    ("DoNotDisturb", "DoNotDisturb"),
    ("BeRightBack", "BeRightBack"),
    ("Away", "Away"),
    ("Offline", "OffWork"),
];

/// The words that may be preferred.
#[must_use]
pub fn preferred_words() -> [&'static str; 6] {
    PREFERRED.map(|(word, _)| word)
}

/// The word that clears a preference.
const AUTO: &str = "auto";

/// What is to be set.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PresenceChange {
    /// Begins or renews the app's own session.
    Session {
        /// What it says.
        pair: Pair,
        /// Whole seconds; nothing for Graph's default, 5 min.
        lasts: Option<Duration>,
    },
    /// Ends that session.
    EndSession,
    /// Shows this instead of what the sessions say.
    Prefer {
        /// What is shown.
        pair: Pair,
        /// Whole seconds; nothing for Graph's default, a day for `Busy` and `DoNotDisturb`, else seven.
        lasts: Option<Duration>,
    },
    /// Lets the sessions speak again.
    ClearPreferred,
    /// Writes the status message, or removes it.
    StatusMessage {
        /// Empty to remove it.
        text: Box<str>,
        /// Whole seconds; nothing if it stays.
        expires: Option<Timestamp>,
    },
}

/// What a newer command of the same person takes the place of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ChangeKind {
    /// The app's own session.
    Session,
    /// What is shown instead of all sessions.
    Preference,
    /// The status message.
    Message,
}

#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum WrittenKind {
    Preferred,
    Session,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Written {
    availability: Option<String>,
    activity: Option<String>,
    duration: Option<String>,
    kind: Option<WrittenKind>,
    clear: Option<bool>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct WrittenMessage {
    message: String,
    expires_in: Option<String>,
}

impl PresenceChange {
    /// What a payload of `<base>/<user>/set` asks for; nothing if it is empty.
    ///
    /// # Errors
    ///
    /// A sentence that says what is allowed.
    pub fn from_presence(payload: &[u8]) -> Result<Option<Self>, String> {
        match text(payload)? {
            "" => Ok(None),
            json if json.starts_with('{') => presence(&members(json)?).map(Some),
            word if word.eq_ignore_ascii_case(AUTO) => Ok(Some(Self::ClearPreferred)),
            word => match find(&PREFERRED, word, None)[..] {
                [pair] => Ok(Some(Self::Prefer { pair, lasts: None })),
                _ => {
                    Err(format!("the word must be one of {}, {AUTO}; or write JSON", list(preferred_words())))
                }
            },
        }
    }

    /// What a payload of `<base>/<user>/set_status_message` asks for, if it came at `wall`; nothing if it is
    /// empty.
    ///
    /// # Errors
    ///
    /// A sentence that says what is allowed.
    pub fn from_status_message(payload: &[u8], wall: Timestamp) -> Result<Option<Self>, String> {
        let text = text(payload)?;
        if text.is_empty() {
            return Ok(None);
        }
        if !text.starts_with('{') {
            return Ok(Some(Self::StatusMessage { text: text.into(), expires: None }));
        }
        let WrittenMessage { message, expires_in } = members(text)?;
        let lasts = duration("expires_in", expires_in.as_deref(), &MESSAGE_LASTS)?;
        let expires = lasts.map(|lasts| whole_seconds(wall).saturating_add(lasts).unwrap_or(Timestamp::MAX));
        Ok(Some(Self::StatusMessage { text: message.into(), expires }))
    }

    /// What it changes.
    #[must_use]
    pub fn kind(&self) -> ChangeKind {
        match self {
            Self::Session { .. } | Self::EndSession => ChangeKind::Session,
            Self::Prefer { .. } | Self::ClearPreferred => ChangeKind::Preference,
            Self::StatusMessage { .. } => ChangeKind::Message,
        }
    }
}

/// The payload without the spaces and line breaks around it, which tools like to add.
fn text(payload: &[u8]) -> Result<&str, String> {
    if payload.len() > LONGEST_COMMAND {
        return Err(format!("the payload is longer than {LONGEST_COMMAND} bytes"));
    }
    std::str::from_utf8(payload).map(str::trim).map_err(|_| "the payload is not text (UTF-8)".to_owned())
}

fn members<T: DeserializeOwned>(json: &str) -> Result<T, String> {
    let wrong = |error: serde_json::Error| {
        let says: String =
            error.to_string().chars().filter(|c| !c.is_control()).take(LONGEST_SENTENCE).collect();
        format!("what begins with a brace is read as JSON: {says}")
    };
    serde_json::from_str(json).map_err(wrong)
}

fn presence(written: &Written) -> Result<PresenceChange, String> {
    let is_session = matches!(written.kind, Some(WrittenKind::Session));
    let Written { availability, activity, duration: lasts, .. } = written;
    if written.clear == Some(true) {
        return match (availability, activity, lasts) {
            (None, None, None) if is_session => Ok(PresenceChange::EndSession),
            (None, None, None) => Ok(PresenceChange::ClearPreferred),
            _ => Err("with clear, only kind is allowed".to_owned()),
        };
    }
    let (kind, pairs, range) = if is_session {
        ("session", &SESSION_PAIRS[..], &SESSION_LASTS)
    } else {
        ("preferred", &PREFERRED[..], &PREFERENCE_LASTS)
    };
    let found = availability
        .as_deref()
        .map_or(Vec::new(), |availability| find(pairs, availability, activity.as_deref()));
    let [pair] = found[..] else {
        let pairs = pairs.iter().map(|(availability, activity)| format!("{availability}/{activity}"));
        return Err(format!(
            "with kind {kind}, availability and activity must be one of {}",
            list(pairs.collect::<Vec<_>>())
        ));
    };
    let lasts = duration("duration", lasts.as_deref(), range)?;
    Ok(if is_session {
        PresenceChange::Session { pair, lasts }
    } else {
        PresenceChange::Prefer { pair, lasts }
    })
}

/// The pairs with this availability and this activity, or any. Only `Busy` has two to choose from in a
/// session.
fn find(pairs: &[Pair], availability: &str, activity: Option<&str>) -> Vec<Pair> {
    let is_meant = |pair: &&Pair| {
        pair.0.eq_ignore_ascii_case(availability)
            && activity.is_none_or(|activity| pair.1.eq_ignore_ascii_case(activity))
    };
    pairs.iter().filter(is_meant).copied().collect()
}

fn duration(member: &str, words: Option<&str>, (range, said): &Range) -> Result<Option<Duration>, String> {
    let Some(words) = words else { return Ok(None) };
    match humantime::parse_duration(words) {
        Ok(duration) if range.contains(&duration) => Ok(Some(Duration::from_secs(duration.as_secs()))),
        Ok(_) | Err(_) => Err(format!("{member} must be {said}, in words such as \"1h 30m\"")),
    }
}

fn list(words: impl IntoIterator<Item = impl AsRef<str>>) -> String {
    let words: Vec<_> = words.into_iter().collect();
    words.iter().map(AsRef::as_ref).collect::<Vec<&str>>().join(", ")
}
