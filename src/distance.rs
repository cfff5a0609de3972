//! Durations in words, in the two largest units.

/// A duration, cut to the units that matter.
enum Units {
    Seconds(u64),
    Minutes(u64),
    HoursAndMinutes(u64, u64),
    DaysAndHours(u64, u64),
}

fn units(seconds: u64) -> Units {
    let (minute, hour, day) = (60, 3600, 86_400);
    match seconds {
        _ if seconds < minute => Units::Seconds(seconds),
        _ if seconds < hour => Units::Minutes(seconds / minute),
        _ if seconds < day => Units::HoursAndMinutes(seconds / hour, seconds % hour / minute),
        _ => Units::DaysAndHours(seconds / day, seconds % day / hour),
    }
}

/// For a table column, such as `1h 05m`. A moment in the future is `now`, since two machines' clocks differ.
pub(crate) fn brief(seconds: i64) -> String {
    match units(seconds.max(0).unsigned_abs()) {
        Units::Seconds(0) => "now".to_owned(),
        Units::Seconds(seconds) => format!("{seconds}s"),
        Units::Minutes(minutes) => format!("{minutes}m"),
        Units::HoursAndMinutes(hours, minutes) => format!("{hours}h {minutes:02}m"),
        Units::DaysAndHours(days, hours) => format!("{days}d {hours:02}h"),
    }
}

/// For a sentence, such as `1 h 5 min`.
pub(crate) fn spelled(seconds: u64) -> String {
    match units(seconds) {
        Units::Seconds(_) => "under 1 min".to_owned(),
        Units::Minutes(minutes) => format!("{minutes} min"),
        Units::HoursAndMinutes(hours, minutes) => format!("{hours} h {minutes} min"),
        Units::DaysAndHours(days, hours) => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_words() {
        for (seconds, in_brief, in_full) in [
            (-5, "now", None),
            (0, "now", Some("under 1 min")),
            (59, "59s", Some("under 1 min")),
            (60, "1m", Some("1 min")),
            (3599, "59m", Some("59 min")),
            (3600, "1h 00m", Some("1 h 0 min")),
            (86_399, "23h 59m", Some("23 h 59 min")),
            (86_400, "1d 00h", Some("1 d 0 h")),
            (10_000_000, "115d 17h", Some("115 d 17 h")),
        ] {
            assert_eq!(brief(seconds), in_brief, "{seconds}");
            assert_eq!(u64::try_from(seconds).ok().map(spelled).as_deref(), in_full, "{seconds}");
        }
    }
}
