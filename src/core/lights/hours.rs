//! When a light may be on: hours of the week in a time zone.

use std::str::FromStr;

use jiff::civil::{Date, Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use crate::core::model::name::InvalidName;

const ALLOWED: InvalidName =
    InvalidName("days and hours such as \"Mon-Fri 08:00-18:00\" or \"Mon,Wed 08:00-12:00; Sat 22:00-02:00\"");

const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Monday),
    ("tue", Weekday::Tuesday),
    ("wed", Weekday::Wednesday),
    ("thu", Weekday::Thursday),
    ("fri", Weekday::Friday),
    ("sat", Weekday::Saturday),
    ("sun", Weekday::Sunday),
];

/// Hours of the week, such as `Mon-Fri 08:00-18:00`: days, where some are named, and hours, which may go past
/// midnight. Several are joined by `;`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Week(Vec<Window>);

#[derive(Debug, Clone, PartialEq, Eq)]
struct Window {
    /// The days on which it begins.
    days: Vec<Weekday>,
    from: Time,
    /// Midnight is the end of the day; not later than `from` means the next day.
    to: Time,
}

/// Hours of the week in a time zone, which knows when clocks are put forward and back.
#[derive(Debug, Clone, PartialEq)]
pub struct Hours {
    /// The hours, by the clock on the wall.
    pub week: Week,
    /// Whose clock that is.
    pub zone: TimeZone,
}

/// A stretch of time in which nothing changes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Stretch {
    /// Whether the hours hold here.
    pub within: bool,
    from: Timestamp,
    /// When it ends.
    pub until: Timestamp,
}

impl Stretch {
    /// Without hours: for ever.
    pub(super) const ALWAYS: Self = Self { within: true, from: Timestamp::MIN, until: Timestamp::MAX };

    /// Whether `at` lies in it.
    pub(super) fn contains(self, at: Timestamp) -> bool {
        self.from <= at && at < self.until
    }
}

impl Hours {
    /// The stretch in which `at` lies.
    pub(super) fn stretch(&self, at: Timestamp) -> Stretch {
        let today = self.zone.to_datetime(at).date();
        // From the window that began yesterday, to the same day next week and past its midnight.
        let days = (-1..=8).filter_map(|days| today.checked_add(days.days()).ok());
        let begins_on = |day: Date| {
            let windows = self.week.0.iter().filter(move |window| window.days.contains(&day.weekday()));
            windows.filter_map(move |window| self.instants(window, day))
        };
        let windows: Vec<(Timestamp, Timestamp)> = days.flat_map(begins_on).collect();
        let edges = || windows.iter().flat_map(|&(from, to)| [from, to]);
        Stretch {
            within: windows.iter().any(|&(from, to)| from <= at && at < to),
            from: edges().filter(|&edge| edge <= at).max().unwrap_or(Timestamp::MIN),
            until: edges().filter(|&edge| edge > at).min().unwrap_or(Timestamp::MAX),
        }
    }

    /// From when to when a window lasts that begins on this day.
    fn instants(&self, window: &Window, day: Date) -> Option<(Timestamp, Timestamp)> {
        let last = if window.to <= window.from { day.tomorrow().ok()? } else { day };
        // A time that a clock put forward leaves out is taken as late as it is after that.
        let instant = |day: Date, time: Time| {
            let zoned = self.zone.to_ambiguous_zoned(day.to_datetime(time)).compatible();
            zoned.ok().map(|zoned| zoned.timestamp())
        };
        Some((instant(day, window.from)?, instant(last, window.to)?))
    }
}

impl FromStr for Week {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        text.split(';').map(window).collect::<Option<Vec<Window>>>().map(Self).ok_or(ALLOWED)
    }
}

fn window(text: &str) -> Option<Window> {
    let text = text.trim();
    let (days, hours) = match text.rsplit_once(char::is_whitespace) {
        Some((days, hours)) => (days.split(',').map(range).collect::<Option<Vec<_>>>()?.concat(), hours),
        None => (DAYS.map(|(_, day)| day).to_vec(), text),
    };
    let (from, to) = hours.split_once('-')?;
    let (from, to) = (time(from)?, if to == "24:00" { Time::midnight() } else { time(to)? });
    Some(Window { days, from, to })
}

/// One day, or the days from one to another, perhaps over Sunday.
fn range(text: &str) -> Option<Vec<Weekday>> {
    let (first, last) = text.split_once('-').unwrap_or((text, text));
    let (first, last) = (day(first)?, day(last)?);
    let length = usize::try_from(last.since(first)).ok()? + 1;
    Some(first.cycle_forward().take(length).collect())
}

fn day(text: &str) -> Option<Weekday> {
    let named = |(name, _): &&(&str, Weekday)| name.eq_ignore_ascii_case(text.trim());
    DAYS.iter().find(named).map(|&(_, day)| day)
}

fn time(text: &str) -> Option<Time> {
    let (hour, minute) = text.split_once(':')?;
    let number = |digits: &str| {
        let two = digits.len() == 2 && digits.chars().all(|c| c.is_ascii_digit());
        digits.parse().ok().filter(|_| two)
    };
    Time::new(number(hour)?, number(minute)?, 0, 0).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hours(week: &str, zone: &str) -> Hours {
        Hours { week: week.parse().unwrap(), zone: TimeZone::get(zone).unwrap() }
    }

    #[test]
    fn within_and_until() {
        let (office, night, sunday) = ("Mon-Fri 08:00-18:00", "22:00-06:00", "sat - mon,Wed 00:00-24:00");
        for (week, at, within, until) in [
            // 2026-11-23 is a Monday.
            (office, "2026-11-23T07:59:59+01", false, "2026-11-23T08:00:00+01"),
            (office, "2026-11-23T08:00:00+01", true, "2026-11-23T18:00:00+01"),
            (office, "2026-11-27T18:00:00+01", false, "2026-11-30T08:00:00+01"),
            (office, "2026-11-29T12:00:00+01", false, "2026-11-30T08:00:00+01"),
            (night, "2026-11-23T05:00:00+01", true, "2026-11-23T06:00:00+01"),
            (night, "2026-11-23T23:00:00+01", true, "2026-11-24T06:00:00+01"),
            (night, "2026-11-23T12:00:00+01", false, "2026-11-23T22:00:00+01"),
            (sunday, "2026-11-23T12:00:00+01", true, "2026-11-24T00:00:00+01"),
            (sunday, "2026-11-24T12:00:00+01", false, "2026-11-25T00:00:00+01"),
            ("Mon 08:00-12:00; Mon 13:00-17:00", "2026-11-23T12:30:00+01", false, "2026-11-23T13:00:00+01"),
            ("Mon 08:00-09:00", "2026-11-23T10:00:00+01", false, "2026-11-30T08:00:00+01"),
            // Clocks go forward on 2026-03-29 at 02:00: half past two does not exist, and the day has 23
            // hours.
            ("Sun 02:30-04:00", "2026-03-29T00:00:00+01", false, "2026-03-29T03:30:00+02"),
            (office, "2026-03-29T12:00:00+02", false, "2026-03-30T08:00:00+02"),
            // And back on 2026-10-25 at 03:00: half past two is there twice.
            ("Sun 01:00-02:30", "2026-10-25T01:30:00+02", true, "2026-10-25T02:30:00+02"),
            ("Sun 01:00-02:30", "2026-10-25T02:30:00+01", false, "2026-11-01T01:00:00+01"),
        ] {
            let at: Timestamp = at.parse().unwrap();
            let stretch = hours(week, "Europe/Berlin").stretch(at);
            assert_eq!((stretch.within, stretch.until), (within, until.parse().unwrap()), "{week} at {at}");
            assert!(stretch.contains(at) && !stretch.contains(stretch.until), "{week} at {at}");
        }
    }

    #[test]
    fn hours_are_told_from_other_words() {
        for bad in [
            "",
            "Mon-Fri",
            "08:00",
            "Mon 8:00-18:00",
            "Mon 08:00-25:00",
            "Mon 24:00-08:00",
            "Mon 08:60-09:00",
            "Montag 08:00-18:00",
            "Mon-Fri 08:00 - 18:00",
            "Mon-Fri 08:00-18:00;",
            "Mon,, 08:00-18:00",
            "+1:00-02:00",
        ] {
            assert_eq!(bad.parse::<Week>(), Err(ALLOWED), "{bad:?}");
        }
    }
}
