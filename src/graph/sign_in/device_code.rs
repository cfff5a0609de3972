//! A sign-in with a device code: a person types a code at an address, on whatever device they like
//! (Microsoft identity platform: `v2-oauth2-device-code`).

use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};

use super::advice::{self, OnCode};
use super::answer::{self, Answer, Issued, NotIssued};
use super::authority::Authority;
use crate::core::model::foreign::{Legible, WebAddress, is_obeyed};
use crate::core::model::sign_in::ShownInvitation;
use crate::core::model::time::whole_seconds;
use crate::graph::caller::Caller;
use crate::graph::clock;
use crate::graph::text::readable;

/// The service asks for more patience in steps of this (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// Characters of a code; Microsoft's have nine.
const LONGEST_CODE: usize = 64;

/// A code that waits to be used.
#[derive(Debug)]
pub struct PendingCode {
    /// What people need.
    pub shown: ShownInvitation,
    client_id: String,
    device_code: SecretString,
    interval: Duration,
    lives: Duration,
}

/// How a code ended.
#[derive(Debug)]
pub enum CodeEnd {
    /// Somebody used it.
    SignedIn(Issued),
    /// Somebody said no: what to do, as a sentence.
    Declined(Legible),
    /// Nobody came in time: what to do, as a sentence.
    Expired(Legible),
}

#[derive(Deserialize)]
struct WireCode {
    device_code: SecretString,
    #[serde(deserialize_with = "typeable")]
    user_code: Legible,
    #[serde(deserialize_with = "short")]
    verification_uri: WebAddress,
    expires_in: u64,
    #[serde(default = "five_seconds")]
    interval: u64,
}

/// A code that people can be asked to type: what is longer, or is not all seen, is none.
fn typeable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Legible, D::Error> {
    let code = String::deserialize(deserializer)?;
    let is_typed = |c: char| !c.is_whitespace() && !is_obeyed(c);
    if code.is_empty() || code.chars().count() > LONGEST_CODE || !code.chars().all(is_typed) {
        return Err(serde::de::Error::custom("a code of a few visible characters is expected"));
    }
    Ok(code.into())
}

/// An address that people can be asked to type.
fn short<'de, D: Deserializer<'de>>(deserializer: D) -> Result<WebAddress, D::Error> {
    let address = WebAddress::deserialize(deserializer)?;
    let too_long = || serde::de::Error::custom("a short address is expected");
    Some(address).filter(WebAddress::is_typed).ok_or_else(too_long)
}

fn five_seconds() -> u64 {
    5
}

impl PendingCode {
    /// Asks for a code for these scopes.
    ///
    /// # Errors
    ///
    /// If the service gives none.
    pub async fn ask(authority: &Authority, client_id: &str, scope: &str) -> Result<Self, NotIssued> {
        let answer = authority.post("devicecode", &[("client_id", client_id), ("scope", scope)]).await?;
        Self::from_answer(&answer, client_id)
    }

    /// Reads the answer of the device code endpoint.
    ///
    /// # Errors
    ///
    /// If it is no code.
    pub fn from_answer(answer: &Answer, client_id: &str) -> Result<Self, NotIssued> {
        if !answer.status.is_success() {
            return Err(answer::not_issued(answer));
        }
        let wire: WireCode =
            serde_json::from_str(&readable(&answer.body)).map_err(|_| NotIssued::Passing {
                why: "the answer of the sign-in service is not a device code".to_owned(),
                retry_after: answer.retry_after,
            })?;
        let lives = Duration::from_secs(wire.expires_in.min(24 * 60 * 60));
        let shown = ShownInvitation {
            verification_uri: wire.verification_uri,
            user_code: Some(wire.user_code),
            expires_at: whole_seconds(clock::wall() + lives),
        };
        let interval = Duration::from_secs(wire.interval.clamp(1, 60));
        Ok(Self { shown, client_id: client_id.to_owned(), device_code: wire.device_code, interval, lives })
    }

    /// Waits, at the service's pace, until somebody used the code or it is over. A network that fails
    /// meanwhile costs nothing: the code lives on.
    ///
    /// # Errors
    ///
    /// If the service refuses for another reason than that nobody has come yet.
    pub async fn wait(self, authority: &Authority) -> Result<CodeEnd, NotIssued> {
        let used = tokio::time::timeout(self.lives, self.poll(authority)).await;
        used.unwrap_or_else(|_| Ok(CodeEnd::Expired(advice::code_expired().into())))
    }

    async fn poll(&self, authority: &Authority) -> Result<CodeEnd, NotIssued> {
        let form = [
            ("grant_type", "urn:ietf:params:oauth:grant-type:device_code"),
            ("client_id", &self.client_id),
            ("device_code", self.device_code.expose_secret()),
        ];
        let mut interval = self.interval;
        loop {
            tokio::time::sleep(interval).await;
            match authority.token(&form).await {
                Ok(issued) => return Ok(CodeEnd::SignedIn(issued)),
                Err(NotIssued::Passing { .. }) => interval += SLOWER,
                Err(NotIssued::Refused(refusal)) => match refusal.on_code() {
                    OnCode::Pending => {}
                    OnCode::SlowDown => interval += SLOWER,
                    OnCode::Declined => return Ok(CodeEnd::Declined(refusal.advice(Caller::Person))),
                    OnCode::Expired => return Ok(CodeEnd::Expired(refusal.advice(Caller::Person))),
                    OnCode::Refused => return Err(NotIssued::Refused(refusal)),
                },
            }
        }
    }
}
