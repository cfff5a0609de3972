//! NATS, which keeps what MQTT retains in its JetStream.

use std::process::Command;

use crate::broker::{Kind, Place};

pub(crate) const NATS: Kind = Kind {
    name: "nats",
    program: "nats-server",
    install: "apt-get install nats-server",
    // One listener for MQTT and one for WebSockets is all it has.
    doors: &[("mqtt", ""), ("wss", "")],
    version_behind: "Version:  ",
    commands: |place| {
        let [certificate, key] = ["broker.pem", "broker.key"].map(|name| place.certificates.written(name));
        let tls = format!("tls {{ cert_file: {certificate:?}, key_file: {key:?} }}");
        let websocket = format!("websocket {{ listen: \"127.0.0.1:{}\", {tls} }}\n", place.port("wss"));
        vec![command(place, &(configuration(place, "alone") + &websocket))]
    },
};

/// What every server needs.
pub(crate) fn configuration(place: &Place, name: &str) -> String {
    format!(
        "server_name: {name}\nlisten: \"127.0.0.1:{}\"\njetstream {{ store_dir: {:?} }}\nmqtt {{ listen: \"127.0.0.1:{}\" }}\n",
        place.spare_ports[0],
        place.store(),
        place.port("mqtt")
    )
}

pub(crate) fn command(place: &Place, configuration: &str) -> Command {
    let mut command = Command::new(&place.program);
    command.arg("-c").arg(place.write("nats.conf", configuration));
    command
}
