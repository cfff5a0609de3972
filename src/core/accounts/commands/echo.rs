//! What is answered to a command, and to whom: on `<base>/<user>/set/result`, and where the sender asked for
//! it.

use serde::Serialize;
use serde_json::Value;
use serde_json::value::{RawValue, to_raw_value};

use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::command::AnswerTo;
use crate::core::model::effect::Message;
use crate::core::model::mqtt::Qos;
use crate::core::model::name::TopicLevel;
use crate::core::model::payload::json;

/// Bytes of a command that are said again; longer ones are cut.
const LONGEST_ECHO: usize = 1024;

/// A command as it came, to be said again with its result: its own value if it is JSON, else its text.
#[derive(Debug, Clone)]
pub(super) struct Echo(Option<Box<RawValue>>);

/// To whom the result goes.
#[derive(Debug)]
pub(super) struct Sender {
    pub user: TopicLevel,
    pub echo: Echo,
    pub answer_to: AnswerTo,
}

#[derive(Serialize)]
struct Outcome<'a> {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    error: Option<&'a str>,
    request: Option<&'a RawValue>,
}

impl Echo {
    pub(super) fn from_payload(payload: &[u8]) -> Self {
        let text = String::from_utf8_lossy(payload);
        if text.len() > LONGEST_ECHO {
            let end = (0..=LONGEST_ECHO).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
            return Self(to_raw_value(&format!("{}…", &text[..end])).ok());
        }
        // JSON that only the raw form can hold, such as a very deep one, would trouble whoever reads the
        // result.
        let is_json = serde_json::from_str::<Value>(&text).is_ok();
        let raw = if is_json { serde_json::from_str(&text) } else { to_raw_value(&text) };
        Self(raw.ok())
    }

    /// The payload of the result; `error` is why nothing was set.
    fn with(&self, error: Option<&str>) -> String {
        json(&Outcome { ok: error.is_none(), error, request: self.0.as_deref() })
    }
}

impl Sender {
    /// Queues the result; `error` is why nothing was set.
    pub(super) fn answer(self, error: Option<&str>, outbox: &mut Outbox, cx: &mut Context) {
        let Self { user, echo, answer_to } = self;
        let payload = echo.with(error);
        let to_sender = match answer_to {
            AnswerTo::Message(reply_to) => reply_to.map(|to| (to.topic, to.correlation)),
            AnswerTo::Visitor(visitor) => {
                cx.answer(Some(visitor), error.map_or(Ok("The presence is set."), |why| Err(why.into())));
                None
            }
        };
        let to_all = (cx.topics.set_result(&user), None);
        for (topic, correlation) in std::iter::once(to_all).chain(to_sender) {
            let (payload, qos) = (payload.clone(), Qos::AtLeastOnce);
            outbox.result(Message { topic, payload, qos, retain: false, expires: None, correlation });
        }
    }
}
