//! The program as a person runs it.

use std::io::{BufRead, BufReader};
use std::process::Stdio;

use assert_cmd::prelude::*;
use presence2mqtt::config::{self, Environment};

use crate::program::{program, told};

#[test]
fn the_demonstration_ends_by_itself_and_shows_everybody() {
    let (code, out, err) = told(program().args(["demo", "--for", "3s", "--users", "4"]));
    assert_eq!(code, Some(0), "{err}");
    for expected in
        ["mosquitto_sub -p", "alice: ", "bob: ", "carol: ", "dave: ", "the bridge is online", "offline"]
    {
        assert!(out.contains(expected), "{expected} in {out}");
    }
}

#[test]
fn whoever_has_seen_enough_of_the_demonstration_ends_it() {
    let mut demo = program()
        .args(["demo", "--for", "60s"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut first = String::new();
    BufReader::new(demo.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("A simulated tenant"), "{first}");
    let ended = demo.wait_with_output().unwrap();
    let err = String::from_utf8(ended.stderr).unwrap();
    assert_eq!((ended.status.code(), err.contains("presence2mqtt: ")), (Some(0), false), "{err}");
}

#[test]
fn the_demonstration_shows_how_somebody_signs_in() {
    let (code, out, err) = told(program().args(["demo", "--for", "7s", "--sign-in"]));
    assert_eq!(code, Some(0), "{err}");
    let said = |words: &str| out.find(words).unwrap_or_else(|| panic!("{words} in {out}"));
    let able = said("alice: health is ok");
    assert!(said("alice: health is sign_in_required") < able, "{out}");
    assert!(said("sign-in required: open http://") < able, "{out}");
}

#[test]
fn the_demonstration_shows_a_household_with_two_accounts() {
    let (code, out, err) = told(program().args(["demo", "--for", "9s", "--household"]));
    assert_eq!(code, Some(0), "{err}");
    for name in ["alice", "bob"] {
        let said =
            |words: &str| out.find(&format!("{name}: {words}")).unwrap_or_else(|| panic!("{words} in {out}"));
        assert!(said("health is sign_in_required") < said("health is ok"), "{out}");
        assert!(err.contains(&format!("account {name}: sign in at http://")), "{err}");
    }
}

#[test]
fn the_simulation_prints_a_configuration_that_works() {
    let mut simulation =
        program().args(["simulate", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(simulation.stdout.take().unwrap()).lines().map(Result::unwrap);
    let guide: Vec<String> = lines.take_while(|line| !line.starts_with("Stop with")).collect();
    let begins = guide.iter().position(|line| line == "[mqtt]").unwrap();
    let ends = guide.iter().position(|line| line == "By hand:").unwrap();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("presence2mqtt.toml");
    std::fs::write(&file, guide[begins..ends].join("\n")).unwrap();
    config::load(Some(&file), &Environment::from_iter([])).unwrap();

    let (code, out, err) = told(program().args(["get", "--json", "alice", "-c"]).arg(&file));
    assert_eq!(code, Some(0), "{err}");
    let people: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert_eq!(people.as_object().unwrap().len(), 1);
    assert!(people["alice"]["availability"].is_string(), "{out}");

    let (code, _, err) = told(program().args(["get", "zoe", "-c"]).arg(&file));
    assert_eq!((code, err.contains("alice, bob, carol")), (Some(2), true), "{err}");

    simulation.kill().unwrap();
    simulation.wait().unwrap();
    let (code, _, err) = told(program().args(["get", "-c"]).arg(&file));
    assert_eq!(code, Some(69), "{err}");
}

#[test]
fn a_wrong_configuration_is_78_and_names_file_line_and_key() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("presence2mqtt.toml");
    std::fs::write(&file, "[mqtt]\nurl = \"mqtt://localhost\"\nqos = 2\n").unwrap();
    for command in ["run", "check", "get", "clean"] {
        let (code, out, err) = told(program().args([command, "-c"]).arg(&file));
        assert_eq!((code, out.as_str()), (Some(78), ""), "{command}: {err}");
        assert!(err.contains("presence2mqtt.toml:3: mqtt.qos = 2"), "{err}");
    }
    let (code, _, err) = told(program().current_dir(&folder).args(["check", "-c", "missing.toml"]));
    assert_eq!((code, err.contains("missing.toml")), (Some(78), true), "{err}");
}

#[test]
fn a_wrong_command_line_is_2() {
    program().arg("fly").assert().code(2);
    program().arg("--help").assert().success();
    program().arg("--version").assert().success();
}

#[test]
fn the_schema_is_json() {
    let (code, out, _) = told(program().arg("schema"));
    assert_eq!(code, Some(0));
    let schema: serde_json::Value = serde_json::from_str(&out).unwrap();
    assert!(schema["properties"]["graph"].is_object());
}
