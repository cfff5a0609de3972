//! Invariants as absences: what a part of the program may not know.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use crate::imports::{arrows, circles};

/// Goes when the core's departments own their state, and the test below then covers all of `src`.
const NOT_YET_APART: &str = "core/";

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

#[test]
fn rumqttc_is_known_only_where_a_connection_is_made() {
    for path in sources("src") {
        let name = path.strip_prefix(env!("CARGO_MANIFEST_DIR")).unwrap().display().to_string();
        let knows = fs::read_to_string(&path).unwrap().contains("rumqttc::");
        let makers = ["src/mqtt/client.rs", "src/mqtt/transport.rs", "src/mqtt/v3", "src/mqtt/v5"];
        let may = makers.iter().any(|maker| name.starts_with(maker));
        assert!(!knows || may, "{name} knows rumqttc");
    }
}

#[test]
fn no_imports_run_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let files: BTreeMap<String, String> = sources("src")
        .into_iter()
        .map(|path| {
            let name = path.strip_prefix(&root).unwrap().to_str().unwrap().replace('\\', "/");
            (name, fs::read_to_string(path).unwrap())
        })
        .collect();
    let mut arrows = arrows(&files);
    assert!(arrows.values().map(BTreeMap::len).sum::<usize>() > 100, "hardly an import was read: {arrows:?}");
    for (file, to) in &mut arrows {
        if file.starts_with(NOT_YET_APART) {
            to.clear();
        }
    }
    let circles = circles(&arrows);
    assert!(circles.is_empty(), "{} circles\n{}", circles.len(), circles.join("\n"));
}
