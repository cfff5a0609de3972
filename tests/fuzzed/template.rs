//! Templates of custom lights, and those that say whether another topic wins: whatever is written there ends
//! soon, on the stack that the program has.

use std::thread;

use presence2mqtt::core::lights::condition::Condition;
use presence2mqtt::core::lights::preset::Custom;

/// Bytes, as systems give the first thread of a program; others, such as a test's, have less.
const STACK: usize = 8 * 1024 * 1024;

/// `input` is a template.
pub(super) fn check(input: &[u8]) {
    let Ok(template) = std::str::from_utf8(input) else { return };
    // It is rendered for every state that a light can be in.
    let made = || {
        if let Err(error) = Custom::new(template, None) {
            assert!(!error.to_string().is_empty());
        }
        if let Err(error) = Condition::new(template) {
            assert!(!error.to_string().is_empty());
        }
    };
    thread::scope(|scope| {
        thread::Builder::new().stack_size(STACK).spawn_scoped(scope, made).unwrap().join().unwrap()
    });
}
