//! A terminal that does not show what is typed.

use rustix::termios::{LocalModes, OptionalActions, Termios, tcgetattr, tcsetattr};

/// As long as this lives, what is typed is not shown. It ends with whoever waits, also if they are
/// interrupted.
pub(super) struct EchoOff(Option<Termios>);

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

impl Drop for EchoOff {
    fn drop(&mut self) {
        if let Some(before) = &self.0 {
            // A terminal that is gone shows nothing.
            let _gone = tcsetattr(std::io::stdin(), OptionalActions::Now, before);
        }
    }
}
