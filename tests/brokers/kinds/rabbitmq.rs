//! RabbitMQ with its plugins for MQTT.

use std::fs;
use std::process::Command;

use crate::LOGIN;
use crate::broker::{Kind, Place};

/// What Debian's own script starts, which insists on the system's user and folders.
const SERVER: &str = "/usr/lib/rabbitmq/bin/rabbitmq-server";

pub(crate) const RABBITMQ: Kind = Kind {
    name: "rabbitmq",
    program: SERVER,
    install: "apt-get install rabbitmq-server",
    doors: &[("mqtt", ""), ("mqtts", ""), ("ws", "/ws")],
    version_behind: "Starting RabbitMQ ",
    commands,
};

fn commands(place: &Place) -> Vec<Command> {
    let [ca, certificate, key] =
        ["ca.pem", "broker.pem", "broker.key"].map(|name| place.certificates.written(name));
    let (user, password) = LOGIN.unwrap();
    let configuration = format!(
        "default_user = {user}\ndefault_pass = {password}\nlisteners.tcp = none\nlog.console = true\nlog.file = false\n\
         mqtt.listeners.tcp.1 = 127.0.0.1:{}\nmqtt.listeners.ssl.1 = 127.0.0.1:{}\n\
         web_mqtt.tcp.ip = 127.0.0.1\nweb_mqtt.tcp.port = {}\n\
         ssl_options.cacertfile = {ca}\nssl_options.certfile = {certificate}\nssl_options.keyfile = {key}\n",
        place.port("mqtt"),
        place.port("mqtts"),
        place.port("ws")
    );
    let [names_port, node_port] = place.spare_ports.map(|port| port.to_string());
    // It is a node of a network, and starts this, if it is not there, so that it outlives the test.
    let mut names = Command::new("epmd");
    names.args(["-address", "127.0.0.1", "-port", &names_port]);
    fs::create_dir_all(place.store()).unwrap();
    let mut server = Command::new(&place.program);
    server
        .env("HOME", place.store())
        .env("ERL_EPMD_ADDRESS", "127.0.0.1")
        .env("ERL_EPMD_PORT", names_port)
        // Without this the script stays, between the test and its server.
        .env("RUNNING_UNDER_SYSTEMD", "true")
        .env("RABBITMQ_NODENAME", format!("of-port-{}@localhost", place.port("mqtt")))
        .env("RABBITMQ_DIST_PORT", node_port)
        .env("RABBITMQ_SERVER_ADDITIONAL_ERL_ARGS", "-kernel inet_dist_use_interface {127,0,0,1}")
        .env("RABBITMQ_CONF_ENV_FILE", place.path("none"))
        .env("RABBITMQ_CONFIG_FILE", place.write("rabbitmq.conf", &configuration))
        .env("RABBITMQ_ENABLED_PLUGINS_FILE", place.write("plugins", "[rabbitmq_mqtt,rabbitmq_web_mqtt]."))
        .env("RABBITMQ_MNESIA_BASE", place.store())
        .env("RABBITMQ_LOG_BASE", place.path("log"));
    vec![names, server]
}
