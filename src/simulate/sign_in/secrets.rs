//! Everything secret that was ever handed out, so that tests can look for it where it must not be.

use std::collections::VecDeque;

/// How many secrets are remembered.
const REMEMBERED: usize = 16_384;

/// The newest secrets, oldest first.
#[derive(Debug, Default)]
pub(in crate::simulate) struct Secrets(VecDeque<String>);

impl Secrets {
    pub(in crate::simulate) fn remember(&mut self, secret: &str) {
        if self.0.len() == REMEMBERED {
            self.0.pop_front();
        }
        self.0.push_back(secret.to_owned());
    }

    pub(in crate::simulate) fn all(&self) -> Vec<String> {
        self.0.iter().cloned().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_remembered() {
        let mut secrets = Secrets::default();
        for number in 0..REMEMBERED + 5 {
            secrets.remember(&number.to_string());
        }
        let all = secrets.all();
        assert_eq!((all.len(), all[0].as_str()), (REMEMBERED, "5"));
    }
}
