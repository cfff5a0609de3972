//! Answers of the sign-in service's device code endpoint.

use std::time::Duration;

use presence2mqtt::graph::caller::Caller;
use presence2mqtt::graph::sign_in::answer::Answer;
use presence2mqtt::graph::sign_in::device_code::PendingCode;
use reqwest::{StatusCode, Url};

use super::said::{self, MARKER};

/// `input` is a line with the status, and a body.
pub(super) fn check(input: &[u8]) {
    let Some((status, body)) = said::with_status(input) else { return };
    let status = StatusCode::from_u16(status).unwrap();
    let retry_after = Some(Duration::from_secs(7));
    let read = |body: &[u8]| {
        PendingCode::from_answer(&Answer { status, retry_after, body: body.to_vec() }, "an-app")
    };
    match read(body) {
        Ok(code) => {
            assert!(status.is_success());
            shown(&code);
        }
        Err(reason) => said::sentence(&reason.failure(Caller::Person).to_string()),
    }
    // The code that is exchanged for tokens is not for people.
    if let Some(planted) =
        said::planted(body, &["user_code", "verification_uri", "expires_in", "interval"], &["device_code"])
        && !String::from_utf8_lossy(body).contains(MARKER)
        && let Ok(code) = read(planted.to_string().as_bytes())
    {
        assert!(!format!("{code:?}").contains(MARKER), "{code:?}");
    }
}

/// What reaches terminal, log, page, topic and QR code.
fn shown(code: &PendingCode) {
    let (address, typed) = (code.shown.verification_uri.as_str(), code.shown.user_code.as_deref().unwrap());
    let url: Url = address.parse().expect("an address");
    let is_loopback =
        || ["localhost", "127.", "[::1]"].iter().any(|host| url.host_str().unwrap().starts_with(host));
    assert!(url.scheme() == "https" || (url.scheme() == "http" && is_loopback()), "{address}");
    assert!(url.username().is_empty() && url.password().is_none() && address.is_ascii(), "{address}");
    assert!(address.len() <= 512 && (1..=64).contains(&typed.chars().count()), "{address} {typed}");
    let is_obeyed = |c: char| c.is_control() || c.is_whitespace() || ('\u{200e}'..='\u{202e}').contains(&c);
    assert!(!address.contains(is_obeyed) && !typed.contains(is_obeyed), "{address:?} {typed:?}");
}
