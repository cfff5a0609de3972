//! Decides; never does. Knows nothing of sockets, clocks, the environment or tasks.

pub mod name;
