//! Everybody in the tenant under load: invented from a seed, and changing when they are looked at.
//!
//! Nothing is stored about a person but how often they were looked at and how often they changed, so that a
//! million of them cost the tenant next to nothing.

use std::io::Write;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};

use uuid::Uuid;

/// What somebody may be doing, in the order in which they go through it.
const WORDS: [(&str, &str); 8] = [
    ("Available", "Available"),
    ("Busy", "InAMeeting"),
    ("Available", "Available"),
    ("Busy", "InACall"),
    ("Away", "Away"),
    ("DoNotDisturb", "Presenting"),
    ("BeRightBack", "BeRightBack"),
    ("Offline", "Offline"),
];

/// One person in so many has written a status message.
const ONE_WRITES: usize = 10;

/// The people, and what they do.
pub(crate) struct People {
    seed: u64,
    /// The place of the first of them among those of all tenants.
    first: usize,
    looks: Vec<AtomicU32>,
    changes: Vec<AtomicU32>,
    /// The share that changes from one look to the next, as a part of `u32::MAX`.
    share: AtomicU64,
}

impl People {
    pub(crate) fn new(first: usize, count: usize, seed: u64) -> Self {
        let none = || (0..count).map(|_| AtomicU32::new(0)).collect();
        Self { seed, first, looks: none(), changes: none(), share: AtomicU64::new(0) }
    }

    /// The places of all of them.
    pub(crate) fn places(&self) -> Range<usize> {
        self.first..self.first + self.looks.len()
    }

    /// From now on this share of those who are looked at has changed since the last look.
    pub(crate) fn change(&self, share: f64) {
        self.share.store((share * f64::from(u32::MAX)) as u64, Ordering::Relaxed);
    }

    /// Whoever has this object id.
    pub(crate) fn place(&self, id: &str) -> Option<usize> {
        let place = usize::from_str_radix(id.get(24..36)?, 16).ok()?;
        self.places().contains(&place).then_some(place)
    }

    /// Looks at somebody: writes what they do, and says whether that is new since the last look.
    pub(crate) fn look(&self, place: usize, out: &mut Vec<u8>) -> Option<u32> {
        let inside = place - self.first;
        let looks = self.looks[inside].fetch_add(1, Ordering::Relaxed);
        let drawn = mix(self.seed ^ mix(place as u64) ^ (u64::from(looks) << 40)) >> 32;
        let changed = looks == 0 || drawn < self.share.load(Ordering::Relaxed);
        let count = &self.changes[inside];
        let changes =
            if changed { count.fetch_add(1, Ordering::Relaxed) + 1 } else { count.load(Ordering::Relaxed) };
        self.write(place, changes, out);
        changed.then_some(changes)
    }

    /// As Graph writes it (Graph: `presence-get`).
    fn write(&self, place: usize, changes: u32, out: &mut Vec<u8>) {
        let (availability, activity) = WORDS[(place + changes as usize) % WORDS.len()];
        let message = match place % ONE_WRITES {
            0 => r#"{"message":{"content":"In the workshop until noon","contentType":"text"}}"#,
            _ => "null",
        };
        // Writing into memory does not fail.
        let _written = write!(
            out,
            r#"{{"id":"{}","availability":"{availability}","activity":"{activity}","statusMessage":{message},"outOfOfficeSettings":{{"message":null,"isOutOfOffice":false}},"workLocation":{{"placeId":null,"source":"none","workLocationType":"unspecified"}},"sequenceNumber":"A{changes:010}"}}"#,
            id(self.seed, place).as_hyphenated()
        );
    }
}

/// The object id of whoever is at a place: random to look at, and telling the place.
pub(crate) fn id(seed: u64, place: usize) -> Uuid {
    let random = mix(seed ^ mix(place as u64));
    Uuid::from_u128((u128::from(random) << 64) | place as u128)
}

/// The name under which the bridge publishes them.
pub(crate) fn name(place: usize) -> String {
    format!("anna_adams_{place:07}")
}

/// Whoever has this name.
pub(crate) fn place_of(name: &str) -> Option<usize> {
    name.strip_prefix("anna_adams_")?.parse().ok()
}

/// SplitMix64: neighbours come out far from each other.
fn mix(of: u64) -> u64 {
    let mut z = of.wrapping_add(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
