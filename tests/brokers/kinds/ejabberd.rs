//! ejabberd, whose `mod_mqtt` is a broker beside its XMPP.

use std::process::Command;

use crate::broker::{Kind, Place};

pub(crate) const EJABBERD: Kind = Kind {
    name: "ejabberd",
    // Its own script insists on the system's user and folders; what that script starts in the end is Erlang.
    program: "ejabberdctl",
    install: "apt-get install ejabberd",
    doors: &[("mqtt", ""), ("mqtts", ""), ("ws", "/mqtt"), ("wss", "/mqtt")],
    version_behind: "ejabberd ",
    commands,
};

fn commands(place: &Place) -> Vec<Command> {
    let [certificate, key] = ["broker.pem", "broker.key"].map(|name| place.certificates.written(name));
    let door = |scheme: &str, options: &str| {
        format!("  - {{ip: 127.0.0.1, port: {}, {options}}}\n", place.port(scheme))
    };
    let http = "module: ejabberd_http, request_handlers: {/mqtt: mod_mqtt}";
    let configuration = [
        "hosts: [localhost]\nauth_method: anonymous\nanonymous_protocol: login_anon\nallow_multiple_connections: true\nmodules: {mod_mqtt: {}}\n".to_owned(),
        format!("certfiles: [{certificate:?}, {key:?}]\nlisten:\n"),
        door("mqtt", "module: mod_mqtt"),
        door("mqtts", "module: mod_mqtt, tls: true"),
        door("ws", http),
        door("wss", &format!("{http}, tls: true")),
    ];
    let mut command = Command::new("erl");
    command
        // Not a node of a network: it needs nobody who knows the ports of others.
        .args(["-noinput", "-mnesia", "dir", &format!("{:?}", place.store()), "-s", "ejabberd"])
        .env("ERL_LIBS", "/usr/lib/x86_64-linux-gnu:/usr/lib/aarch64-linux-gnu:/usr/lib/erlang/lib")
        .env("EJABBERD_CONFIG_PATH", place.write("ejabberd.yml", &configuration.concat()))
        .env("EJABBERD_LOG_PATH", place.path("ejabberd.log"));
    vec![command]
}
