//! A sign-in with a device code: a person types a code at an address, on any device (Microsoft identity
//! platform: `v2-oauth2-device-code`).

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

/// Each `slow_down` of the service makes the interval longer by this (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// The longest code, in characters; Microsoft's have nine.
const LONGEST_CODE: usize = 64;

/// A code that was not used yet.
#[derive(Debug)]
pub struct PendingCode {
    /// The address and the code to show.
    pub shown: ShownInvitation,
    client_id: String,
    device_code: SecretString,
    interval: Duration,
    lives: Duration,
}

/// How the wait for a code ended.
#[derive(Debug)]
pub enum CodeEnd {
    /// A person signed in.
    SignedIn(Issued),
    /// A person declined; the sentence says what to do.
    Declined(Legible),
    /// The code expired unused; the sentence says what to do.
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

/// Accepts a code that people can type: not too long, visible characters only.
fn typeable<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Legible, D::Error> {
    let code = String::deserialize(deserializer)?;
    let is_typed = |c: char| !c.is_whitespace() && !is_obeyed(c);
    if code.is_empty() || code.chars().count() > LONGEST_CODE || !code.chars().all(is_typed) {
        return Err(serde::de::Error::custom("a code of a few visible characters is expected"));
    }
    Ok(code.into())
}

/// Accepts an address that people can type.
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
    /// If the service issues none.
    pub async fn ask(authority: &Authority, client_id: &str, scope: &str) -> Result<Self, NotIssued> {
        let answer = authority.post("devicecode", &[("client_id", client_id), ("scope", scope)]).await?;
        Self::from_answer(&answer, client_id)
    }

    /// Reads the answer of the device code endpoint.
    ///
    /// # Errors
    ///
    /// If the answer contains no code.
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

    /// Polls at the service's pace until a person has used the code, or it has ended. A network failure
    /// meanwhile does not matter, because the code stays valid.
    ///
    /// # Errors
    ///
    /// If the service refuses, for another reason than that the code is not used yet.
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
