//! Wrong passwords: slowed for the address that they come from, and logged once for a burst.
//!
//! An address that has to wait is refused whatever it shows, also the right password: otherwise the answer
//! would tell which one that is, and guessing would be as fast as connections can be made.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

/// Wrong passwords that cost nothing: people mistype.
const FREE: u32 = 5;

/// The longest wait. A password of eight random letters holds out for thousands of years then.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

/// An address without a wrong password for so long begins anew, and so does a burst.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(15 * 60);

/// Addresses that are remembered. More are strangers who take turns, and the one who was quiet longest is
/// forgotten.
const ADDRESSES: usize = 1024;

/// Who guessed how often.
#[derive(Debug, Default)]
pub(super) struct Guesses(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    by_address: HashMap<IpAddr, Guess>,
    /// When the last burst was added to, if it was logged.
    burst: Option<Instant>,
}

#[derive(Debug)]
struct Guess {
    wrong: u32,
    last: Instant,
    next: Instant,
}

impl Guesses {
    /// How long this address has to wait before a password of its is looked at.
    pub(super) fn wait(&self, from: IpAddr, now: Instant) -> Option<Duration> {
        let state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let guess = state.by_address.get(&network(from))?;
        guess.next.checked_duration_since(now).filter(|wait| !wait.is_zero())
    }

    /// Notes a wrong password. Whether a burst begins with it that somebody should know of.
    pub(super) fn wrong(&self, from: IpAddr, now: Instant) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let State { by_address, burst } = &mut *state;
        let from = network(from);
        by_address.retain(|_, guess| now.duration_since(guess.last) < FORGOTTEN_AFTER);
        if by_address.len() >= ADDRESSES && !by_address.contains_key(&from) {
            let quietest = by_address.iter().min_by_key(|(_, guess)| guess.last).map(|(address, _)| *address);
            quietest.map(|address| by_address.remove(&address));
        }
        let guess = by_address.entry(from).or_insert(Guess { wrong: 0, last: now, next: now });
        guess.wrong = guess.wrong.saturating_add(1);
        guess.last = now;
        guess.next = now + wait_after(guess.wrong);
        if guess.wrong < FREE {
            return false;
        }
        let goes_on = burst.is_some_and(|last| now.duration_since(last) < FORGOTTEN_AFTER);
        *burst = Some(now);
        !goes_on
    }

    /// Somebody at this address knows the password.
    pub(super) fn right(&self, from: IpAddr) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.by_address.remove(&network(from));
    }
}

/// One second after the free ones, then twice as long each time.
fn wait_after(wrong: u32) -> Duration {
    match wrong.checked_sub(FREE) {
        None => Duration::ZERO,
        Some(more) => Duration::from_secs(1u64.checked_shl(more).unwrap_or(u64::MAX)).min(LONGEST_WAIT),
    }
}

/// A household or a rented machine has a whole /64 of IPv6 addresses (RFC 6177).
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => IpAddr::V4(address),
        IpAddr::V6(address) => IpAddr::V6(Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn each_wrong_password_after_the_free_ones_costs_twice_as_long() {
        let (guesses, alone) = (Guesses::default(), address("192.0.2.1"));
        let mut now = Instant::now();
        let mut waits = Vec::new();
        for _ in 0..14 {
            guesses.wrong(alone, now);
            let wait = guesses.wait(alone, now).unwrap_or_default();
            waits.push(wait.as_secs());
            now += wait;
            assert_eq!(guesses.wait(alone, now), None, "after the wait it is looked at");
        }
        assert_eq!(waits, [0, 0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60, 60]);
        assert_eq!(guesses.wait(address("192.0.2.2"), now), None, "another address is not slowed");
        guesses.wrong(alone, now);
        guesses.right(alone);
        assert_eq!(guesses.wait(alone, now), None);
    }

    #[test]
    fn a_burst_is_said_once() {
        let guesses = Guesses::default();
        let began = Instant::now();
        let mut said = 0;
        for second in 0..100 {
            for host in 1..=2 {
                let from = address(&format!("192.0.2.{host}"));
                said += u32::from(guesses.wrong(from, began + Duration::from_secs(second)));
            }
        }
        assert_eq!(said, 1);
        let later = began + Duration::from_secs(100) + FORGOTTEN_AFTER;
        let again: Vec<bool> = (0..5).map(|_| guesses.wrong(address("192.0.2.1"), later)).collect();
        assert_eq!(again, [false, false, false, false, true]);
    }

    #[test]
    fn whole_networks_are_one_and_strangers_without_number_fit_in() {
        let (guesses, now) = (Guesses::default(), Instant::now());
        for host in 0..6 {
            guesses.wrong(address(&format!("2001:db8::{host}")), now);
        }
        assert!(guesses.wait(address("2001:db8::abcd"), now).is_some());
        assert!(guesses.wait(address("2001:db8:0:1::1"), now).is_none());
        guesses.wrong(address("::ffff:192.0.2.1"), now);
        for i in 0..2 * ADDRESSES as u128 {
            guesses.wrong(IpAddr::V6(Ipv6Addr::from_bits((0x2001_0db9 << 96) + (i << 64))), now);
        }
        assert_eq!(guesses.0.lock().unwrap().by_address.len(), ADDRESSES);
    }
}
