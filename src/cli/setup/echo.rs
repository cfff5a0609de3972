//! A terminal that does not show what is typed.

#[cfg(unix)]
use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// As long as this lives, what is typed is not shown. It ends with whoever waits, also if they are
/// interrupted.
pub(super) struct EchoOff(#[cfg(unix)] Option<Termios>);

#[cfg(unix)]
impl EchoOff {
    /// Does nothing where there is no terminal.
    pub(super) fn start() -> Self {
        let Ok(before) = tcgetattr(std::io::stdin()) else { return Self(None) };
        let mut quiet = before.clone();
        quiet.local_modes.remove(LocalModes::ECHO);
        let is_off = tcsetattr(std::io::stdin(), OptionalActions::Now, &quiet).is_ok();
        Self(is_off.then_some(before))
    }

    /// Whether there is a terminal.
    pub(super) fn is_off(&self) -> bool {
        self.0.is_some()
    }
}

#[cfg(unix)]
impl Drop for EchoOff {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // A terminal that is gone shows nothing.
            let _gone = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}

/// There what is typed is shown.
#[cfg(not(unix))]
impl EchoOff {
    pub(super) fn start() -> Self {
        Self()
    }

    pub(super) fn is_off(&self) -> bool {
        false
    }
}
