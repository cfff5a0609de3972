//! Who counts where a light follows several people: the busiest.

use crate::core::model::presence::Shown;
use crate::core::model::word::{Activity, Availability, KnownActivity};

/// How busy somebody is; the greater, the busier.
type Busyness = (u8, u8);

/// The busiest of those who are seen, the first of them if several are. They come in the order of the light's
/// `users`.
pub(in crate::core) fn busiest(seen: impl IntoIterator<Item = Shown>) -> Option<Shown> {
    seen.into_iter().reduce(|first, next| if busyness(&next) > busyness(&first) { next } else { first })
}

fn busyness(shown: &Shown) -> Busyness {
    (by_availability(shown.availability), by_activity(&shown.activity))
}

fn by_availability(availability: Availability) -> u8 {
    match availability {
        Availability::DoNotDisturb => 8,
        Availability::Busy => 7,
        Availability::BusyIdle => 6,
        Availability::BeRightBack => 5,
        Availability::Away => 4,
        Availability::AvailableIdle => 3,
        Availability::Available => 2,
        Availability::Offline => 1,
        Availability::PresenceUnknown => 0,
    }
}

fn by_activity(activity: &Activity) -> u8 {
    let Activity::Known(known) = activity else { return 0 };
    match known {
        KnownActivity::Presenting => 5,
        KnownActivity::InAConferenceCall => 4,
        KnownActivity::InACall => 3,
        KnownActivity::InAMeeting => 2,
        KnownActivity::Focusing => 1,
        KnownActivity::Available
        | KnownActivity::AvailableInactive
        | KnownActivity::Away
        | KnownActivity::BeRightBack
        | KnownActivity::Busy
        | KnownActivity::DoNotDisturb
        | KnownActivity::Inactive
        | KnownActivity::Offline
        | KnownActivity::OffWork
        | KnownActivity::OutOfOffice
        | KnownActivity::PresenceUnknown
        | KnownActivity::UrgentInterruptionsOnly => 0,
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    /// As the configuration's documentation says it: the busiest first.
    const AVAILABILITIES: [&str; 9] = [
        "DoNotDisturb",
        "Busy",
        "BusyIdle",
        "BeRightBack",
        "Away",
        "AvailableIdle",
        "Available",
        "Offline",
        "PresenceUnknown",
    ];
    const ACTIVITIES: [&str; 5] = ["Presenting", "InAConferenceCall", "InACall", "InAMeeting", "Focusing"];

    fn shown(user: &str, availability: Availability, activity: Activity) -> Shown {
        Shown { user: user.parse().unwrap(), availability, activity }
    }

    fn place(list: &[&str], word: &str) -> usize {
        list.iter().position(|listed| *listed == word).unwrap_or(list.len())
    }

    fn states() -> Vec<(Availability, Activity)> {
        let activities = KnownActivity::ALL.iter().map(|word| Activity::Known(*word));
        let activities: Vec<Activity> = activities.chain([Activity::New("OnTheMoon".into())]).collect();
        let with_all = |availability: &Availability| {
            activities.iter().map(|activity| (*availability, activity.clone())).collect::<Vec<_>>()
        };
        Availability::ALL.iter().flat_map(with_all).collect()
    }

    #[test]
    fn every_pair_of_states_gives_the_busier_one() {
        let states = states();
        assert_eq!(states.len(), 9 * 18);
        for (a, doing) in &states {
            for (b, also_doing) in &states {
                let alice = shown("alice", *a, doing.clone());
                let bob = shown("bob", *b, also_doing.clone());
                let rank = |availability: &Availability, activity: &Activity| {
                    (place(&AVAILABILITIES, availability.as_str()), place(&ACTIVITIES, activity.as_str()))
                };
                let bob_is_busier = rank(b, also_doing) < rank(a, doing);
                let expected = if bob_is_busier { &bob } else { &alice };
                assert_eq!(busiest([alice.clone(), bob.clone()]).as_ref(), Some(expected));
            }
        }
    }

    proptest! {
        #[test]
        fn of_many_the_first_of_the_busiest_counts(people in proptest::collection::vec(select(states()), 0..8)) {
            let everybody: Vec<Shown> = people
                .into_iter()
                .enumerate()
                .map(|(i, (availability, activity))| shown(&format!("user{i}"), availability, activity))
                .collect();
            let chosen = busiest(everybody.clone());
            prop_assert_eq!(chosen.is_none(), everybody.is_empty());
            if let Some(chosen) = chosen {
                let first = everybody.iter().find(|other| busyness(other) >= busyness(&chosen)).unwrap();
                prop_assert_eq!(&chosen, first);
                prop_assert!(everybody.iter().all(|other| busyness(other) <= busyness(&chosen)));
            }
        }
    }
}
