//! How long to wait after failures in a row: exponential with full jitter above a floor.

use std::time::Duration;

/// Doubling waits between `min` and `max`, each drawn evenly between the floor and the bound of its turn.
///
/// The floor keeps a lucky draw from becoming a busy loop; the jitter keeps a fleet from knocking together.
#[derive(Debug, Clone)]
pub(crate) struct Backoff {
    min: Duration,
    max: Duration,
    failures: u32,
}

impl Backoff {
    /// A back-off that has seen no failure yet.
    pub(crate) const fn new(min: Duration, max: Duration) -> Self {
        Self { min, max, failures: 0 }
    }

    /// Counts a failure and returns how long to wait after it.
    pub(crate) fn failed(&mut self, random: &mut fastrand::Rng) -> Duration {
        self.failures = self.failures.saturating_add(1);
        let bound = self.min.saturating_mul(2_u32.saturating_pow(self.failures)).min(self.max);
        let spread = bound.saturating_sub(self.min);
        self.min + spread.mul_f64(random.f64())
    }

    /// Forgets the failures: the thing has proved itself.
    pub(crate) fn reset(&mut self) {
        self.failures = 0;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_grow_to_the_bound_and_never_leave_the_window() {
        let (min, max) = (Duration::from_secs(1), Duration::from_secs(30));
        let mut longest = [Duration::ZERO; 8];
        for seed in 0..200 {
            let mut random = fastrand::Rng::with_seed(seed);
            let mut backoff = Backoff::new(min, max);
            for longest in &mut longest {
                let wait = backoff.failed(&mut random);
                assert!((min..=max).contains(&wait), "{wait:?}");
                *longest = wait.max(*longest);
            }
        }
        assert!(longest[0] <= Duration::from_secs(2));
        assert!(longest[1] > longest[0] && longest[1] <= Duration::from_secs(4));
        assert!(longest[7] > Duration::from_secs(25));
    }

    #[test]
    fn starts_again_after_a_reset() {
        let mut random = fastrand::Rng::with_seed(7);
        let mut backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(60));
        for _ in 0..100 {
            backoff.failed(&mut random);
        }
        backoff.reset();
        assert!(backoff.failed(&mut random) <= Duration::from_secs(2));
    }
}
