//! Lights with `active` hours on a machine that has no time zone.

use super::known::Config;

/// One sentence about these lights and what to do, if there are any.
#[must_use]
pub fn unzoned(config: &Config) -> Option<String> {
    let has_none = |zone: &jiff::tz::TimeZone| zone.is_unknown();
    let lights =
        config.lights.iter().filter(|light| light.active.as_ref().is_some_and(|hours| has_none(&hours.zone)));
    let names: Vec<&str> = lights.map(|light| light.name.as_str()).collect();
    (!names.is_empty()).then(|| {
        format!(
            "this machine has no time zone (neither TZ nor /etc/localtime), so active means UTC for {}; set lights.time_zone",
            names.join(", ")
        )
    })
}
