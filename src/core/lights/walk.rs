//! Every state that a person can be seen in, for those who want to see what a light makes of it.

use crate::core::model::word::{Activity, Availability, KnownActivity};

/// Availability and activity as Teams pairs them, from free to gone; every word once at least.
const STATES: [(Availability, KnownActivity); 18] = [
    (Availability::Available, KnownActivity::Available),
    (Availability::AvailableIdle, KnownActivity::AvailableInactive),
    (Availability::Busy, KnownActivity::Busy),
    (Availability::Busy, KnownActivity::InACall),
    (Availability::Busy, KnownActivity::InAConferenceCall),
    (Availability::Busy, KnownActivity::InAMeeting),
    (Availability::BusyIdle, KnownActivity::Busy),
    (Availability::DoNotDisturb, KnownActivity::DoNotDisturb),
    (Availability::DoNotDisturb, KnownActivity::Presenting),
    (Availability::DoNotDisturb, KnownActivity::Focusing),
    (Availability::DoNotDisturb, KnownActivity::UrgentInterruptionsOnly),
    (Availability::BeRightBack, KnownActivity::BeRightBack),
    (Availability::Away, KnownActivity::Away),
    (Availability::Away, KnownActivity::Inactive),
    (Availability::Available, KnownActivity::OutOfOffice),
    (Availability::Offline, KnownActivity::OffWork),
    (Availability::Offline, KnownActivity::Offline),
    (Availability::PresenceUnknown, KnownActivity::PresenceUnknown),
];

/// The states, in an order that a person can follow.
pub fn every_state() -> impl Iterator<Item = (Availability, Activity)> {
    STATES.iter().map(|&(availability, activity)| (availability, Activity::Known(activity)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_word_is_left_out() {
        for word in Availability::ALL {
            assert!(every_state().any(|(availability, _)| availability == *word), "{word}");
        }
        for word in KnownActivity::ALL {
            assert!(every_state().any(|(_, activity)| activity == Activity::Known(*word)), "{word}");
        }
    }
}
