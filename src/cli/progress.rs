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
    every: Duration,
}

impl Progress {
    /// Shown where somebody looks.
    pub(super) fn new(shown: bool) -> Self {
        Self { shown, every: SECOND }
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
        let mut line = Line { err, seconds: 0 };
        loop {
            if let Ok(done) = timeout(self.every, &mut future).await {
                return done;
            }
            line.count(what);
        }
    }
}

/// What is said at the moment. It goes with whoever waits, also if they are interrupted.
struct Line<'e, W: Write> {
    err: &'e mut W,
    seconds: u64,
}

impl<W: Write> Line<'_, W> {
    fn count(&mut self, what: &str) {
        self.seconds += 1;
        say(self.err, &format!("{what}… {}s", self.seconds));
    }
}

impl<W: Write> Drop for Line<'_, W> {
    fn drop(&mut self) {
        if self.seconds > 0 {
            say(self.err, "");
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

    /// Lets the work end when it has been spoken of for the second time.
    struct Impatient {
        said: String,
        end: Option<tokio::sync::oneshot::Sender<()>>,
    }

    impl Write for Impatient {
        fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
            self.said += std::str::from_utf8(bytes).unwrap();
            if self.said.contains("2s") {
                self.end.take().map(|end| end.send(()));
            }
            Ok(bytes.len())
        }

        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }

    #[tokio::test]
    async fn what_lasts_is_shown_and_nothing_of_it_stays() {
        let (end, ended) = tokio::sync::oneshot::channel();
        let mut err = Impatient { said: String::new(), end: Some(end) };
        let progress = Progress { shown: true, every: Duration::from_millis(1) };
        assert_eq!(progress.on(&mut err, "reading", ended).await, Ok(()));
        assert_eq!(err.said, "\rreading… 1s\x1b[K\rreading… 2s\x1b[K\r\x1b[K");
    }

    #[tokio::test]
    async fn what_is_done_at_once_or_seen_by_nobody_is_not_shown() {
        let every = Duration::from_millis(1);
        let long = || tokio::time::sleep(10 * every);
        let mut err = Vec::new();
        Progress { shown: false, every }.on(&mut err, "reading", long()).await;
        Progress::new(true).on(&mut err, "reading", long()).await;
        assert_eq!(err, b"");
    }
}
