//! Durations as Graph writes them: ISO 8601, from days to seconds.

use std::time::Duration;

use jiff::{Span, SpanRelativeTo};

/// Reads `P1D` or `PT1H30M`; days have 24 hours. Negative durations, weeks, months and years are none that
/// Graph's metadata allows.
pub(super) fn read(text: &str) -> Option<Duration> {
    let parts = text.strip_prefix('P')?;
    let (days, time) = parts.split_once('T').unwrap_or((parts, ""));
    let plain = |part: &str, units: &str| part.chars().all(|c| c.is_ascii_digit() || units.contains(c));
    if !plain(days, "D") || !plain(time, "HMS.") {
        return None;
    }
    let span: Span = text.parse().ok()?;
    let duration = span.to_duration(SpanRelativeTo::days_are_24_hours()).ok()?;
    Duration::try_from(duration).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        for (text, seconds) in [
            ("PT5M", 300),
            ("PT4H", 14_400),
            ("P1DT1H1M1S", 90_061),
            ("P7D", 604_800),
            ("PT90S", 90),
            ("PT0S", 0),
        ] {
            assert_eq!(read(text), Some(Duration::from_secs(seconds)), "{text}");
        }
        for text in [
            "",
            "P",
            "PT",
            "5M",
            "1h",
            "pt5m",
            "-PT5M",
            "P1W",
            "P1M",
            "P1Y",
            "PT5",
            "5 minutes",
            "PT-5M",
            "PT5M ",
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
