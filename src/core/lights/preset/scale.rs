//! Per cent and durations in a device's own units.

use std::time::Duration;

use serde::{Serialize, Serializer};

use crate::core::lights::color::Color;

/// `per_cent` of `full`, to the nearest whole number. What is lit stays lit: it is 0 only where `full` is.
pub(super) fn per_cent_of(full: u8, per_cent: u8) -> u8 {
    let scaled = (u32::from(full) * u32::from(per_cent) + 50) / 100;
    u8::try_from(scaled).unwrap_or(full).clamp(full.min(1), full)
}

/// A colour as bright as it is to be, for devices that have no brightness apart from the colour.
pub(super) fn dimmed(color: Color, per_cent: u8) -> Color {
    let [red, green, blue] = [color.red, color.green, color.blue].map(|part| per_cent_of(part, per_cent));
    Color { red, green, blue }
}

/// How many `unit`s a duration is, to the nearest whole number and at most `most`. A unit is not zero.
pub(super) fn units_of(unit: Duration, duration: Duration, most: u32) -> u32 {
    let whole = (duration + unit / 2).as_nanos() / unit.as_nanos().max(1);
    u32::try_from(whole).map_or(most, |whole| whole.min(most))
}

/// A JSON number of seconds with at most one decimal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Seconds {
    /// Tenths of a second.
    pub tenths: u32,
}

impl Seconds {
    /// A duration to the nearest tenth. An hour is the longest transition that can be configured.
    pub(super) fn of(duration: Duration) -> Self {
        Self { tenths: units_of(Duration::from_millis(100), duration, 36_000) }
    }
}

impl Serialize for Seconds {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.tenths.is_multiple_of(10) {
            serializer.serialize_u32(self.tenths / 10)
        } else {
            serializer.serialize_f64(f64::from(self.tenths) / 10.0)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::model::payload::json;

    #[test]
    fn brightness_is_to_the_nearest_and_never_nothing() {
        for (full, per_cent, expected) in
            [(255, 100, 255), (255, 60, 153), (255, 50, 128), (255, 1, 3), (254, 100, 254), (254, 60, 152)]
        {
            assert_eq!(per_cent_of(full, per_cent), expected, "{per_cent} % of {full}");
        }
        for (full, per_cent, expected) in [(100, 60, 60), (100, 1, 1), (10, 1, 1), (1, 1, 1), (0, 60, 0)] {
            assert_eq!(per_cent_of(full, per_cent), expected, "{per_cent} % of {full}");
        }
        for per_cent in 1..=100 {
            assert!(per_cent_of(255, per_cent) > 0);
            assert!(per_cent_of(255, per_cent) >= per_cent_of(255, per_cent - 1));
        }
    }

    #[test]
    fn durations_are_to_the_nearest_unit_and_bounded() {
        let (second, half) = (Duration::from_secs(1), Duration::from_millis(500));
        for (unit, millis, most, expected) in [
            (second, 0, 10, 0),
            (second, 499, 10, 0),
            (second, 500, 10, 1),
            (second, 1000, 10, 1),
            (half, 1300, 40, 3),
            (half, 3_600_000, 40, 40),
        ] {
            let duration = Duration::from_millis(millis);
            assert_eq!(units_of(unit, duration, most), expected, "{duration:?} in {unit:?}");
        }
    }

    #[test]
    fn seconds_have_a_decimal_only_where_they_need_one() {
        for (millis, expected) in [(0, "0"), (1000, "1"), (250, "0.3"), (1500, "1.5"), (3_600_000, "3600")] {
            assert_eq!(json(&Seconds::of(Duration::from_millis(millis))), expected);
        }
    }
}
