//! Secrets stay out of core dumps.

#![cfg(target_os = "linux")]

use std::io::{BufRead, BufReader};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

const MARKER: &str = "planted-s3cr3t-marker";

/// Runs a shell line in a folder where it may leave a dump of any size.
fn shell(line: &str, folder: &Path) -> Child {
    let line = format!("ulimit -c unlimited 2>/dev/null; {line}");
    Command::new("sh").args(["-c", &line]).current_dir(folder).stderr(Stdio::piped()).spawn().unwrap()
}

fn holds_the_marker(folder: &Path) -> bool {
    let files = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let mut read = files.filter_map(|file| std::fs::read(file).ok());
    read.any(|bytes| bytes.windows(MARKER.len()).any(|part| part == MARKER.as_bytes()))
}

#[test]
fn a_program_that_is_killed_leaves_no_secret_on_the_disk() {
    let folder = tempfile::tempdir().unwrap();
    // A process that has the marker in its memory and is not protected; whether it leaves a dump is the
    // system's choice.
    let child = shell(&format!("secret={MARKER}; kill -ABRT $$"), folder.path());
    let dumps = child.wait_with_output().unwrap().status.core_dumped();
    println!("this system dumps: {dumps}; into this folder: {}", holds_the_marker(folder.path()));

    let folder = tempfile::tempdir().unwrap();
    let configured = tempfile::tempdir().unwrap();
    let config = configured.path().join("config.toml");
    let text = format!(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:1\"\nusername = \"x\"\npassword = \"{MARKER}\"\n[graph]\n\
         tenant_id = \"contoso.example\"\nclient_id = \"11111111-2222-3333-4444-555555555555\"\n\
         graph_url = \"http://127.0.0.1:1\"\nlogin_url = \"http://127.0.0.1:1\"\n[graph.auth]\n\
         method = \"client-secret\"\nclient_secret = \"{MARKER}\"\n\
         [[users]]\nname = \"alice\"\nid = \"66825e03-7ef5-42da-9069-724602c31f6b\"\n"
    );
    std::fs::write(&config, text).unwrap();
    let program = env!("CARGO_BIN_EXE_presence2mqtt");
    let mut child = shell(&format!("exec '{program}' run -c '{}'", config.display()), folder.path());
    let mut log = BufReader::new(child.stderr.take().unwrap()).lines();
    assert!(log.any(|line| line.unwrap().contains("starting")), "it runs, with its secrets in the memory");
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", child.id())).unwrap();
    let core = limits.lines().find(|line| line.starts_with("Max core file size")).unwrap();
    assert_eq!(core.split_whitespace().filter(|word| *word == "0").count(), 2, "{core}");
    Command::new("kill").args(["-ABRT", &child.id().to_string()]).status().unwrap();
    let status = child.wait().unwrap();
    assert!(status.signal().is_some() && !status.core_dumped(), "{status:?}");
    assert!(!holds_the_marker(folder.path()), "the dump holds the secret");
}
