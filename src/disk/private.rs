//! A folder that only this user can enter, and the files in it.
//!
//! The folder is opened and checked once. Its files are reached through the open folder, never through its
//! path, so no other user can substitute another folder. No link in it is followed. A new file is created
//! exclusively, under a name that cannot be guessed, and is renamed when it is complete.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::fd::OwnedFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, Dir, Mode, OFlags};
use rustix::io::Errno;

use super::owner::Access;
use super::private_error::{PrivateError, takes_nothing};

/// A folder that only this user can enter.
#[derive(Debug)]
pub struct PrivateFolder {
    path: PathBuf,
    folder: OwnedFd,
    /// The prefixes of the names of these files.
    ours: &'static [&'static str],
}

const OF_FOLDER: OFlags = OFlags::DIRECTORY.union(OFlags::NOFOLLOW).union(OFlags::CLOEXEC);
/// Does not wait when the file is a pipe.
const OF_FILE: OFlags = OFlags::NOFOLLOW.union(OFlags::CLOEXEC).union(OFlags::NONBLOCK);
const PRIVATE: Mode = Mode::RUSR.union(Mode::WUSR);

impl PrivateFolder {
    /// Opens the folder for files whose names begin with one of `ours`; creates it if there is none.
    ///
    /// # Errors
    ///
    /// If it exists and another user owns or can enter it.
    pub fn make(path: &Path, ours: &'static [&'static str]) -> Result<Self, PrivateError> {
        if let Some(folder) = Self::open(path, ours)? {
            return Ok(folder);
        }
        let made = DirBuilder::new().recursive(true).mode(0o700).create(path);
        made.map_err(io_failed("cannot make the folder", path))?;
        // Checks it like an existing folder: another user may have created it first.
        Self::open(path, ours)?.ok_or_else(|| {
            io_failed("cannot open the folder", path)(io::Error::from(io::ErrorKind::NotFound))
        })
    }

    /// Opens the folder, if there is one.
    ///
    /// # Errors
    ///
    /// If another user owns or can enter it.
    pub fn open(path: &Path, ours: &'static [&'static str]) -> Result<Option<Self>, PrivateError> {
        let Some(real) = without_link(path)? else { return Ok(None) };
        let failed = |errno: Errno| io_failed("cannot open the folder", path)(errno.into());
        let folder = match rustix::fs::open(&real, OF_FOLDER, Mode::empty()) {
            Ok(folder) => folder,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(failed(errno)),
        };
        let looked = File::from(folder.try_clone().map_err(io_failed("cannot open the folder", path))?);
        let metadata = looked.metadata().map_err(io_failed("cannot look at", path))?;
        let opened = Self { path: path.to_owned(), folder, ours };
        match opened.trouble(Access::from_metadata(&metadata))? {
            None => Ok(Some(opened)),
            Some(says) => Err(PrivateError::NotPrivate { path: path.to_owned(), says }),
        }
    }

    /// Opens a file to lock it, and creates an empty one if there is none. Where nothing can be written it
    /// opens an existing file for reading, which is enough for a lock. It returns `None` if there is none:
    /// this process can change nothing then.
    ///
    /// # Errors
    ///
    /// If it cannot be opened, or another user can read or change it.
    pub fn lock_file(&self, name: &str) -> Result<Option<File>, PrivateError> {
        let flags = OF_FILE | OFlags::RDWR | OFlags::CREATE;
        let opened = rustix::fs::openat(&self.folder, name, flags, PRIVATE);
        match self.or_as_it_is(opened, name) {
            Ok(file) => file.map(|file| self.own(File::from(file), name)).transpose(),
            Err(errno) => Err(self.failed("cannot open", name, errno)),
        }
    }

    /// Where nothing can be written: the existing file, opened for reading, or `None`.
    fn or_as_it_is(&self, opened: Result<OwnedFd, Errno>, name: &str) -> Result<Option<OwnedFd>, Errno> {
        match opened {
            Err(errno) if takes_nothing(&errno.into()) => {
                match rustix::fs::openat(&self.folder, name, OF_FILE | OFlags::RDONLY, Mode::empty()) {
                    Err(Errno::NOENT) => Ok(None),
                    there => there.map(Some),
                }
            }
            opened => opened.map(Some),
        }
    }

    /// The content of a file, if there is one: at most `limit` bytes.
    ///
    /// # Errors
    ///
    /// If it cannot be read, or another user can read or change it.
    pub fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, PrivateError> {
        let file = match rustix::fs::openat(&self.folder, name, OF_FILE | OFlags::RDONLY, Mode::empty()) {
            Ok(file) => self.own(File::from(file), name)?,
            Err(Errno::NOENT) => return Ok(None),
            Err(errno) => return Err(self.failed("cannot open", name, errno)),
        };
        let mut bytes = Vec::new();
        let read = file.take(limit).read_to_end(&mut bytes);
        read.map_err(io_failed("cannot read", &self.path.join(name)))?;
        Ok(Some(bytes))
    }

    /// Finds out whether a file of this size could replace this one. Leaves no file behind.
    ///
    /// # Errors
    ///
    /// If the disk cannot be written to.
    pub fn try_out(&self, name: &str, size: usize) -> Result<(), PrivateError> {
        let beside = beside(name);
        let tried = self.write(&beside, &vec![0; size]);
        match tried.and_then(|()| Ok(rustix::fs::unlinkat(&self.folder, &beside, AtFlags::empty())?)) {
            // A process that replaced the file meanwhile has removed this one.
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(io_failed("cannot write in", &self.path)(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }

    /// Replaces a whole file. After success the new content survives a power cut; after a failure the old
    /// file is unchanged. The caller must hold the lock, because this also removes files of an unfinished
    /// replacement.
    ///
    /// # Errors
    ///
    /// If the disk cannot be written to.
    pub fn replace(&self, name: &str, content: &[u8]) -> Result<(), PrivateError> {
        self.sweep(name)?;
        let beside = beside(name);
        let replaced = self.write(&beside, content).and_then(|()| {
            let renamed = rustix::fs::renameat(&self.folder, &beside, &self.folder, name);
            renamed.inspect_err(|_| self.discard(&beside))?;
            Ok(rustix::fs::fsync(&self.folder)?)
        });
        replaced.map_err(io_failed("cannot write", &self.path.join(name)))
    }

    /// Writes a new file to the disk. Removes it if it does not fit.
    fn write(&self, name: &str, content: &[u8]) -> io::Result<()> {
        let flags = OF_FILE | OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL;
        let mut file = File::from(rustix::fs::openat(&self.folder, name, flags, PRIVATE)?);
        let written = file.write_all(content).and_then(|()| file.sync_all());
        written.inspect_err(|_| self.discard(name))
    }

    /// Removes an unfinished file. The error of writing is reported, not that of removing; the next
    /// replacement tries again.
    fn discard(&self, name: &str) {
        let _gone = rustix::fs::unlinkat(&self.folder, name, AtFlags::empty());
    }

    /// Removes a file, and files of an unfinished replacement. The caller must hold the lock.
    ///
    /// # Errors
    ///
    /// If the disk cannot be written to.
    pub fn remove(&self, name: &str) -> Result<(), PrivateError> {
        self.sweep(name)?;
        match rustix::fs::unlinkat(&self.folder, name, AtFlags::empty()) {
            Ok(()) | Err(Errno::NOENT) => Ok(()),
            Err(errno) => Err(self.failed("cannot remove", name, errno)),
        }
    }

    /// Removes files that a crash between writing and renaming left, because they hold secrets.
    fn sweep(&self, name: &str) -> Result<(), PrivateError> {
        let beside = format!("{name}.");
        for entry in
            self.entries()?.into_iter().filter(|entry| entry.as_bytes().starts_with(beside.as_bytes()))
        {
            match rustix::fs::unlinkat(&self.folder, &entry, AtFlags::empty()) {
                Ok(()) | Err(Errno::NOENT) => {}
                Err(errno) => return Err(self.failed("cannot remove", &entry.to_string_lossy(), errno)),
            }
        }
        Ok(())
    }

    fn entries(&self) -> Result<Vec<OsString>, PrivateError> {
        let read = || {
            let names = Dir::read_from(&self.folder)?
                .map(|entry| entry.map(|entry| OsStr::from_bytes(entry.file_name().to_bytes()).to_owned()));
            names.filter(|name| !matches!(name, Ok(name) if name == "." || name == "..")).collect()
        };
        let names: Result<_, Errno> = read();
        names.map_err(|errno| io_failed("cannot list", &self.path)(errno.into()))
    }

    /// One sentence about what is wrong with the folder, and how to correct it.
    fn trouble(&self, access: Access) -> Result<Option<String>, PrivateError> {
        let own = self.path.join("presence2mqtt");
        if !access.is_mine() {
            return Ok(Some(format!(
                "belongs to user {}, and this runs as user {}: run it as that user, or name another folder in \
                 graph.state_dir",
                access.owner(),
                access.me()
            )));
        }
        if !access.is_shared() {
            return Ok(None);
        }
        let mode = access.mode();
        let is_of_ours = |name: &str| self.ours.iter().any(|prefix| name.starts_with(prefix));
        let is_ours = self.entries()?.iter().all(|name| name.to_str().is_some_and(is_of_ours));
        Ok(Some(if is_ours {
            format!("can be entered by others (mode {mode:04o}); run: chmod 700 '{}'", self.path.display())
        } else {
            format!(
                "holds other things and can be entered by others (mode {mode:04o}); name a folder that is not there yet in \
                 graph.state_dir, such as '{}'",
                own.display()
            )
        }))
    }

    /// Checks a file in the folder. It can belong to another user only if it was created before the folder
    /// was closed to others. If its mode is too open, closes it: the bridge made the file.
    fn own(&self, file: File, name: &str) -> Result<File, PrivateError> {
        let path = self.path.join(name);
        let refuse = |says: String| Err(PrivateError::NotPrivate { path: path.clone(), says });
        let metadata = file.metadata().map_err(io_failed("cannot look at", &path))?;
        let access = Access::from_metadata(&metadata);
        if !metadata.is_file() {
            return refuse("is not a regular file; remove it".to_owned());
        }
        if !access.is_mine() {
            return refuse(format!(
                "belongs to user {}, who can read and change it; remove it",
                access.owner()
            ));
        }
        if metadata.nlink() > 1 {
            return refuse(
                "has a second name (a hard link), under which other users may read it; remove it".to_owned(),
            );
        }
        if access.is_shared() {
            match rustix::fs::fchmod(&file, PRIVATE) {
                // On a read-only disk no user can change the mode. Other users cannot enter the folder.
                Ok(()) | Err(Errno::ROFS) => {}
                Err(errno) => return Err(self.failed("cannot protect", name, errno)),
            }
        }
        Ok(file)
    }

    fn failed(&self, what: &'static str, name: &str, errno: Errno) -> PrivateError {
        let path = self.path.join(name);
        if errno == Errno::LOOP {
            return PrivateError::NotPrivate { path, says: "is a link; remove it".to_owned() };
        }
        io_failed(what, &path)(errno.into())
    }
}

/// A name for a new file beside this one that cannot be guessed.
fn beside(name: &str) -> String {
    format!("{name}.{}", uuid::Uuid::new_v4().simple())
}

/// The real place of a folder, or `None` if there is none. Follows a link of root (systemd's `/var/lib/NAME`
/// is one) or of this user. Another user could change their own link at any time.
fn without_link(path: &Path) -> Result<Option<PathBuf>, PrivateError> {
    let metadata = match fs::symlink_metadata(path) {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        Err(error) => return Err(io_failed("cannot look at", path)(error)),
    };
    if !metadata.is_symlink() {
        return Ok(Some(path.to_owned()));
    }
    let access = Access::from_metadata(&metadata);
    if !access.is_mine() && access.owner() != 0 {
        let says = format!(
            "is a link that belongs to user {}; name another folder in graph.state_dir",
            access.owner()
        );
        return Err(PrivateError::NotPrivate { path: path.to_owned(), says });
    }
    fs::canonicalize(path).map(Some).map_err(io_failed("cannot follow the link", path))
}

fn io_failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PrivateError {
    let path = path.to_owned();
    move |source| PrivateError::Io { what, path, source }
}

#[cfg(test)]
mod tests {
    use std::fs::TryLockError;

    use super::*;

    #[test]
    fn a_lock_is_taken_on_what_is_there_where_nothing_can_be_written() {
        let above = tempfile::tempdir().unwrap();
        let folder = PrivateFolder::make(&above.path().join("state"), &["run.lock"]).unwrap();
        let read_only = || folder.or_as_it_is(Err(Errno::ROFS), "run.lock").unwrap().map(File::from);
        assert!(read_only().is_none());
        folder.lock_file("run.lock").unwrap().unwrap();
        let (one, other) = (read_only().unwrap(), read_only().unwrap());
        one.try_lock().unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        assert_eq!(folder.or_as_it_is(Err(Errno::ACCESS), "run.lock").unwrap_err(), Errno::ACCESS);
        // The other function follows no link either.
        std::os::unix::fs::symlink("run.lock", above.path().join("state/link")).unwrap();
        assert_eq!(folder.or_as_it_is(Err(Errno::ROFS), "link").unwrap_err(), Errno::LOOP);
    }
}
