//! Ports for the brokers of the tests.

use std::net::{Ipv4Addr, TcpListener};

/// Below the range from which systems take ports for outgoing connections (Linux: 32768 and up), so that
/// nobody takes the port of a broker while it is down.
const PORTS: std::ops::Range<u16> = 20_000..32_000;

/// Attempts to find a port that stays free until the broker has it.
pub(crate) const ATTEMPTS: usize = 20;

pub(crate) fn free_port() -> u16 {
    let free = |port: &u16| TcpListener::bind((Ipv4Addr::LOCALHOST, *port)).is_ok();
    std::iter::repeat_with(|| fastrand::u16(PORTS)).take(ATTEMPTS).find(free).expect("no free port")
}
