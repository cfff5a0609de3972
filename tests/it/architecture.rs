//! Invariants as absences: what a part of the program may not know.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::imports::{Arrows, arrows, circles};

fn sources(folder: &str) -> Vec<PathBuf> {
    let mut found = Vec::new();
    let mut folders = vec![Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)];
    while let Some(folder) = folders.pop() {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                folders.push(path);
            } else if path.extension().is_some_and(|extension| extension == "rs") {
                found.push(path);
            }
        }
    }
    assert!(!found.is_empty(), "{folder} holds no sources");
    found
}

fn check(folder: &str, forbidden: &[&str]) {
    for path in sources(folder) {
        let text = fs::read_to_string(&path).unwrap();
        for word in forbidden {
            assert!(!text.contains(word), "{} knows {word}", path.display());
        }
    }
}

#[test]
fn the_core_knows_no_edge() {
    let edges =
        ["tokio", "reqwest", "rumqttc", "std::net", "std::env", "std::fs", "crate::graph", "crate::mqtt"];
    check("src/core", &edges);
    check("src/core", &["crate::config", "Instant::now", "Timestamp::now", "disallowed_methods"]);
}

#[test]
fn the_edges_do_not_know_each_other() {
    check("src/graph", &["crate::mqtt", "rumqttc"]);
    check("src/mqtt", &["crate::graph", "reqwest"]);
    check("src/http", &["crate::graph", "crate::mqtt", "reqwest", "rumqttc"]);
}

/// The terminal and the page ask the same, so what both know must know neither of them, nor the loop that one
/// of them is driven by. What decides on the page is kept as pure as the core, so that a table can play it.
#[test]
fn what_a_set_up_knows_knows_no_face_and_its_steps_no_edge() {
    check("src/setup", &["crate::cli", "crate::http", "crate::run"]);
    for file in ["steps.rs", "view.rs", "draft.rs", "address.rs", "app.rs"] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/setup").join(file);
        let text = fs::read_to_string(&path).unwrap();
        for word in ["tokio", "crate::graph", "crate::mqtt", "std::fs", "std::net", "async "] {
            assert!(!text.contains(word), "{file} knows {word}");
        }
    }
}

#[test]
fn rumqttc_is_known_only_where_a_connection_is_made() {
    for path in sources("src") {
        let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string();
        let knows = fs::read_to_string(&path).unwrap().contains("rumqttc::");
        let makers = [
            "src/mqtt/client.rs",
            "src/mqtt/v3",
            "src/mqtt/v5",
            // What comes through the gate is read by its parser there.
            "src/mqtt/gate/tests.rs",
        ];
        let may = makers.iter().any(|maker| name.starts_with(maker));
        assert!(!knows || may, "{name} knows rumqttc");
    }
}

/// The departments of the core, each a folder with state of its own.
const DEPARTMENTS: [&str; 8] =
    ["accounts", "broker", "groups", "health", "home_assistant", "lights", "people", "suspend"];

/// The rooms of each account, with walls as between departments. The files beside them have them all.
const ROOMS: [&str; 3] = ["accounts/commands", "accounts/requests", "accounts/sign_in"];

/// What is beside the departments and the model. Only the root has departments together.
const BESIDE: [&str; 5] = ["bridge.rs", "context.rs", "mod.rs", "rehearsal.rs", "snapshot.rs"];

/// The state of each department.
const STATES: [(&str, &str); 10] = [
    ("bridge.rs", "Bridge"),
    ("accounts/mod.rs", "Accounts"),
    ("accounts/requests/mod.rs", "Requests"),
    ("people/mod.rs", "Roster"),
    ("groups/mod.rs", "Groups"),
    ("broker/mod.rs", "Broker"),
    ("broker/outbox.rs", "Outbox"),
    ("home_assistant/announcements.rs", "HomeAssistant"),
    ("lights/lights.rs", "Lights"),
    ("health/mod.rs", "BridgeHealth"),
];

/// More than this is more than routing.
const ROOT_LINES_MAX: usize = 450;

/// What a department may be handed of another one, by argument: the files that define it.
const BY_ARGUMENT: [&str; 5] = [
    "core/people/mod.rs",
    "core/people/person.rs",
    "core/accounts/requests/mod.rs",
    "core/accounts/requests/target.rs",
    "core/broker/outbox.rs",
];

/// What a plain value holds that a department defines: how a light is configured, and how it is shown.
const IN_THE_MODEL: [&str; 2] = ["core/lights/settings.rs", "core/lights/snapshot.rs"];

/// The code of a file, without comments and tests, and without what is in quotes.
fn code(text: &str) -> String {
    let text = text.split("\n#[cfg(test)]\nmod tests {").next().unwrap_or_default();
    let lines = text.lines().map(|line| line.split("//").next().unwrap_or_default());
    let outside = |line: &str| line.split('"').step_by(2).collect::<Vec<_>>().join("\"\"");
    lines.map(outside).collect::<Vec<_>>().join("\n")
}

fn has_word(text: &str, word: &str) -> bool {
    text.split(|c: char| !c.is_alphanumeric() && c != '_').any(|found| found == word)
}

/// The arrows between files under `src`, by what is imported or named.
fn arrows_of_the_program() -> Arrows {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files: BTreeMap<String, String> = sources("src")
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    let arrows = arrows(&files);
    assert!(arrows.values().map(BTreeMap::len).sum::<usize>() > 100, "hardly an import was read: {arrows:?}");
    arrows
}

/// The department of a file, or the room of an account.
fn department_of(path: &str) -> Option<&str> {
    let path = path.strip_prefix("core/")?;
    let is_in = |folder: &&str| path.strip_prefix(*folder).is_some_and(|rest| rest.starts_with('/'));
    ROOMS.into_iter().chain(DEPARTMENTS).find(is_in)
}

/// Arrows that leave a department, or the model, for another department's own things.
fn trespasses(arrows: &Arrows) -> Vec<String> {
    let mut found = Vec::new();
    for (from, targets) in arrows {
        let is_below = from.starts_with("core/model/") || from == "core/context.rs";
        let department = department_of(from);
        for to in targets.keys().filter(|to| department_of(to).is_some_and(|other| Some(other) != department))
        {
            let may = match department {
                // What stands beside the rooms: the account, and those who speak to all of them.
                Some("accounts") if to.starts_with("core/accounts/") => true,
                Some(_) => BY_ARGUMENT.contains(&to.as_str()),
                None => !is_below || IN_THE_MODEL.contains(&to.as_str()),
            };
            if !may {
                found.push(format!("{from} -> {to}"));
            }
        }
    }
    found
}

#[test]
fn the_root_is_one_file_and_nobody_else_knows_its_fields() {
    for (file, name) in STATES {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core").join(file);
        let text = fs::read_to_string(path).unwrap();
        let (_, fields) = text.split_once(&format!("struct {name} {{\n")).unwrap();
        let fields = fields.split_once("\n}").unwrap().0;
        let open: Vec<&str> = fields.lines().filter(|line| line.trim().starts_with("pub")).collect();
        assert_eq!(open, [""; 0], "{name} has private fields");
    }
    let root = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core/bridge.rs")).unwrap();
    let lines = root.split("\n#[cfg(test)]").next().unwrap().lines().count();
    assert!(lines <= ROOT_LINES_MAX, "{lines} lines");
    let fields =
        root.split_once("pub struct Bridge {").and_then(|(_, rest)| rest.split_once("\n}")).unwrap().0;
    let fields: Vec<&str> = fields.lines().map(str::trim).filter(|line| line.contains(':')).collect();
    assert!((8..=16).contains(&fields.len()), "about a dozen: {fields:?}");

    let of_root =
        |line: &str| line.starts_with("impl") && line.split(['{', '<']).any(|part| has_word(part, "Bridge"));
    assert!(of_root("impl Bridge {") && of_root("impl<T> Bridge {") && !of_root("impl BridgeHealth {"));
    let with_impl: Vec<PathBuf> = sources("src")
        .into_iter()
        .filter(|path| path.starts_with(Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core")))
        .filter(|path| fs::read_to_string(path).unwrap().lines().any(of_root))
        .collect();
    assert_eq!(with_impl.len(), 1, "{with_impl:?}");
}

#[test]
fn no_department_names_the_root_or_another_department() {
    for department in DEPARTMENTS {
        for path in sources(&format!("src/core/{department}")) {
            let text = fs::read_to_string(&path).unwrap();
            let is_test = path.file_name().is_some_and(|name| name == "tests.rs");
            let code = if is_test { String::new() } else { code(&text) };
            assert!(!has_word(&code, "Bridge"), "{} names the root", path.display());
        }
    }
    assert_eq!(trespasses(&arrows_of_the_program()), [""; 0]);
}

#[test]
fn a_trespass_is_seen() {
    let files = |code: &str| -> BTreeMap<String, String> {
        let files = [
            ("lib.rs", "mod core;"),
            ("core/mod.rs", "mod groups; mod lights; mod model; mod people;"),
            ("core/groups/mod.rs", code),
            ("core/lights/mod.rs", "pub struct Lights;"),
            ("core/model/mod.rs", "pub mod place;"),
            ("core/model/place.rs", "pub struct Place;"),
            ("core/people/mod.rs", "mod judging; pub struct Roster;"),
            ("core/people/judging.rs", "pub struct Judged;"),
        ];
        files.map(|(path, text)| (path.to_owned(), text.to_owned())).into()
    };
    for (code, seen) in [
        ("use crate::core::lights::Lights;", true),
        ("use crate::core::{lights::Lights, model::place::Place};", true),
        ("use super::lights::Lights;", true),
        ("use super::{people::Roster, lights::{Lights}};", true),
        ("use crate::core::people::judging::Judged;", true),
        ("use crate::core::people::Roster;", false),
        ("use super::model::place::Place;", false),
    ] {
        assert_eq!(!trespasses(&arrows(&files(code))).is_empty(), seen, "{code}");
    }
}

#[test]
fn every_folder_of_the_core_is_a_department_or_the_model() {
    let within = |folder: &str, is_folder: bool| {
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/core").join(folder);
        let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap());
        let mut names: Vec<String> = entries
            .filter(|entry| entry.path().is_dir() == is_folder)
            .map(|entry| entry.file_name().into_string().unwrap())
            .filter(|name| name != "model" && name != "tests")
            .collect();
        names.sort();
        names
    };
    assert_eq!(within("", true), DEPARTMENTS);
    assert_eq!(within("", false), BESIDE);
    let rooms: Vec<String> = within("accounts", true).iter().map(|room| format!("accounts/{room}")).collect();
    assert_eq!(rooms, ROOMS);
}

#[test]
fn no_imports_run_in_a_circle() {
    let arrows = arrows_of_the_program();
    let circles = circles(&arrows);
    assert!(circles.is_empty(), "{} circles\n{}", circles.len(), circles.join("\n"));
}
