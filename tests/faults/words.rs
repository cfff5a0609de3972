//! What people can be: the words as Graph spells them, and as they must be published.

use presence2mqtt::simulate::Truth;

/// Availability and activity as they are published.
pub(crate) type Published = (&'static str, &'static str);

/// Who has no known presence.
pub(crate) const UNKNOWN: Published = ("PresenceUnknown", "PresenceUnknown");

/// Both words as Graph tells them, and both as they are published.
pub(crate) const WORDS: [((&str, &str), Published); 24] = [
    (("Available", "Available"), ("Available", "Available")),
    (("Available", "AvailableInactive"), ("Available", "AvailableInactive")),
    (("AvailableIdle", "Inactive"), ("AvailableIdle", "Inactive")),
    (("Away", "Away"), ("Away", "Away")),
    (("BeRightBack", "BeRightBack"), ("BeRightBack", "BeRightBack")),
    (("Busy", "Busy"), ("Busy", "Busy")),
    (("Busy", "InACall"), ("Busy", "InACall")),
    (("Busy", "InAMeeting"), ("Busy", "InAMeeting")),
    (("Busy", "InAConferenceCall"), ("Busy", "InAConferenceCall")),
    (("BusyIdle", "Inactive"), ("BusyIdle", "Inactive")),
    (("BusyIdle", "InAMeeting"), ("BusyIdle", "InAMeeting")),
    (("DoNotDisturb", "DoNotDisturb"), ("DoNotDisturb", "DoNotDisturb")),
    (("DoNotDisturb", "Presenting"), ("DoNotDisturb", "Presenting")),
    (("DoNotDisturb", "Focusing"), ("DoNotDisturb", "Focusing")),
    (("DoNotDisturb", "UrgentInterruptionsOnly"), ("DoNotDisturb", "UrgentInterruptionsOnly")),
    (("Away", "OutOfOffice"), ("Away", "OutOfOffice")),
    (("Offline", "Offline"), ("Offline", "Offline")),
    (("Offline", "OutOfOffice"), ("Offline", "OutOfOffice")),
    (("Offline", "OffWork"), ("Offline", "OffWork")),
    (UNKNOWN, UNKNOWN),
    // Other spellings, activities where an availability belongs, and words that nobody knows yet.
    (("busy", "inACall"), ("Busy", "InACall")),
    (("InAMeeting", "InAMeeting"), ("Busy", "InAMeeting")),
    (("presenting", "PRESENTING"), ("DoNotDisturb", "Presenting")),
    (("onTheMoon", "juggling"), ("PresenceUnknown", "juggling")),
];

/// What must be published of a truth whose words are in the table, however they are spelled at this moment.
pub(crate) fn published(truth: &Truth) -> Published {
    let alike = |(availability, activity): (&str, &str)| {
        availability.eq_ignore_ascii_case(&truth.availability)
            && activity.eq_ignore_ascii_case(&truth.activity)
    };
    let found = WORDS.iter().find(|(raw, _)| alike(*raw));
    found.unwrap_or_else(|| panic!("not in the table: {truth:?}")).1
}

#[test]
fn the_table_says_what_the_words_of_the_contract_are() {
    const AVAILABILITIES: [&str; 9] = [
        "Available",
        "AvailableIdle",
        "Away",
        "BeRightBack",
        "Busy",
        "BusyIdle",
        "DoNotDisturb",
        "Offline",
        "PresenceUnknown",
    ];
    assert!(WORDS.iter().all(|(_, published)| AVAILABILITIES.contains(&published.0)));
    assert!(AVAILABILITIES.iter().all(|word| WORDS.iter().any(|(_, published)| published.0 == *word)));
}
