//! When an access token is renewed.

use std::time::Duration;

/// A renewal that failed while the old token still lives is tried again after this.
pub(super) const RENEW_AGAIN: Duration = Duration::from_secs(30);

/// How long after its issue a token that lives for `lives` is renewed: between 75 and 80 per cent of its
/// life, but at least five minutes before its end where it lives long enough for that.
///
/// `draw`, from 0 to 1, spreads many bridges that were started together.
pub(super) fn renew_after(lives: Duration, draw: f64) -> Duration {
    let by_share = lives.mul_f64(0.75 + 0.05 * draw.clamp(0.0, 1.0));
    let by_end = lives.saturating_sub(Duration::from_secs(300));
    if by_end.is_zero() { by_share } else { by_share.min(by_end) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn renewal_times() {
        for (lives, draw, renewed) in [
            (3600, 1.0, 2880),
            (3600, 0.0, 2700),
            (600, 1.0, 300),
            (1000, 1.0, 700),
            (300, 1.0, 240),
            (100, 0.0, 75),
            (0, 0.5, 0),
        ] {
            let lives = Duration::from_secs(lives);
            assert_eq!(renew_after(lives, draw), Duration::from_secs(renewed), "{lives:?} {draw}");
        }
    }

    /// A year of reads, with tokens that live as long as Microsoft's do: every one is renewed before it ends,
    /// and none before three quarters of its life.
    #[test]
    fn a_year_without_a_late_or_a_needless_renewal() {
        for (interval, seed) in [(5, 1), (60, 2), (300, 3)] {
            let mut random = fastrand::Rng::with_seed(seed);
            let (mut renewals, mut shortest) = (0_u32, u64::MAX);
            let (mut issued, mut lives, mut renew) = (0_u64, 0_u64, 0_u64);
            for now in (0..365 * 24 * 3600).step_by(interval) {
                if renewals == 0 || now >= renew {
                    assert!(renewals == 0 || now < issued + lives, "late at {now}: the token had ended");
                    shortest =
                        shortest.min(if renewals == 0 { u64::MAX } else { (now - issued) * 100 / lives });
                    (issued, lives) = (now, random.u64(60 * 60..=90 * 60));
                    renew = now + renew_after(Duration::from_secs(lives), random.f64()).as_secs();
                    renewals += 1;
                }
            }
            let year = 365 * 24 * 3600;
            assert!(shortest >= 74, "a token was renewed after {shortest} % of its life");
            assert!((year / 5400..=year / 2700 + 1).contains(&u64::from(renewals)), "{renewals}");
            println!(
                "reads every {interval} s for a year: {renewals} renewals, the earliest at {shortest} % of a life"
            );
        }
    }
}
