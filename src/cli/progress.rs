//! A sign of life on a terminal while something takes longer than a second. Never in logs or pipes.

use std::io::Write;
use std::time::Duration;

use tokio::time::timeout;

/// Before the first sign, and between two.
const SECOND: Duration = Duration::from_secs(1);

/// Whether and where signs of life are given.
#[derive(Debug, Clone, Copy)]
pub(super) struct Progress {
    shown: bool,
}

impl Progress {
    /// Shown where somebody looks.
    pub(super) fn new(shown: bool) -> Self {
        Self { shown }
    }

    /// Waits for something, and says what it is waiting for.
    pub(super) async fn during<T>(self, what: &str, future: impl Future<Output = T>) -> T {
        self.on(&mut std::io::stderr(), what, future).await
    }

    async fn on<T>(self, err: &mut impl Write, what: &str, future: impl Future<Output = T>) -> T {
        if !self.shown {
            return future.await;
        }
        let mut future = std::pin::pin!(future);
        let mut seconds = 0;
        loop {
            if let Ok(done) = timeout(SECOND, &mut future).await {
                if seconds > 0 {
                    say(err, "");
                }
                return done;
            }
            seconds += 1;
            say(err, &format!("{what}… {seconds}s"));
        }
    }
}

/// In the place of what was said before. Whether anybody sees it does not matter to the work.
fn say(err: &mut impl Write, words: &str) {
    let _seen = write!(err, "\r{words}\x1b[K").and_then(|()| err.flush());
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn said(shown: bool, lasts: Duration) -> String {
        let mut err = Vec::new();
        let work = async {
            tokio::time::sleep(lasts).await;
            7
        };
        assert_eq!(Progress::new(shown).on(&mut err, "reading", work).await, 7);
        String::from_utf8(err).unwrap()
    }

    #[tokio::test(start_paused = true)]
    async fn only_what_lasts_is_shown_and_nothing_of_it_stays() {
        let millis = Duration::from_millis;
        assert_eq!(said(true, millis(900)).await, "");
        assert_eq!(said(true, millis(2500)).await, "\rreading… 1s\x1b[K\rreading… 2s\x1b[K\r\x1b[K");
        assert_eq!(said(false, millis(2500)).await, "");
    }
}
