//! A light that shows the presence: found on the broker, chosen, and made to blink.

use std::io::Write;
use std::path::Path;

use super::ask::{Question, Questions, refused};
use crate::cli::exit::{self, Failure};
use crate::cli::progress::Progress;
use crate::config::Environment;
use crate::core::model::foreign::Legible;
use crate::setup::draft::Draft;
use crate::setup::lights::found::FoundLight;
use crate::setup::lights::{look, show};
use crate::setup::words::no_lights;
use crate::view::line::wrapped;

const OPTION: &str = "--light";

/// Before each line of a light.
const INDENT: usize = 5;

/// What stands for no light.
const NONE: &str = "none";

const NO_LIGHT: &str =
    "No light with colours announces itself on this broker.\nOthers can be written by hand: docs/lights.md.";

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
    let looking = async { Ok(progress.during("looking for lights on the broker", look(&config)).await) };
    let mut found = match questions.stop.or(looking).await? {
        Ok(found) => found,
        // A light that was named is missed; without one everything else is worth writing.
        Err(failure) if wanted.is_some() => return Err(exit::of_broker(failure)),
        Err(failure) => {
            questions.say(out, &no_lights(&failure))?;
            return Ok(());
        }
    };
    let chosen = match wanted {
        Some(topic) => find(&found, topic).map_err(|error| refused(OPTION, &error))?,
        None if found.is_empty() => {
            questions.say(out, &NO_LIGHT)?;
            return Ok(());
        }
        None => {
            writeln!(out, "Lights on this broker:")?;
            for (i, light) in found.iter().enumerate() {
                // Whoever writes to the broker chose the words.
                let (label, place) = (Legible::quoted(&light.label), Legible::quoted(&light.place()));
                let width = questions.paper.width.map(|width| width.saturating_sub(INDENT));
                let lines = wrapped(&format!("{label} ({}, {place})", light.preset), width);
                writeln!(out, "{:>3}  {}", i + 1, lines.join(&format!("\n{:INDENT$}", "")))?;
            }
            let question =
                Question { words: "Which one shows the presence? Its number, or none", option: OPTION };
            let default = if found.len() == 1 { "1" } else { NONE };
            questions.ask(out, question, Some(default), |answer| find(&found, answer)).await?
        }
    };
    let Some(chosen) = chosen else { return Ok(()) };
    draft.light = Some(found.swap_remove(chosen));
    let config = draft.config(file, environment)?;
    if let Some(light) = config.lights.first() {
        let showing = async { Ok(progress.during("asking the light", show(light, &config)).await) };
        match questions.stop.or(showing).await? {
            Ok(says) => questions.say(out, &says)?,
            Err(failure) => {
                questions.say(out, &format!("{} could not be told to blink: {failure}", light.name))?;
            }
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
