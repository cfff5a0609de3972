//! Eclipse Mosquitto.

use std::process::Command;

use crate::broker::{Kind, Place};

pub(crate) const MOSQUITTO: Kind = Kind {
    name: "mosquitto",
    program: "mosquitto",
    install: "apt-get install mosquitto",
    doors: &[("mqtt", ""), ("mqtts", ""), ("ws", ""), ("wss", "")],
    version_behind: "mosquitto version ",
    commands,
};

fn commands(place: &Place) -> Vec<Command> {
    let door = |scheme: &str, options: &str| {
        format!("listener {} 127.0.0.1\nallow_anonymous true\n{options}\n", place.port(scheme))
    };
    let tls = place.certificates.listener();
    let configuration = [
        // Started by root, it would become a user who cannot read the test's files.
        "per_listener_settings true\nuser root\nlog_dest stderr\n".to_owned(),
        door("mqtt", ""),
        door("mqtts", &tls),
        door("ws", "protocol websockets"),
        door("wss", &format!("protocol websockets\n{tls}")),
    ];
    let mut command = Command::new(&place.program);
    command.arg("-c").arg(place.write("mosquitto.conf", &configuration.concat()));
    vec![command]
}
