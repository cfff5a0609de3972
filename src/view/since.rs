//! How long ago something was, in as few words as matter.

/// `now` for what lies ahead as well: two machines' clocks differ.
pub(super) fn words(seconds: i64) -> String {
    let (minute, hour, day) = (60, 3600, 86_400);
    match seconds {
        ..=0 => "now".to_owned(),
        _ if seconds < minute => format!("{seconds}s"),
        _ if seconds < hour => format!("{}m", seconds / minute),
        _ if seconds < day => format!("{}h {:02}m", seconds / hour, seconds % hour / minute),
        _ => format!("{}d {:02}h", seconds / day, seconds % day / hour),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn in_words() {
        for (seconds, expected) in [
            (-5, "now"),
            (0, "now"),
            (59, "59s"),
            (60, "1m"),
            (3599, "59m"),
            (3600, "1h 00m"),
            (86_399, "23h 59m"),
            (86_400, "1d 00h"),
            (10_000_000, "115d 17h"),
        ] {
            assert_eq!(words(seconds), expected, "{seconds}");
        }
    }
}
