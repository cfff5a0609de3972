//! What is known in words for people.

use std::fmt::Write;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use minijinja::{Value, context};
use qrcode::{Color, EcLevel, QrCode};

use crate::core::model::sign_in::{AccountChange, ShownInvitation};
use crate::distance;

/// A moment, for people and for the script that turns it into their own time.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Moment {
    /// Such as `2026-11-23T09:14:22Z`.
    iso: String,
    /// Such as `09:14 UTC`, with the date unless it is today's.
    clock: String,
    /// How long that is from now, such as `12 min`.
    distance: String,
    /// The same, with seconds where they count.
    exact: String,
}

impl Moment {
    pub(super) fn new(moment: Timestamp, now: Timestamp) -> Self {
        let (then, today) = (moment.to_zoned(TimeZone::UTC), now.to_zoned(TimeZone::UTC));
        let form = if then.date() == today.date() { "%H:%M UTC" } else { "%Y-%m-%d %H:%M UTC" };
        let seconds = now.duration_since(moment).as_secs().unsigned_abs();
        let distance = distance::spelled(seconds);
        let exact = if seconds < 120 { format!("{seconds} s") } else { distance.clone() };
        Self { iso: moment.to_string(), clock: then.strftime(form).to_string(), distance, exact }
    }

    /// For the template.
    pub(super) fn value(self) -> Value {
        context! { iso => self.iso, clock => self.clock, distance => self.distance, exact => self.exact }
    }
}

/// `InAConferenceCall` as `In a conference call`; words of another form as they are.
pub(super) fn spaced(word: &str) -> String {
    let mut spaced = String::with_capacity(word.len() + 4);
    for (i, letter) in word.chars().enumerate() {
        if i > 0 && letter.is_ascii_uppercase() {
            spaced.push(' ');
            spaced.push(letter.to_ascii_lowercase());
        } else {
            spaced.push(letter);
        }
    }
    spaced
}

/// `sign_in_required` as `sign in required`.
pub(super) fn plain(word: &str) -> String {
    word.replace('_', " ")
}

/// How to sign in. A code is often entered on a phone; a browser has to end on a machine from which the
/// address can be copied.
pub(super) fn invitation(shown: &ShownInvitation) -> Value {
    let (uri, code) = (shown.verification_uri.as_str(), shown.user_code.as_deref());
    let qr_code = code.and_then(|_| qr_code(uri));
    let side = qr_code.as_ref().map(|(_, side)| *side);
    context! { uri, code, side, path => qr_code.map(|(path, _)| path) }
}

/// Whose sign-in would take the place of whose.
pub(super) fn change(AccountChange { before, now }: &AccountChange) -> Value {
    context! { before => before.as_str(), now => now.as_str() }
}

/// A QR code as the data of an SVG path, and the length of its side with the quiet zone; nothing if the text
/// is too long.
fn qr_code(text: &str) -> Option<(String, usize)> {
    /// Around the code, for the reader's eye (ISO/IEC 18004 wants four modules).
    const QUIET: usize = 4;
    let code = QrCode::with_error_correction_level(text, EcLevel::M).ok()?;
    let width = code.width();
    let mut path = String::new();
    for (i, color) in code.to_colors().into_iter().enumerate() {
        if color == Color::Dark {
            // A string takes all that is written.
            let _taken = write!(path, "M{} {}h1v1h-1z", QUIET + i % width, QUIET + i / width);
        }
    }
    Some((path, width + 2 * QUIET))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn moments() {
        let now: Timestamp = "2026-11-23T09:14:22Z".parse().unwrap();
        for (moment, clock, distance, exact) in [
            ("2026-11-23T09:14:22Z", "09:14 UTC", "under 1 min", "0 s"),
            ("2026-11-23T09:13:23Z", "09:13 UTC", "under 1 min", "59 s"),
            ("2026-11-23T09:12:23Z", "09:12 UTC", "1 min", "119 s"),
            ("2026-11-23T09:00:00Z", "09:00 UTC", "14 min", "14 min"),
            ("2026-11-23T00:00:00Z", "00:00 UTC", "9 h 14 min", "9 h 14 min"),
            ("2026-11-22T23:59:59Z", "2026-11-22 23:59 UTC", "9 h 14 min", "9 h 14 min"),
            ("2026-11-20T08:00:00Z", "2026-11-20 08:00 UTC", "3 d 1 h", "3 d 1 h"),
            ("2026-11-23T09:29:22Z", "09:29 UTC", "15 min", "15 min"),
        ] {
            let made = Moment::new(moment.parse().unwrap(), now);
            assert_eq!((made.clock.as_str(), made.distance.as_str()), (clock, distance), "{moment}");
            assert_eq!((made.iso.as_str(), made.exact.as_str()), (moment, exact));
        }
    }

    #[test]
    fn presence_words() {
        for (word, expected) in [
            ("Available", "Available"),
            ("InAConferenceCall", "In a conference call"),
            ("DoNotDisturb", "Do not disturb"),
            ("", ""),
            ("<script>", "<script>"),
        ] {
            assert_eq!(spaced(word), expected);
        }
        assert_eq!(plain("sign_in_required"), "sign in required");
    }

    #[test]
    fn a_code_has_its_three_corners() {
        let (path, side) = qr_code("https://microsoft.com/devicelogin").unwrap();
        for corner in ["M4 4h", &format!("M{} 4h", side - 5), &format!("M4 {}h", side - 5)] {
            assert!(path.contains(corner), "{corner} in {path}");
        }
        assert!(!path.contains("M3 ") && !path.contains(" 3h"), "the quiet zone is quiet");
        assert_eq!(qr_code(&"x".repeat(5000)), None);
    }
}
