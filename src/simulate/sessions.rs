//! How presence sessions combine: a pure function of what apps and people have set, and of the time.
//!
//! Graph's page: "Manage presence state using the Microsoft Graph API". A person's Teams clients count as one
//! session.

use std::collections::BTreeMap;
use std::time::Duration;

/// An availability and an activity.
pub(super) type Pair<'a> = (&'a str, &'a str);

/// The presence that a session may have.
pub(super) const OF_SESSIONS: &[Pair<'static>] =
    &[AVAILABLE, ("Busy", "InACall"), ("Busy", "InAConferenceCall"), AWAY, ("DoNotDisturb", "Presenting")];

/// The presence that may be preferred.
pub(super) const PREFERRED: &[Pair<'static>] = &[
    AVAILABLE,
    ("Busy", "Busy"),
    ("DoNotDisturb", "DoNotDisturb"),
    ("BeRightBack", "BeRightBack"),
    AWAY,
    APPEARS_OFFLINE,
];

const AVAILABLE: Pair = ("Available", "Available");
const INACTIVE: Pair = ("Available", "AvailableInactive");
const AWAY: Pair = ("Away", "Away");
const APPEARS_OFFLINE: Pair = ("Offline", "OffWork");

/// How long an available session stays as it is, and how long it is then inactive, unless it is renewed.
const FADE: Duration = Duration::from_secs(5 * 60);

/// The settings of one person that have not expired. Times are counted since the tenant began.
#[derive(Debug, Default)]
pub(super) struct Sessions {
    /// By the id of the app.
    of_apps: BTreeMap<String, Session>,
    preferred: Option<Preferred>,
}

#[derive(Debug)]
struct Session {
    pair: Pair<'static>,
    since: Duration,
    ends: Duration,
}

#[derive(Debug)]
struct Preferred {
    pair: Pair<'static>,
    ends: Duration,
}

impl Sessions {
    /// Begins or renews an app's session.
    pub(super) fn set(&mut self, app: &str, pair: Pair<'static>, now: Duration, lasts: Duration) {
        let session = Session { pair, since: now, ends: now + lasts };
        self.of_apps.insert(app.to_lowercase(), session);
    }

    /// Ends an app's session; false if it has none.
    pub(super) fn clear(&mut self, app: &str, now: Duration) -> bool {
        let session = self.of_apps.remove(&app.to_lowercase());
        session.is_some_and(|session| session.at(now).is_some())
    }

    pub(super) fn prefer(&mut self, pair: Pair<'static>, ends: Duration) {
        self.preferred = Some(Preferred { pair, ends });
    }

    pub(super) fn clear_preferred(&mut self) {
        self.preferred = None;
    }

    /// The presence of a person whose Teams clients report `own`.
    pub(super) fn aggregate<'a>(&self, own: Pair<'a>, now: Duration) -> Pair<'a> {
        let clients = (!own.0.eq_ignore_ascii_case("Offline")).then_some(own);
        let apps = self.of_apps.values().filter_map(|session| session.at(now));
        // Of equal sessions the last one counts, so an app's takes precedence over the clients'.
        let session = clients.into_iter().chain(apps).max_by_key(|&pair| rank(pair));
        let preferred = self.preferred.as_ref().filter(|preferred| now < preferred.ends);
        match (session, preferred) {
            (Some(_), Some(preferred)) => preferred.pair,
            (Some(session), None) => session,
            (None, Some(_)) => APPEARS_OFFLINE,
            (None, None) => own,
        }
    }
}

impl Session {
    /// The session's presence; `None` after its end.
    fn at(&self, now: Duration) -> Option<Pair<'static>> {
        let unrenewed = now.saturating_sub(self.since);
        if now >= self.ends {
            None
        } else if self.pair != AVAILABLE || unrenewed < FADE {
            Some(self.pair)
        } else if unrenewed < 2 * FADE {
            Some(INACTIVE)
        } else {
            Some(AWAY)
        }
    }
}

/// Which session takes precedence. Graph documents four availabilities; idle ones come after the busy ones
/// that they belong to.
fn rank((availability, activity): Pair) -> u8 {
    match (availability.to_ascii_lowercase().as_str(), activity.to_ascii_lowercase().as_str()) {
        ("donotdisturb", _) => 6,
        ("busy", _) => 5,
        ("busyidle", _) => 4,
        ("available", "availableinactive" | "inactive") | ("availableidle", _) => 2,
        ("available", _) => 3,
        ("away" | "berightback", _) => 1,
        (_, _) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OFFLINE: Pair = ("Offline", "Offline");

    fn minutes(minutes: u64) -> Duration {
        Duration::from_secs(60 * minutes)
    }

    #[track_caller]
    fn check(own: Pair<'static>, set: impl Fn(&mut Sessions), expected: &[(u64, Pair<'static>)]) {
        let mut sessions = Sessions::default();
        set(&mut sessions);
        for &(minute, pair) in expected {
            assert_eq!(sessions.aggregate(own, minutes(minute)), pair, "{own:?} after {minute} min");
        }
    }

    #[test]
    fn without_any_setter_everybody_is_as_they_are() {
        for own in [OFFLINE, ("Offline", "OutOfOffice"), ("Busy", "InAMeeting"), ("Levitating", "")] {
            check(own, |_| (), &[(0, own)]);
        }
    }

    #[test]
    fn among_sessions_the_most_occupied_is_believed() {
        let (call, presenting) = (("Busy", "InACall"), ("DoNotDisturb", "Presenting"));
        for (own, app, expected) in [
            (OFFLINE, AWAY, AWAY),
            (("Offline", "OffWork"), call, call),
            (AVAILABLE, AWAY, AVAILABLE),
            (AWAY, AVAILABLE, AVAILABLE),
            (("BeRightBack", "BeRightBack"), AVAILABLE, AVAILABLE),
            (("AvailableIdle", "Inactive"), AVAILABLE, AVAILABLE),
            (AVAILABLE, call, call),
            (("Busy", "InAMeeting"), AVAILABLE, ("Busy", "InAMeeting")),
            (("Busy", "InAMeeting"), call, call),
            (("BusyIdle", "InAMeeting"), call, call),
            (call, presenting, presenting),
            (("DoNotDisturb", "Focusing"), call, ("DoNotDisturb", "Focusing")),
            (("busy", "inAMeeting"), AVAILABLE, ("busy", "inAMeeting")),
            (("PresenceUnknown", "PresenceUnknown"), AWAY, AWAY),
        ] {
            check(own, |s| s.set("app", app, minutes(0), minutes(60)), &[(0, expected), (60, own)]);
        }
        let both = |s: &mut Sessions| {
            s.set("one", call, minutes(0), minutes(10));
            s.set("other", AWAY, minutes(0), minutes(20));
        };
        check(OFFLINE, both, &[(9, call), (10, AWAY), (20, OFFLINE)]);
    }

    #[test]
    fn an_available_session_fades_and_others_do_not() {
        let set = |pair| move |s: &mut Sessions| s.set("app", pair, minutes(0), minutes(60));
        let fading = [(4, AVAILABLE), (5, INACTIVE), (9, INACTIVE), (10, AWAY), (59, AWAY), (60, OFFLINE)];
        check(OFFLINE, set(AVAILABLE), &fading);
        check(AVAILABLE, set(AVAILABLE), &[(5, AVAILABLE), (10, AVAILABLE)]);
        for &pair in OF_SESSIONS.iter().filter(|&&pair| pair != AVAILABLE) {
            check(OFFLINE, set(pair), &[(0, pair), (59, pair), (60, OFFLINE)]);
        }
        let renewed = |s: &mut Sessions| {
            s.set("app", AVAILABLE, minutes(0), minutes(60));
            s.set("APP", AVAILABLE, minutes(4), minutes(30));
        };
        check(OFFLINE, renewed, &[(8, AVAILABLE), (9, INACTIVE), (14, AWAY), (34, OFFLINE)]);
    }

    #[test]
    fn what_is_preferred_wins_while_there_is_a_session() {
        let brb = ("BeRightBack", "BeRightBack");
        let prefer = |pair| move |s: &mut Sessions| s.prefer(pair, minutes(60));
        check(("Busy", "InACall"), prefer(brb), &[(0, brb), (59, brb), (60, ("Busy", "InACall"))]);
        check(AVAILABLE, prefer(APPEARS_OFFLINE), &[(0, APPEARS_OFFLINE), (60, AVAILABLE)]);
        check(OFFLINE, prefer(brb), &[(0, APPEARS_OFFLINE), (60, OFFLINE)]);
        let both = |s: &mut Sessions| {
            s.prefer(brb, minutes(60));
            s.set("app", AVAILABLE, minutes(0), minutes(30));
        };
        check(OFFLINE, both, &[(0, brb), (20, brb), (30, APPEARS_OFFLINE), (60, OFFLINE)]);
    }

    #[test]
    fn only_a_session_that_lives_can_be_cleared() {
        let mut sessions = Sessions::default();
        assert!(!sessions.clear("app", minutes(0)));
        sessions.set("app", AWAY, minutes(0), minutes(5));
        assert!(!sessions.clear("else", minutes(0)));
        assert!(sessions.clear("APP", minutes(4)));
        assert_eq!(sessions.aggregate(OFFLINE, minutes(4)), OFFLINE);
        sessions.set("app", AWAY, minutes(4), minutes(5));
        assert!(!sessions.clear("app", minutes(9)), "over already");
        sessions.prefer(AWAY, minutes(60));
        sessions.clear_preferred();
        assert_eq!(sessions.aggregate(AVAILABLE, minutes(10)), AVAILABLE);
    }
}
