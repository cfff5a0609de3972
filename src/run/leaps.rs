//! Notices that time passed unobserved: the machine slept, or its clock was set.
//!
//! Timers stop while the machine sleeps. On Linux, a timer on the time of day is cancelled when that clock
//! jumps against the monotonic clock, which it also does after sleep (`TFD_TIMER_CANCEL_ON_SET` in
//! `timerfd_create(2)`). On other systems, and if this timer is not available, the core compares the clocks
//! at intervals.

use std::time::Duration;

/// Without such a timer the core is woken at this interval to compare the clocks.
const LOOK: Duration = Duration::from_millis(500);

/// Waits for jumps of the time of day.
#[derive(Debug)]
pub(super) struct Leaps(Option<timer::Timer>);

impl Leaps {
    /// Reports jumps from now on. Needs tokio's reactor.
    pub(super) fn watch() -> Self {
        let timer = timer::Timer::start();
        Self(timer.inspect_err(|error| tracing::debug!(%error, "this system has no timer that reports sleep; comparing the clocks instead")).ok())
    }

    /// Returns when time may have passed unobserved. Cancelling it loses nothing.
    pub(super) async fn next(&mut self) {
        if let Some(timer) = &self.0 {
            match timer.cancelled().await {
                Ok(()) => return,
                Err(error) => {
                    tracing::debug!(%error, "the timer that reports sleep has failed; comparing the clocks instead");
                    self.0 = None;
                }
            }
        }
        tokio::time::sleep(LOOK).await;
    }
}

#[cfg(target_os = "linux")]
mod timer {
    use std::io;

    use rustix::io::Errno;
    use rustix::time::{
        Itimerspec, TimerfdClockId, TimerfdFlags, TimerfdTimerFlags, Timespec, timerfd_create,
        timerfd_settime,
    };
    use tokio::net::unix::pipe;

    /// A timer that never expires, but is cancelled by a jump. It is read as a pipe, which tokio can do
    /// without `unsafe`.
    #[derive(Debug)]
    pub(super) struct Timer(pipe::Receiver);

    impl Timer {
        pub(super) fn start() -> io::Result<Self> {
            let flags = TimerfdFlags::NONBLOCK | TimerfdFlags::CLOEXEC;
            let timer = timerfd_create(TimerfdClockId::Realtime, flags)?;
            let at = |tv_sec| Timespec { tv_sec, tv_nsec: 0 };
            let never = Itimerspec { it_interval: at(0), it_value: at(i64::MAX) };
            let flags = TimerfdTimerFlags::ABSTIME | TimerfdTimerFlags::CANCEL_ON_SET;
            match timerfd_settime(&timer, flags, &never) {
                // The clock jumped just now. The timer is set nevertheless.
                Ok(_) | Err(Errno::CANCELED) => {}
                Err(error) => return Err(error.into()),
            }
            Ok(Self(pipe::Receiver::from_owned_fd_unchecked(timer)?))
        }

        /// Waits until the timer is cancelled by a jump. The timer stays set.
        pub(super) async fn cancelled(&self) -> io::Result<()> {
            loop {
                self.0.readable().await?;
                match self.0.try_read(&mut [0; 8]) {
                    Ok(_) => return Err(io::Error::other("it rang")),
                    Err(error) if Errno::from_io_error(&error) == Some(Errno::CANCELED) => return Ok(()),
                    Err(error) if error.kind() == io::ErrorKind::WouldBlock => {}
                    Err(error) => return Err(error),
                }
            }
        }
    }
}

/// Other systems have no such timer.
#[cfg(not(target_os = "linux"))]
mod timer {
    use std::io;

    #[derive(Debug)]
    pub(super) struct Timer(std::convert::Infallible);

    impl Timer {
        pub(super) fn start() -> io::Result<Self> {
            Err(io::ErrorKind::Unsupported.into())
        }

        #[expect(clippy::unused_async, reason = "as where there is one")]
        pub(super) async fn cancelled(&self) -> io::Result<()> {
            match self.0 {}
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::time::timeout;

    use super::*;

    #[cfg(target_os = "linux")]
    #[tokio::test]
    async fn the_timer_is_set_and_silent_while_nobody_sets_the_clock() {
        let mut leaps = Leaps::watch();
        assert!(leaps.0.is_some());
        let silent = timeout(Duration::from_secs(1), leaps.next()).await;
        assert!(silent.is_err() && leaps.0.is_some());
    }

    #[tokio::test]
    async fn without_a_timer_somebody_looks() {
        let looked = timeout(Duration::from_secs(10), Leaps(None).next()).await;
        assert!(looked.is_ok());
    }
}
