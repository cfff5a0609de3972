//! One cycle of a bridge that follows 6,500 people of whom one in a hundred changes, without edges: always
//! the same work, so that the instructions it takes can be counted and compared. `.ci/instructions` does it.
//!
//! ```text
//! cargo bench --bench cycle            # runs it, and says how much memory the people take
//! ```
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    clippy::wildcard_enum_match_arm,
    reason = "a measurement is an edge"
)]

#[path = "../tenant/people.rs"]
#[allow(dead_code, reason = "the load run uses all of it")]
mod people;
#[allow(dead_code, reason = "the hot pieces use all of it")]
mod world;

use world::{CYCLE, World};

/// Ten requests.
const PEOPLE: usize = 6_500;

fn main() {
    // Another number may be given to see what so many people take.
    let people = std::env::args().skip(1).find_map(|argument| argument.parse().ok()).unwrap_or(PEOPLE);
    let before = resident();
    let mut world = World::settled(people);
    world.change(0.01);
    (world.read, world.published) = (0, 0);
    world.is_counted = true;
    world.pass(CYCLE);
    println!("{} people read, {} messages published", world.read, world.published);
    println!("{} bytes a person", (resident() - before) * 1024 / people as u64);
    assert_eq!(world.read, people);
}

/// Memory in use, in KiB (Linux: `proc_pid_status(5)`).
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
    line.trim().trim_end_matches(" kB").parse().unwrap()
}
