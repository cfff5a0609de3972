//! Who can be reached from where they began.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::Arrows;

/// Every circle, as a text that names its arrows.
pub(crate) fn circles(arrows: &Arrows) -> Vec<String> {
    let reached: BTreeMap<&String, BTreeSet<&String>> =
        arrows.keys().map(|file| (file, reached_from(file, arrows))).collect();
    let members = |file: &String| -> BTreeSet<&String> {
        reached[file].iter().copied().filter(|other| reached[other].contains(file)).collect()
    };
    let circles: BTreeSet<_> = arrows.keys().map(members).filter(|circle| !circle.is_empty()).collect();
    circles.iter().map(|circle| described(circle, arrows)).collect()
}

fn reached_from<'a>(file: &String, arrows: &'a Arrows) -> BTreeSet<&'a String> {
    let mut reached = BTreeSet::new();
    let mut open: Vec<&String> = arrows[file].keys().collect();
    while let Some(next) = open.pop() {
        if reached.insert(next) {
            open.extend(arrows[next].keys());
        }
    }
    reached
}

fn described(circle: &BTreeSet<&String>, arrows: &Arrows) -> String {
    let mut text = format!("a circle of {} files:", circle.len());
    for file in circle {
        for (other, names) in arrows[*file].iter().filter(|(other, _)| circle.contains(other)) {
            let names = names.iter().map(String::as_str).collect::<Vec<_>>().join(", ");
            write!(text, "\n  {file} -> {other}: {names}").unwrap();
        }
    }
    text
}
