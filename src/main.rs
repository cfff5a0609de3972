//! The `presence2mqtt` command.
fn main() {}
