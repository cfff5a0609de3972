//! The end of the app's certificate, said in time.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};

const DAY: Duration = Duration::from_secs(24 * 3600);

/// The end is near when fewer days are left than one of these; few steps, so that few messages are sent.
const DAYS_LEFT: [u32; 3] = [1, 7, 30];

/// Where to click.
const RENEW: &str = "make a new one, upload it under Entra admin center > App registrations > Certificates & secrets, and \
                     replace graph.auth.certificate_file";

/// What has to be done about a certificate that ends at `ends`; nothing until 30 days before.
#[must_use]
pub fn notice(ends: Timestamp, now: Timestamp) -> Option<String> {
    let date = ends.strftime("%Y-%m-%d");
    let left = ends.duration_since(now);
    if left <= SignedDuration::ZERO {
        return Some(format!("the certificate expired on {date}; {RENEW}"));
    }
    let days = DAYS_LEFT.into_iter().find(|&days| left.unsigned_abs() < DAY * days)?;
    let days = if days == 1 { "1 day".to_owned() } else { format!("{days} days") };
    Some(format!("the certificate expires on {date} (in less than {days}); {RENEW}"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_is_said_from_thirty_days_before() {
        for (now, expected) in [
            ("2026-01-01T00:00:00Z", None),
            ("2026-11-13T08:00:00Z", None),
            ("2026-11-13T08:00:01Z", Some("expires on 2026-12-13 (in less than 30 days)")),
            ("2026-12-06T08:00:00Z", Some("expires on 2026-12-13 (in less than 30 days)")),
            ("2026-12-06T08:00:01Z", Some("expires on 2026-12-13 (in less than 7 days)")),
            ("2026-12-12T08:00:01Z", Some("expires on 2026-12-13 (in less than 1 day)")),
            ("2026-12-13T08:00:00Z", Some("expired on 2026-12-13; make a new one")),
            ("2030-01-01T00:00:00Z", Some("expired on 2026-12-13; make a new one")),
        ] {
            let notice = notice("2026-12-13T08:00:00Z".parse().unwrap(), now.parse().unwrap());
            match (&notice, expected) {
                (Some(notice), Some(expected)) => assert!(notice.contains(expected), "{now}: {notice}"),
                (notice, expected) => assert_eq!(notice.is_some(), expected.is_some(), "{now}: {notice:?}"),
            }
        }
    }
}
