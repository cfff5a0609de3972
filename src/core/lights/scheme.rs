//! The built-in colours: what people know from Teams and from busy lights.

use super::color::{Color, Shade};
use crate::core::model::word::{Activity, Availability, KnownActivity};

const GREEN: Color = Color::from_rgb(0x00_ff00);
const RED: Color = Color::from_rgb(0xff_0000);
const AMBER: Color = Color::from_rgb(0xff_bf00);
pub(super) const WHITE: Color = Color::from_rgb(0xff_ffff);
const PURPLE: Color = Color::from_rgb(0x80_00ff);

/// A built-in look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Tint {
    pub shade: Shade,
    /// At half the light's brightness: somebody who has been idle for a while.
    pub dimmed: bool,
}

/// What is shown of somebody where the light's own table says nothing.
pub(super) fn tint(availability: Availability, activity: &Activity) -> Tint {
    by_activity(activity).unwrap_or_else(|| by_availability(availability))
}

/// The same on a lamp without colours: it is lit for those who are busy, and for nobody else.
pub(super) fn white_tint(availability: Availability, activity: &Activity) -> Tint {
    let tint = tint(availability, activity);
    if tint.shade == Shade::On(RED) { Tint { shade: Shade::On(WHITE), ..tint } } else { OFF }
}

/// Only what an activity says beyond the availability: `Busy` in both must not hide that it is `BusyIdle`.
fn by_activity(activity: &Activity) -> Option<Tint> {
    let Activity::Known(known) = activity else { return None };
    match known {
        KnownActivity::InACall
        | KnownActivity::InAConferenceCall
        | KnownActivity::InAMeeting
        | KnownActivity::Presenting
        | KnownActivity::Focusing
        | KnownActivity::UrgentInterruptionsOnly => Some(full(RED)),
        KnownActivity::OutOfOffice => Some(full(PURPLE)),
        KnownActivity::OffWork => Some(OFF),
        KnownActivity::Available
        | KnownActivity::AvailableInactive
        | KnownActivity::Away
        | KnownActivity::BeRightBack
        | KnownActivity::Busy
        | KnownActivity::DoNotDisturb
        | KnownActivity::Inactive
        | KnownActivity::Offline
        | KnownActivity::PresenceUnknown => None,
    }
}

fn by_availability(availability: Availability) -> Tint {
    match availability {
        Availability::Available => full(GREEN),
        Availability::AvailableIdle => Tint { dimmed: true, ..full(GREEN) },
        Availability::Busy | Availability::DoNotDisturb => full(RED),
        Availability::BusyIdle => Tint { dimmed: true, ..full(RED) },
        Availability::Away | Availability::BeRightBack => full(AMBER),
        Availability::Offline | Availability::PresenceUnknown => OFF,
    }
}

const OFF: Tint = Tint { shade: Shade::Off, dimmed: false };

fn full(color: Color) -> Tint {
    Tint { shade: Shade::On(color), dimmed: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_scheme() {
        for (availability, activity, expected) in [
            ("Available", "Available", "#00ff00"),
            ("AvailableIdle", "AvailableInactive", "#00ff00 dimmed"),
            ("AvailableIdle", "Available", "#00ff00 dimmed"),
            ("Busy", "Busy", "#ff0000"),
            ("Busy", "InACall", "#ff0000"),
            ("Busy", "InAMeeting", "#ff0000"),
            ("BusyIdle", "Busy", "#ff0000 dimmed"),
            ("BusyIdle", "Inactive", "#ff0000 dimmed"),
            ("DoNotDisturb", "Presenting", "#ff0000"),
            ("DoNotDisturb", "Focusing", "#ff0000"),
            ("Away", "Away", "#ffbf00"),
            ("BeRightBack", "BeRightBack", "#ffbf00"),
            ("Available", "OutOfOffice", "#8000ff"),
            ("Offline", "OutOfOffice", "#8000ff"),
            ("Offline", "OffWork", "off"),
            ("Offline", "Offline", "off"),
            ("PresenceUnknown", "PresenceUnknown", "off"),
            ("Busy", "OnTheMoon", "#ff0000"),
        ] {
            let availability_word = Availability::from_graph(availability).unwrap();
            let Tint { shade, dimmed } = tint(availability_word, &Activity::from_graph(Some(activity)));
            let said = format!("{shade}{}", if dimmed { " dimmed" } else { "" });
            assert_eq!(said, expected, "{availability} {activity}");
        }
    }
}
