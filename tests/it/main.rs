//! The edges against the simulated tenant and the embedded broker, in this process, on loopback ports that
//! are free.
//!
//! Needs nothing but the Rust toolchain. What only a real broker shows is in `tests/mosquitto`.
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "tests are an edge and may fail loudly")]

mod accounts;
mod app_methods;
mod architecture;
mod bridge;
mod checking;
mod command_line;
mod core_dump;
mod corpus;
mod examples;
mod fetcher;
mod first_start;
mod foreign_text;
mod full_disk;
#[path = "../fuzzed/mod.rs"]
mod fuzzed;
mod goaway;
mod groups;
mod help;
mod hostile_brokers;
mod http;
mod imports;
mod invitations;
mod lights;
mod login;
mod mqtt5;
mod on_the_way;
mod others_files;
mod page_acts;
mod partial;
#[path = "../../src/config/tests/pem.rs"]
#[expect(dead_code, reason = "the unit tests use more of it")]
mod pem;
mod program;
mod setting;
mod setup;
mod sign_in;
mod silence;
mod stage;
mod strangers;
mod streams;
mod typing;
mod watching;
