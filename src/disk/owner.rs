//! Who else may read or write a file, by its owner and mode.

use std::fs::Metadata;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// The owner and mode of a file or folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Access {
    owner: u32,
    group: u32,
    mode: u32,
    /// The user number that this program runs as.
    me: u32,
}

/// What a file is for, which says who may read it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Holds {
    /// A secret, such as a password or key: other users must not read it, except those of its group.
    Secret,
    /// A configuration, or a list of trusted authorities: all users may read it.
    Settings,
}

const GROUP_WRITES: u32 = 0o020;
const OTHERS_READ: u32 = 0o004;
const OTHERS_WRITE: u32 = 0o002;

impl Access {
    pub(super) fn from_metadata(metadata: &Metadata) -> Self {
        Self { owner: metadata.uid(), group: metadata.gid(), mode: metadata.mode() & 0o7777, me: me() }
    }

    /// Whether the user who runs the program owns it.
    pub(super) fn is_mine(self) -> bool {
        self.owner == self.me
    }

    /// Whether users other than the owner may read, write or enter it.
    pub(super) fn is_shared(self) -> bool {
        self.mode & 0o077 != 0
    }

    /// The owner, as `chown` takes it.
    pub(super) fn owner(self) -> u32 {
        self.owner
    }

    /// Who runs the program, as `chown` takes it.
    pub(super) fn me(self) -> u32 {
        self.me
    }

    /// The mode as an argument for `chmod`.
    pub(super) fn mode(self) -> u32 {
        self.mode
    }

    /// One sentence about other users who can change the file, with the command that prevents it.
    #[must_use]
    pub fn others_write(self, path: &Path) -> Option<String> {
        let path = path.display();
        if self.owner != self.me && self.owner != 0 {
            let owner = self.owner;
            return Some(format!(
                "{path} belongs to user {owner}, who can change it at any time; to end that: chown {} '{path}'",
                self.me
            ));
        }
        // On systems where each user has a group with the same number, new files may be writable by that
        // group.
        let by_group = if self.group == self.owner { 0 } else { GROUP_WRITES };
        if self.mode & (by_group | OTHERS_WRITE) != 0 {
            let mode = self.mode;
            return Some(format!(
                "others can write {path} (mode {mode:04o}); to end that: chmod go-w '{path}'"
            ));
        }
        None
    }

    /// One sentence about what other users can do with the file and should not, with the command that
    /// prevents it.
    #[must_use]
    pub fn warning(self, path: &Path, holds: Holds) -> Option<String> {
        if holds == Holds::Secret && self.mode & OTHERS_READ != 0 {
            let (path, mode) = (path.display(), self.mode);
            return Some(format!(
                "every user of this machine can read {path}, which holds a secret (mode {mode:04o}); to end that: \
                 chmod go-w,o-r '{path}'"
            ));
        }
        self.others_write(path)
    }
}

fn me() -> u32 {
    rustix::process::geteuid().as_raw()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_others_can_do_is_said_with_the_command_that_ends_it() {
        let (secret, settings) = (Holds::Secret, Holds::Settings);
        for (owner, mode, holds, expected) in [
            (1000, 0o600, secret, None),
            (0, 0o440, secret, None),
            (1000, 0o640, secret, None),
            (0, 0o644, settings, None),
            (1000, 0o644, secret, Some("chmod go-w,o-r 'x'")),
            (1000, 0o662, secret, Some("chmod go-w 'x'")),
            (1000, 0o664, settings, None),
            (0, 0o664, settings, Some("chmod go-w 'x'")),
            (0, 0o646, settings, Some("chmod go-w 'x'")),
            (1001, 0o600, secret, Some("belongs to user 1001")),
            (1001, 0o644, settings, Some("chown 1000 'x'")),
        ] {
            let warning = Access { owner, group: 1000, mode, me: 1000 }.warning(Path::new("x"), holds);
            match expected {
                None => assert_eq!(warning, None, "{owner} {mode:o}"),
                Some(says) => assert!(warning.as_ref().is_some_and(|w| w.contains(says)), "{warning:?}"),
            }
        }
    }
}
