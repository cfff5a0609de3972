//! Who may see the pages that tell about people.

use std::net::IpAddr;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use hyper::HeaderMap;
use hyper::header::{AUTHORIZATION, HOST};
use secrecy::{ExposeSecret, SecretString};
use tokio::time::{Instant, sleep};

use super::site::Site;
use crate::config::Secret;

/// A wrong password is answered after this.
const WRONG_PASSWORD_DELAY: Duration = Duration::from_millis(500);

/// Why somebody may not.
#[derive(Debug, thiserror::Error)]
pub(super) enum Refusal {
    #[error("the password of http.password_file is required, with any user name")]
    Password,
    #[error(
        "this page answers only to 127.0.0.1 and localhost, so that no website can read it through your \
        browser: use one of these, or set http.password_file; behind a proxy that checks its visitors, \
         http.any_host = true"
    )]
    Host,
    #[error("too many wrong passwords came from this address; try again in {} s", .0.as_secs() + 1)]
    Slowed(Duration),
    #[error("the password cannot be read; the log says why")]
    Unreadable,
}

/// Lets in whoever knows the password; where there is none, whoever comes by a loopback name.
pub(super) async fn admit(from: IpAddr, headers: &HeaderMap, site: &Site) -> Result<(), Refusal> {
    let Some(password) = &site.password else {
        let is_ours = || headers.get(HOST).is_none_or(|host| host.to_str().is_ok_and(is_loopback));
        return if site.any_host || is_ours() { Ok(()) } else { Err(Refusal::Host) };
    };
    // Read each time, so that it can be changed while the bridge runs.
    let password = read(password, &site.unreadable).ok_or(Refusal::Unreadable)?;
    let Some(given) = given(headers) else { return Err(Refusal::Password) };
    let now = now();
    if let Some(wait) = site.guesses.wait(from, now) {
        site.meters.http.slowed.inc();
        return Err(Refusal::Slowed(wait));
    }
    // Of digests, so that not even the length shows in the time it takes.
    let [given, wanted] = [&given, password.expose_secret().as_bytes()].map(|text| digest(&SHA256, text));
    if verify_slices_are_equal(given.as_ref(), wanted.as_ref()).is_ok() {
        site.guesses.right(from);
        return Ok(());
    }
    site.meters.http.wrong_passwords.inc();
    if site.guesses.wrong(from, now) {
        tracing::warn!(%from, "wrong passwords for the status page; this address has to wait longer after \
        each");
    }
    sleep(WRONG_PASSWORD_DELAY).await;
    Err(Refusal::Password)
}

#[expect(clippy::disallowed_methods, reason = "the edge reads the clock")]
pub(super) fn now() -> Instant {
    Instant::now()
}

/// The password. Why there is none is logged when that begins: it names a file, which is nothing for
/// strangers.
fn read(password: &Secret, unreadable: &AtomicBool) -> Option<SecretString> {
    let read = password.read();
    let was_unreadable = unreadable.swap(read.is_err(), Ordering::Relaxed);
    match &read {
        Ok(_) if was_unreadable => tracing::info!("the password of the status page can be read again"),
        Err(error) if !was_unreadable => {
            tracing::warn!(%error, "the password of the status page cannot be read, so the page is closed");
        }
        Ok(_) | Err(_) => {}
    }
    read.ok()
}

/// The password of HTTP basic authentication (RFC 7617).
fn given(headers: &HeaderMap) -> Option<Vec<u8>> {
    let (scheme, credentials) = headers.get(AUTHORIZATION)?.to_str().ok()?.split_once(' ')?;
    let pair = STANDARD.decode(credentials.trim()).ok().filter(|_| scheme.eq_ignore_ascii_case("basic"))?;
    let colon = pair.iter().position(|&byte| byte == b':')?;
    Some(pair[colon + 1..].to_vec())
}

/// A website can make its own name mean 127.0.0.1 and then read what is there ("DNS rebinding"); it cannot
/// make a browser ask for it by an address or by `localhost`.
fn is_loopback(host: &str) -> bool {
    let name = match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|digit| digit.is_ascii_digit()) && !name.is_empty() => name,
        Some(_) | None => host,
    };
    let address = name.strip_prefix('[').and_then(|name| name.strip_suffix(']')).unwrap_or(name);
    name.eq_ignore_ascii_case("localhost") || address.parse::<IpAddr>().is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_that_a_website_cannot_take() {
        for (host, expected) in [
            ("127.0.0.1:9642", true),
            ("127.0.0.1", true),
            ("localhost:9642", true),
            ("LocalHost", true),
            ("[::1]:9642", true),
            ("[::1]", true),
            ("192.0.2.1", true),
            ("evil.example", false),
            ("evil.example:9642", false),
            ("localhost.evil.example", false),
            ("127.0.0.1.evil.example:80", false),
            ("", false),
            (":9642", false),
        ] {
            assert_eq!(is_loopback(host), expected, "{host:?}");
        }
    }

    #[test]
    fn the_password_is_what_follows_the_first_colon() {
        for (header, expected) in [
            (format!("Basic {}", STANDARD.encode("anybody:a:b")), Some("a:b")),
            (format!("bAsIc {}", STANDARD.encode(":pässword")), Some("pässword")),
            (format!("Basic {}", STANDARD.encode("nocolon")), None),
            (format!("Bearer {}", STANDARD.encode("x:y")), None),
            ("Basic ???".to_owned(), None),
            ("Basic".to_owned(), None),
            (String::new(), None),
        ] {
            let headers: HeaderMap = [(AUTHORIZATION, header.parse().unwrap())].into_iter().collect();
            assert_eq!(given(&headers), expected.map(|text| text.as_bytes().to_vec()), "{header:?}");
        }
        assert_eq!(given(&HeaderMap::new()), None);
    }
}
