//! The program against every broker that can be had: the same steps on each, and a table of what was seen.
//!
//! ```text
//! cargo test --features broker-tests --test brokers -- --nocapture --test-threads 1
//! BROKERS="nats aedes" cargo test --features broker-tests --test brokers -- --nocapture --test-threads 1
//! BROKERS="mosquitto=/opt/mosquitto-2.1/mosquitto" \
//!   cargo test --features broker-tests --test brokers -- --nocapture --test-threads 1
//! ```
//!
//! | in `BROKERS` | to have it |
//! |---|---|
//! | `mosquitto` | `apt-get install mosquitto` |
//! | `nats`, `nats-cluster` | `apt-get install nats-server` |
//! | `rabbitmq` | `apt-get install rabbitmq-server` |
//! | `ejabberd` | `apt-get install ejabberd` |
//! | `aedes` | Node.js 20 or newer, and npm, which fetches the modules to a folder below `target` |
//!
//! Without `BROKERS` every one that is installed is judged, and the others are listed as absent. One that is
//! asked for by name has to be there. Another program than the installed one stands behind `=`, such as a
//! script that starts a newer Mosquitto out of the unpacked packages of a newer Debian. Nothing has to run:
//! every broker is started on free ports of the loopback address with its files in a temporary directory, and
//! none outlives the test.
//!
//! What a broker does is a row of the table; what the bridge promises is asserted. NATS of three servers
//! takes four minutes, the rest two.
//!
//! In reading order: `choice` says which brokers, `kinds` how each is started, `broker` is one of them,
//! `office` whose presence is carried, `table` has the steps of the bridge, with `standby` where two take
//! turns, `manners` what a broker does to any client, and `cluster` three NATS servers of which one fails.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests read clocks, start tasks, print what they measured, and end where something is wrong"
)]

mod broker;
mod choice;
mod cluster;
#[path = "../mosquitto/harness/mod.rs"]
#[allow(dead_code, unused_imports, reason = "the tests with Mosquitto need more of it")]
mod harness;
mod kinds;
mod manners;
mod office;
mod standby;
mod table;

/// The user name and password of everybody here. ejabberd has no place for a client without, and takes any;
/// RabbitMQ is told of this one.
const LOGIN: Option<(&str, &str)> = Some(("office@localhost", "planted-password"));
