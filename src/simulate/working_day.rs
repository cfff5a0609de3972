//! What somebody is doing at a given moment: a pure function of who they are and the simulated time.
//!
//! Nothing is stored. A person's seed and the number of a short stretch of time make a random
//! number, and that picks from a table; so any moment can be asked for, in any order.

use std::time::Duration;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// Everything presence tells about somebody.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Situation {
    pub(super) availability: &'static str,
    pub(super) activity: &'static str,
    /// The automatic reply, while out of office.
    pub(super) out_of_office: Option<&'static str>,
    pub(super) status_message: Option<&'static str>,
    pub(super) work_location: WorkLocation,
}

/// Where somebody works, with the two words Graph has for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct WorkLocation {
    pub(super) source: &'static str,
    pub(super) kind: &'static str,
}

/// What people do at work, each with a weight: (weight, availability, activity).
const AT_WORK: &[(u32, &str, &str)] = &[
    (8, "Available", "Available"),
    (1, "Available", "AvailableInactive"),
    (2, "AvailableIdle", "Inactive"),
    (3, "Busy", "Busy"),
    (4, "Busy", "InACall"),
    (2, "Busy", "InAConferenceCall"),
    (5, "Busy", "InAMeeting"),
    (1, "BusyIdle", "InAMeeting"),
    (1, "DoNotDisturb", "DoNotDisturb"),
    (1, "DoNotDisturb", "UrgentInterruptionsOnly"),
    (2, "DoNotDisturb", "Presenting"),
    (2, "DoNotDisturb", "Focusing"),
    (2, "Away", "Away"),
    (2, "BeRightBack", "BeRightBack"),
];

const LUNCH_STARTS: (&str, &str) = ("BeRightBack", "BeRightBack");
const LUNCH: (&str, &str) = ("Away", "Away");
const OUT_OF_OFFICE: (&str, &str) = ("Offline", "OutOfOffice");
const EVENING: (&str, &str) = ("Offline", "OffWork");
const SIGNED_OUT: (&str, &str) = ("Offline", "Offline");

const STATUS_MESSAGES: &[Option<&str>] = &[
    None,
    None,
    Some("In the workshop"),
    Some("Please write, calls are hard today"),
    Some("Back on Thursday ☕"),
];

const WORK_LOCATIONS: &[WorkLocation] = &[
    location("scheduled", "office"),
    location("scheduled", "remote"),
    location("manual", "office"),
    location("automatic", "office"),
    location("none", "unspecified"),
];

/// What the person with this seed does `time` after a Monday's midnight.
///
/// Weeks differ from each other. Nobody has the first day off, so that a demonstration that starts
/// on it has something to show.
pub(super) fn situation(seed: u64, time: Duration) -> Situation {
    let (day, second) = (time.as_secs() / DAY, time.as_secs() % DAY);
    let mut today = random(seed, "day", day);
    let habits = Habits::of(seed);
    let day_off = day > 0 && today.u32(0..10) == 0;
    let status_message = STATUS_MESSAGES[today.usize(..STATUS_MESSAGES.len())];
    let work_location = WORK_LOCATIONS[today.usize(..WORK_LOCATIONS.len())];
    let (availability, activity) = if day_off {
        OUT_OF_OFFICE
    } else if day % 7 >= 5 {
        SIGNED_OUT
    } else {
        habits.at(seed, day, second)
    };
    Situation {
        availability,
        activity,
        out_of_office: day_off.then_some("I am away and will answer when I am back."),
        status_message,
        work_location: if day_off { location("scheduled", "timeOff") } else { work_location },
    }
}

/// The hours somebody keeps, in seconds after midnight, and how long one thing holds them.
struct Habits {
    arrives: u64,
    lunch: u64,
    leaves: u64,
    signs_out: u64,
    stretch: u64,
}

impl Habits {
    fn of(seed: u64) -> Self {
        let mut random = random(seed, "habits", 0);
        let arrives = 8 * HOUR + random.u64(0..50) * MINUTE;
        Self {
            arrives,
            lunch: 11 * HOUR + random.u64(30..120) * MINUTE,
            leaves: arrives + random.u64(8..=9) * HOUR,
            signs_out: 19 * HOUR + random.u64(0..180) * MINUTE,
            stretch: random.u64(150..330),
        }
    }

    fn at(&self, seed: u64, day: u64, second: u64) -> (&'static str, &'static str) {
        if second < self.arrives || second >= self.signs_out {
            SIGNED_OUT
        } else if second >= self.leaves {
            EVENING
        } else if (self.lunch..self.lunch + 5 * MINUTE).contains(&second) {
            LUNCH_STARTS
        } else if (self.lunch..self.lunch + 45 * MINUTE).contains(&second) {
            LUNCH
        } else {
            let stretch = (day * DAY + second) / self.stretch;
            at_work(&mut random(seed, "stretch", stretch))
        }
    }
}

fn at_work(random: &mut fastrand::Rng) -> (&'static str, &'static str) {
    let all = AT_WORK.iter().map(|(weight, ..)| weight).sum();
    let mut left = random.u32(0..all);
    for &(weight, availability, activity) in AT_WORK {
        if left < weight {
            return (availability, activity);
        }
        left -= weight;
    }
    SIGNED_OUT
}

const fn location(source: &'static str, kind: &'static str) -> WorkLocation {
    WorkLocation { source, kind }
}

/// Random numbers for one question about one person; FNV-1a keeps near seeds from giving near answers.
fn random(seed: u64, question: &str, number: u64) -> fastrand::Rng {
    let bytes = seed.to_le_bytes().into_iter().chain(question.bytes());
    let hash = bytes.chain(number.to_le_bytes()).fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    fastrand::Rng::with_seed(hash)
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    const AVAILABILITIES: &str =
        "Available AvailableIdle Away BeRightBack Busy BusyIdle DoNotDisturb Offline PresenceUnknown";
    const ACTIVITIES: &str = "Available Away BeRightBack Busy DoNotDisturb InACall InAConferenceCall \
         Inactive InAMeeting Offline OffWork OutOfOffice PresenceUnknown Presenting \
         UrgentInterruptionsOnly AvailableInactive Focusing";

    fn is_one_of(list: &str, word: &str) -> bool {
        list.split_whitespace().any(|known| known == word)
    }

    proptest! {
        #[test]
        fn only_words_that_graph_has_and_always_the_same(seed: u64, second in 0..400 * DAY) {
            let now = situation(seed, Duration::from_secs(second));
            prop_assert!(is_one_of(AVAILABILITIES, now.availability));
            prop_assert!(is_one_of(ACTIVITIES, now.activity));
            prop_assert!(is_one_of("none manual scheduled automatic", now.work_location.source));
            prop_assert!(is_one_of("unspecified office remote timeOff", now.work_location.kind));
            prop_assert_eq!(now.out_of_office.is_some(), now.activity == "OutOfOffice");
            prop_assert_eq!(now, situation(seed, Duration::from_secs(second)));
        }

    }

    proptest! {
        // Each case is a hundred thousand moments.
        #![proptest_config(ProptestConfig::with_cases(4))]

        #[test]
        fn twenty_people_reach_every_state_within_a_week(seed in 0..1_000_000u64) {
            let mut missing: BTreeSet<_> = AT_WORK.iter().map(|&(_, a, b)| (a, b)).collect();
            missing.extend([LUNCH_STARTS, LUNCH, OUT_OF_OFFICE, EVENING, SIGNED_OUT]);
            for person in seed..seed + 20 {
                for minute in (0..7 * 24 * 60).step_by(2) {
                    let now = situation(person, Duration::from_secs(minute * MINUTE));
                    missing.remove(&(now.availability, now.activity));
                }
            }
            prop_assert!(missing.is_empty(), "never reached: {:?}", missing);
        }
    }

    #[test]
    fn three_people_give_a_short_demonstration_something_to_show() {
        for seed in 0..50 {
            let changes: usize = (seed * 3..seed * 3 + 3)
                .map(|person| {
                    let at = |m| situation(person, Duration::from_secs(9 * HOUR + m * MINUTE));
                    (0..10).filter(|&m| at(m) != at(m + 1)).count()
                })
                .sum();
            assert!(changes >= 2, "seed {seed}: {changes}");
        }
    }
}
