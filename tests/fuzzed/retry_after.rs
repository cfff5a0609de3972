//! `Retry-After`, from the header to the next read.

use std::time::Duration;

use jiff::Timestamp;
use jiff::fmt::rfc2822::DateTimePrinter;
use jiff::tz::TimeZone;
use presence2mqtt::core::model::request::ReadFailure;
use presence2mqtt::graph::retry_after::parse;

use super::world::{World, nine};

/// The core honours a hint within these bounds, and a read may then wait for its turn.
const HONOURED: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(900));

/// `input` is the value of the header.
pub(super) fn check(input: &[u8]) {
    let wait = parse(Some(input), nine());
    if let Some(wait) = wait {
        assert_eq!(wait.subsec_nanos(), 0, "the header knows whole seconds only");
        let is_a_number = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
        let text = std::str::from_utf8(input).expect("a hint out of nothing readable").trim();
        if is_a_number(text) {
            assert_eq!(parse(Some(wait.as_secs().to_string().as_bytes()), nine()), Some(wait));
        } else {
            the_same_in_every_form(wait);
        }
    }
    for failure in [
        ReadFailure::Throttled { retry_after: wait },
        ReadFailure::Passing { why: "the service answered 503".into(), retry_after: wait },
    ] {
        let mut world = World::online();
        world.answer(Err(failure));
        let waited = world.until_next_read();
        let clamped = wait.map_or(HONOURED.0, |wait| wait.clamp(HONOURED.0, HONOURED.1));
        assert!(waited >= clamped, "{waited:?} although asked for {wait:?}");
        let longest = wait.map_or(HONOURED.1, |_| clamped) + Duration::from_secs(1);
        assert!(waited <= longest, "{waited:?} although asked for {wait:?}");
    }
}

/// An instant is the same instant in each of the forms of RFC 9110, section 5.6.7.
fn the_same_in_every_form(wait: Duration) {
    let date: Timestamp = nine() + wait;
    let civil = date.to_zoned(TimeZone::UTC);
    let preferred = DateTimePrinter::new().timestamp_to_rfc9110_string(&date).unwrap();
    let mut forms = vec![preferred, civil.strftime("%a %b %e %H:%M:%S %Y").to_string()];
    // Two digits of a year tell it for as long as they mean one of this century.
    if (2000..2069).contains(&civil.year()) {
        forms.push(civil.strftime("%A, %d-%b-%y %H:%M:%S GMT").to_string());
    }
    for form in forms {
        assert_eq!(parse(Some(form.as_bytes()), nine()), Some(wait), "{form}");
    }
}
