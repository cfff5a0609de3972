//! Every input of `fuzz/corpus`, and some thousands made from them, against what must hold whatever comes.
//!
//! The inputs are written by hand; what a fuzzer finds comes into the folder of its target under a name that
//! says what it is. To look for more, with a C++ compiler, `cargo install cargo-fuzz`, and either a nightly
//! toolchain or, as here, the stable one that is told to behave like it:
//!
//! ```text
//! mkdir -p fuzz/found/presence
//! RUSTC_BOOTSTRAP=1 cargo fuzz run presence fuzz/found/presence fuzz/corpus/presence -- \
//!   -max_total_time=60 -timeout=5
//! ```
//!
//! The long run before a release is each target for an hour on each core (`-max_total_time=3600 -jobs=N
//! -workers=N`): `cargo fuzz list` names them. `http` speaks to a socket and makes hundreds of inputs a
//! second; the others make thousands.
//!
//! The first folder takes what the fuzzer finds interesting and is not kept; a failing input is left in
//! `fuzz/artifacts`. The targets are those of `tests/fuzzed/mod.rs`.

use std::collections::BTreeSet;
use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};

use crate::fuzzed;

/// Inputs made of the corpus, for each target.
const MADE: u32 = 1_000;

/// What is put into inputs: the marks of JSON, of headers and of topics, and what is awkward anywhere.
const BITS: &[&[u8]] = &[
    b"{",
    b"}",
    b"[",
    b"]",
    b"\"",
    b"\\",
    b":",
    b",",
    b"null",
    b"true",
    b"-1",
    b"1e999",
    b"18446744073709551616",
    b"0",
    b"\"\"",
    b"\\u0000",
    b"\\ud800",
    b"\n",
    b"\r\n",
    b"\0",
    b"\xff",
    b"\xef\xbb\xbf",
    b"\x1b[2J",
    b"\xc2\x9b",
    b"\xe2\x80\xa8",
    b"---",
    b"!",
    b"/",
    b"+",
    b"#",
    b" ",
    b"GMT",
    b"Mon, ",
    b"429\n",
    b"200\n",
    b"Busy",
    b"set_status_message\n",
    b"duration",
    b"session",
    b"error",
    b"{{ color }}",
    b"{% for i in range(9999) %}",
    b"{% endfor %}",
    b"\"\"\"",
    b"[[users]]\n",
    b"https://",
    b"javascript:",
    b"Authorization: Basic ",
    b"Content-Length: 9\r\n",
    b"Transfer-Encoding: chunked\r\n",
];

/// An input made of the corpus.
struct Made(Vec<u8>);

impl fmt::Debug for Made {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "b\"{}\"", self.0.escape_ascii())
    }
}

/// One change of an input; places are parts of its length.
#[derive(Debug, Clone)]
enum Change {
    Put(prop::sample::Index, &'static [u8]),
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index, prop::sample::Index),
    Repeat(prop::sample::Index, prop::sample::Index, usize),
    EndWith(prop::sample::Index, Vec<u8>),
}

fn folder(target: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target)
}

/// The inputs of a target with their names, in order.
fn inputs(target: &str) -> Vec<(String, Vec<u8>)> {
    let entries = fs::read_dir(folder(target)).expect(target).map(|entry| entry.unwrap().path());
    let mut inputs: Vec<(String, Vec<u8>)> =
        entries.map(|path| (path.display().to_string(), fs::read(&path).unwrap())).collect();
    inputs.sort();
    assert!(inputs.len() >= 20, "{target} has {} inputs", inputs.len());
    inputs
}

fn change(seeds: Vec<Vec<u8>>) -> impl Strategy<Value = Change> {
    let place = any::<prop::sample::Index>;
    prop_oneof![
        4 => (place(), prop::sample::select(BITS)).prop_map(|(at, bits)| Change::Put(at, bits)),
        2 => (place(), 1_u8..).prop_map(|(at, bits)| Change::Flip(at, bits)),
        2 => (place(), place()).prop_map(|(from, to)| Change::Cut(from, to)),
        1 => (place(), place(), 1_usize..200).prop_map(|(from, to, times)| Change::Repeat(from, to, times)),
        1 => (place(), prop::sample::select(seeds)).prop_map(|(at, seed)| Change::EndWith(at, seed)),
    ]
}

impl Change {
    fn apply(&self, input: &mut Vec<u8>) {
        let place = |index: &prop::sample::Index, input: &[u8]| index.index(input.len() + 1);
        let part = |one: &prop::sample::Index, other: &prop::sample::Index, input: &[u8]| {
            let (one, other) = (place(one, input), place(other, input));
            one.min(other)..one.max(other)
        };
        match self {
            Self::Put(at, bits) => {
                let at = place(at, input);
                input.splice(at..at, bits.iter().copied());
            }
            Self::Flip(at, bits) => {
                let at = place(at, input);
                input.get_mut(at).into_iter().for_each(|byte| *byte ^= bits);
            }
            Self::Cut(from, to) => drop(input.drain(part(from, to, input))),
            Self::Repeat(from, to, times) => {
                let part = part(from, to, input);
                let at = part.end;
                let repeated = input[part].repeat(*times);
                input.splice(at..at, repeated.into_iter().take(20_000));
            }
            Self::EndWith(at, seed) => {
                input.truncate(place(at, input));
                let rest = seed.len() - seed.len().min(input.len());
                input.extend_from_slice(&seed[seed.len() - rest..]);
            }
        }
    }
}

fn check_made(target: &str) {
    let seeds: Vec<Vec<u8>> = inputs(target).into_iter().map(|(_, input)| input).collect();
    let made = (prop::sample::select(seeds.clone()), prop::collection::vec(change(seeds), 1..5));
    let made = made.prop_map(|(mut input, changes)| {
        changes.iter().for_each(|change| change.apply(&mut input));
        Made(input)
    });
    // The same inputs each time; the fuzzers look for others.
    let config = Config { cases: MADE, failure_persistence: None, ..Config::default() };
    let rng = TestRng::deterministic_rng(RngAlgorithm::ChaCha);
    let outcome = TestRunner::new_with_rng(config, rng).run(&made, |Made(input)| {
        fuzzed::check(target, &input);
        Ok(())
    });
    outcome.unwrap_or_else(|failure| panic!("{target}: {failure}"));
}

#[test]
fn each_target_has_a_corpus_and_a_fuzzer_and_each_corpus_a_target() {
    let names = |folder: &str, without: &str| -> BTreeSet<String> {
        let entries = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join(folder)).unwrap();
        let name = |entry: fs::DirEntry| entry.file_name().into_string().unwrap();
        entries.map(|entry| name(entry.unwrap()).trim_end_matches(without).to_owned()).collect()
    };
    let targets: BTreeSet<String> = fuzzed::TARGETS.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert!(!targets.is_empty());
    assert_eq!(names("fuzz/corpus", ""), targets);
    assert_eq!(names("fuzz/fuzz_targets", ".rs"), targets);
}

#[test]
fn what_was_written_by_hand() {
    for (target, check) in fuzzed::TARGETS {
        for (name, input) in inputs(target) {
            // The name of an input that fails would otherwise not be said.
            println!("{name}");
            check(&input);
        }
    }
}

#[test]
fn made_answers_of_a_browser() {
    check_made("browser");
}

#[test]
fn made_words_of_others() {
    check_made("foreign");
}

#[test]
fn made_messages_that_are_watched() {
    check_made("watched");
}

#[test]
fn made_configurations() {
    check_made("configuration");
}

#[test]
fn made_device_codes() {
    check_made("device_code");
}

#[test]
fn made_requests_to_the_status_page() {
    check_made("http");
}

#[test]
fn made_templates() {
    check_made("template");
}

#[test]
fn made_commands() {
    check_made("command");
}

#[test]
fn made_answers_about_people() {
    check_made("presence");
}

#[test]
fn made_pages_of_members() {
    check_made("members");
}

#[test]
fn made_refusals() {
    check_made("refusal");
}

#[test]
fn made_messages_of_the_broker() {
    check_made("retained");
}

#[test]
fn made_hints_to_wait() {
    check_made("retry_after");
}

#[test]
fn made_answers_of_the_sign_in_service() {
    check_made("token");
}
