//! Signing in with a code, on whatever device.

use std::io::{self, Write};

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::picture;
use super::request::{Request, not_issued};
use crate::cli::exit::{self, Failure};
use crate::core::model::sign_in::ShownInvitation;
use crate::graph::sign_in::answer::{Issued, NotIssued};
use crate::graph::sign_in::device_code::{CodeEnd, PendingCode};

/// Why nobody signed in with a code.
pub(super) enum NoCode {
    /// The tenant or the app allows none; another one would be of no use either.
    Blocked(String),
    /// Anything else.
    Other(Failure),
}

/// Shows a code and waits until somebody has used it.
#[expect(clippy::disallowed_methods, reason = "a command is an edge: people read how long a code lives")]
pub(super) async fn sign_in(
    request: &Request<'_>,
    colours: bool,
    out: &mut impl Write,
) -> Result<Issued, NoCode> {
    let Request { authority, client_id, scope, progress } = request;
    let asking = PendingCode::ask(authority, client_id, scope);
    let code = progress.during("asking for a code", asking).await.map_err(not_given)?;
    show(&code.shown, colours, Timestamp::now(), &TimeZone::system(), out)?;
    let waiting = progress.during("waiting for you to sign in", code.wait(authority));
    match waiting.await.map_err(not_given)? {
        CodeEnd::SignedIn(issued) => Ok(issued),
        CodeEnd::Declined(advice) | CodeEnd::Expired(advice) => {
            Err(Failure::new(exit::SIGN_IN, advice.as_str()).into())
        }
    }
}

fn show(
    shown: &ShownInvitation,
    colours: bool,
    now: Timestamp,
    zone: &TimeZone,
    out: &mut impl Write,
) -> io::Result<()> {
    let address = &shown.verification_uri;
    // The address is short; if it ever were not, people could still type it.
    if let Some(picture) = colours.then(|| picture::of(address.as_str())).flatten() {
        writeln!(out, "{picture}")?;
    }
    writeln!(out, "Open {address}\nand enter the code {}", shown.user_code.as_deref().unwrap_or_default())?;
    writeln!(out, "{}\nWaiting for you to sign in…", expiry(shown.expires_at, now, zone))?;
    out.flush()
}

/// Until when, by the clock on the wall.
fn expiry(ends: Timestamp, now: Timestamp, zone: &TimeZone) -> String {
    let minutes = ((ends.duration_since(now).as_secs() + 30) / 60).max(1);
    let minutes = if minutes == 1 { "1 minute".to_owned() } else { format!("{minutes} minutes") };
    format!("The code expires in {minutes}, at {}.", ends.to_zoned(zone.clone()).strftime("%H:%M"))
}

fn not_given(reason: NotIssued) -> NoCode {
    match reason {
        NotIssued::Refused(refusal) if refusal.blocks_codes() => {
            NoCode::Blocked(refusal.details().to_string())
        }
        reason @ (NotIssued::Refused(_) | NotIssued::Passing { .. }) => not_issued(reason).into(),
    }
}

impl From<NoCode> for Failure {
    fn from(reason: NoCode) -> Self {
        match reason {
            NoCode::Blocked(details) => Self::new(
                exit::SIGN_IN,
                format!(
                    "the tenant or the app blocks signing in with a code ({details}): run `presence2mqtt login --browser`, with \
                     --no-open where there is no browser"
                ),
            ),
            NoCode::Other(failure) => failure,
        }
    }
}

impl From<Failure> for NoCode {
    fn from(failure: Failure) -> Self {
        Self::Other(failure)
    }
}

impl From<io::Error> for NoCode {
    fn from(error: io::Error) -> Self {
        Self::Other(error.into())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_told_in_minutes_and_by_the_clock_on_the_wall() {
        let berlin = TimeZone::posix("CET-1CEST,M3.5.0,M10.5.0/3").unwrap();
        for (seconds, zone, expected) in [
            (900, &TimeZone::UTC, "The code expires in 15 minutes, at 03:27."),
            (899, &berlin, "The code expires in 15 minutes, at 04:27."),
            (70, &berlin, "The code expires in 1 minute, at 04:27."),
            (-5, &berlin, "The code expires in 1 minute, at 04:27."),
        ] {
            let ends: Timestamp = "2026-11-28T03:27:43Z".parse().unwrap();
            let now = ends - jiff::SignedDuration::from_secs(seconds);
            assert_eq!(expiry(ends, now, zone), expected);
        }
    }

    #[test]
    fn the_picture_is_for_terminals_with_colours() {
        let shown = ShownInvitation {
            verification_uri: "https://microsoft.com/devicelogin".parse().unwrap(),
            user_code: Some("ABCD1234".into()),
            expires_at: "2026-11-28T03:27:43Z".parse().unwrap(),
        };
        let now = "2026-11-28T03:12:43Z".parse().unwrap();
        for colours in [true, false] {
            let mut out = Vec::new();
            show(&shown, colours, now, &TimeZone::UTC, &mut out).unwrap();
            let text = String::from_utf8(out).unwrap();
            assert_eq!(text.contains('\x1b'), colours, "{text}");
            assert!(text.ends_with(
                "Open https://microsoft.com/devicelogin\nand enter the code ABCD1234\n\
                 The code expires in 15 minutes, at 03:27.\nWaiting for you to sign in…\n"
            ));
        }
    }
}
