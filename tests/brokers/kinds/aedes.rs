//! aedes, a library for Node.js: a broker of a few lines, with its modules fetched by npm.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::broker::Kind;

pub(crate) const AEDES: Kind = Kind {
    name: "aedes",
    program: "node",
    install: "Node.js 20 or newer, and npm",
    doors: &[("mqtt", ""), ("mqtts", ""), ("ws", ""), ("wss", "")],
    version_behind: "aedes ",
    commands: |place| {
        let mut command = Command::new(&place.program);
        command.arg(fetched().join("broker.mjs"));
        command.args(["mqtt", "mqtts", "ws", "wss"].map(|scheme| place.port(scheme).to_string()));
        command.args(["broker.pem", "broker.key"].map(|name| place.certificates.written(name)));
        vec![command]
    },
};

/// The folder with the script and its modules, which are fetched once for each list of them.
fn fetched() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("aedes");
    let (list, lock) = (include_str!("../aedes/package.json"), include_str!("../aedes/package-lock.json"));
    let complete = folder.join("fetched");
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("broker.mjs"), include_str!("../aedes/broker.mjs")).unwrap();
    if fs::read_to_string(&complete).is_ok_and(|fetched| fetched == lock) {
        return folder;
    }
    fs::write(folder.join("package.json"), list).unwrap();
    fs::write(folder.join("package-lock.json"), lock).unwrap();
    let npm = Command::new("npm")
        .args(["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--prefer-offline"])
        .args(["--fetch-retries=1", "--fetch-timeout=30000"])
        .current_dir(&folder)
        .output();
    let npm = npm.unwrap_or_else(|error| panic!("npm cannot be started ({error}); install it, for aedes"));
    let said = String::from_utf8_lossy(&npm.stderr);
    assert!(npm.status.success(), "the modules of aedes cannot be fetched; npm ci says: {said}");
    fs::write(complete, lock).unwrap();
    folder
}
