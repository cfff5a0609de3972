//! What strangers may send, and what must hold whatever they send. One function for each kind of input; each
//! takes bytes and panics when something does not hold.
//!
//! Used twice: by `fuzz/fuzz_targets`, which look for inputs, and by `tests/it/corpus.rs`, which says how to
//! run both.

mod browser;
mod command;
mod configuration;
mod device_code;
mod foreign;
mod gate;
mod http;
mod members;
mod presence;
mod refusal;
mod retained;
mod retry_after;
mod said;
mod template;
mod token;
mod watched;
mod world;

/// Checks one input.
type Check = fn(&[u8]);

/// The kinds of input by name, which is the name of the fuzz target and of its folder in `fuzz/corpus`.
pub(crate) const TARGETS: [(&str, Check); 15] = [
    ("browser", browser::check),
    ("command", command::check),
    ("configuration", configuration::check),
    ("device_code", device_code::check),
    ("foreign", foreign::check),
    ("gate", gate::check),
    ("http", http::check),
    ("members", members::check),
    ("presence", presence::check),
    ("refusal", refusal::check),
    ("retained", retained::check),
    ("retry_after", retry_after::check),
    ("template", template::check),
    ("token", token::check),
    ("watched", watched::check),
];

/// Checks one input of a kind.
pub(crate) fn check(target: &str, input: &[u8]) {
    let (_, check) = TARGETS.iter().find(|(name, _)| *name == target).expect("there is no such target");
    check(input);
}
