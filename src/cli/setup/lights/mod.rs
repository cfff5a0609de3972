//! A light that shows the presence: found on the broker, chosen, and made to blink.

mod blink;
pub(super) mod found;

use std::io::Write;
use std::path::Path;

use super::ask::{Question, Questions, refused};
use super::draft::Draft;
use crate::cli::exit::{self, Failure};
use crate::cli::progress::Progress;
use crate::config::{Config, Environment};
use crate::core::lights::settings::Settings;
use crate::core::model::event::Incoming;
use crate::core::model::foreign::Legible;
use crate::mqtt::address::Address;
use crate::mqtt::one_shot::{OneShot, OneShotError};
use found::{FILTERS, FoundLight};

const OPTION: &str = "--light";

/// What stands for no light.
const NONE: &str = "none";

/// Adds a light to the draft, if there is one and somebody wants it.
pub(super) async fn choose(
    draft: &mut Draft,
    (file, environment): (&Path, &Environment),
    wanted: Option<&str>,
    questions: &mut Questions,
    progress: Progress,
    out: &mut impl Write,
) -> Result<(), Failure> {
    // Nobody could choose one.
    if wanted == Some(NONE) || wanted.is_none() && questions.are_answered() {
        return Ok(());
    }
    let config = draft.config(file, environment)?;
    let looking = progress.during("looking for lights on the broker", look(&config));
    let mut found = questions.stop.or(looking).await?;
    let chosen = match wanted {
        Some(topic) => find(&found, topic).map_err(|error| refused(OPTION, &error))?,
        None if found.is_empty() => {
            writeln!(out, "No light with colours announces itself on this broker.")?;
            writeln!(out, "Others can be written by hand: docs/lights.md.")?;
            return Ok(());
        }
        None => {
            writeln!(out, "Lights on this broker:")?;
            for (i, light) in found.iter().enumerate() {
                // Whoever writes to the broker chose the words.
                let (label, place) = (Legible::quoted(&light.label), Legible::quoted(&light.place()));
                writeln!(out, "  {}  {label} ({}, {place})", i + 1, light.preset)?;
            }
            let question =
                Question { words: "Which one shows the presence? Its number, or none", option: OPTION };
            questions.ask(out, question, Some(NONE), |answer| find(&found, answer)).await?
        }
    };
    let Some(chosen) = chosen else { return Ok(()) };
    draft.light = Some(found.swap_remove(chosen));
    let config = draft.config(file, environment)?;
    if let Some(light) = config.lights.first() {
        writeln!(out, "{} blinks red now.", light.name)?;
        out.flush()?;
        let blinking = async { Ok(blink(light, &config).await) };
        if let Err(failure) = questions.stop.or(blinking).await? {
            writeln!(out, "It could not be told to: {failure}")?;
        }
    }
    Ok(())
}

/// By its number, its place on the broker, or `none`: its index among those found.
fn find(found: &[FoundLight], answer: &str) -> Result<Option<usize>, String> {
    if answer.eq_ignore_ascii_case(NONE) {
        return Ok(None);
    }
    let by_number = answer.parse().ok().and_then(|number: usize| number.checked_sub(1));
    let by_place = found.iter().position(|light| light.place() == answer);
    match by_place.or(by_number.filter(|&index| index < found.len())) {
        Some(index) => Ok(Some(index)),
        None => {
            let places: Vec<String> = found.iter().map(FoundLight::place).collect();
            let places = if places.is_empty() { "no light".to_owned() } else { places.join(", ") };
            let places = Legible::quoted(&places);
            Err(format!("{answer:?} is not among the lights of this broker; it has {places}"))
        }
    }
}

async fn connect(config: &Config) -> Result<OneShot, Failure> {
    OneShot::connect(&Address::of_command(&config.mqtt, "setup")).await.map_err(exit::of_broker)
}

async fn blink(light: &Settings, config: &Config) -> Result<(), Failure> {
    let mut broker = connect(config).await?;
    let blinked = blink::blink(light, &mut broker).await;
    broker.close().await;
    blinked.map_err(exit::of_broker)
}

async fn look(config: &Config) -> Result<Vec<FoundLight>, Failure> {
    let mut broker = connect(config).await?;
    let announced = announced(&mut broker).await;
    broker.close().await;
    Ok(found::lights(&announced.map_err(exit::of_broker)?))
}

/// Everything that may be read of what is announced.
async fn announced(broker: &mut OneShot) -> Result<Vec<Incoming>, OneShotError> {
    let mut filters: Vec<String> = FILTERS.map(str::to_owned).to_vec();
    loop {
        match broker.all_retained(&filters).await {
            Err(OneShotError::Refused(refused)) if filters.contains(&refused) => {
                filters.retain(|filter| *filter != refused);
            }
            announced => return announced,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_light_goes_by_its_number_or_topic() {
        let light = |topic: &str| FoundLight {
            preset: "wled",
            topic: topic.to_owned(),
            label: "x".to_owned(),
            object: None,
        };
        let of_node = |object: &str| FoundLight { object: Some(object.to_owned()), ..light("home/office") };
        let lights = [light("wled/a"), light("wled/b"), of_node("desk"), of_node("door")];
        for (answer, expected) in [
            ("1", Some(Some(0))),
            ("wled/b", Some(Some(1))),
            ("home/office/door", Some(Some(3))),
            ("home/office", None),
            ("None", Some(None)),
            ("0", None),
            ("5", None),
            ("", None),
        ] {
            assert_eq!(find(&lights, answer).ok(), expected, "{answer:?}");
        }
        assert!(find(&[], "wled/c").unwrap_err().ends_with("it has no light"));
    }
}
