//! The program against the real Mosquitto: the binary as it is shipped, a real broker, the simulated tenant
//! as source.
//!
//! ```text
//! cargo test --features broker-tests --test mosquitto
//! cargo test --release --features broker-tests --test mosquitto -- --nocapture     # prints the figures
//! ```
//!
//! `mosquitto`, `mosquitto_passwd`, `faketime` and `chromium` must be installed (`apt-get install mosquitto
//! faketime chromium`); no broker has to run. Every test starts its own broker on a free port with its own
//! configuration in a temporary directory, and leaves no process behind. Nothing is waited for by sleeping,
//! and every wait has a limit.
//!
//! In reading order: `harness` is what the tests are made of; `values` says what a listener finds, `endings`
//! how the bridge goes, `outages` how it comes back, `doors` how it gets in, `neighbours` how it shares a
//! broker, `rivals` what another client with its name does, `standby` how several bridges take turns,
//! `reloads` how it takes another configuration, `clocks` what sleep does, `endurance` what long trouble
//! costs, `mqtt5` what is different in MQTT 5, `lights` what lights are told, `limits` what broker's limits
//! cost, `commands` what the one-shot commands do, `checks` what `check --online` and `watch` find out about
//! access lists, `page` what a browser, a container and systemd see, `secrets` what nobody may ever read.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "tests read clocks, start tasks, print what they measured, and end where something is wrong"
)]

mod checks;
mod clocks;
mod commands;
mod doors;
mod endings;
mod endurance;
mod harness;
mod lights;
mod limits;
mod mqtt5;
mod neighbours;
mod outages;
mod page;
mod reloads;
mod rivals;
mod secrets;
mod standby;
mod values;

/// The user name and password of everybody here: nobody needs one.
const LOGIN: Option<(&str, &str)> = None;
