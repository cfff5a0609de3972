//! The folder of the tokens on systems without owners and modes. It is as private as its parent folder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::private_error::{PrivateError, takes_nothing};

/// A folder that only this user should enter.
#[derive(Debug)]
pub struct PrivateFolder(PathBuf);

impl PrivateFolder {
    /// Opens the folder, and makes it if there is none.
    ///
    /// # Errors
    ///
    /// If the disk cannot be written to.
    pub fn make(path: &Path, _ours: &'static [&'static str]) -> Result<Self, PrivateError> {
        fs::create_dir_all(path).map_err(failed("cannot make the folder", path))?;
        Ok(Self(path.to_owned()))
    }

    /// Opens the folder, if there is one.
    ///
    /// # Errors
    ///
    /// Never.
    pub fn open(path: &Path, _ours: &'static [&'static str]) -> Result<Option<Self>, PrivateError> {
        Ok(path.is_dir().then(|| Self(path.to_owned())))
    }

    /// Opens a file to lock it, and creates one if there is none. On a read-only disk: the existing file, or
    /// `None`.
    ///
    /// # Errors
    ///
    /// If it cannot be opened.
    pub fn lock_file(&self, name: &str) -> Result<Option<File>, PrivateError> {
        let path = self.0.join(name);
        let opened = match OpenOptions::new().read(true).write(true).create(true).truncate(false).open(&path)
        {
            Err(error) if takes_nothing(&error) => match File::open(&path) {
                Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
                there => there,
            },
            opened => opened,
        };
        opened.map(Some).map_err(failed("cannot open", &path))
    }

    /// What is in a file, if it is there: at most `limit` bytes of it.
    ///
    /// # Errors
    ///
    /// If it cannot be read.
    pub fn read(&self, name: &str, limit: u64) -> Result<Option<Vec<u8>>, PrivateError> {
        let path = self.0.join(name);
        let mut bytes = Vec::new();
        match File::open(&path).and_then(|file| file.take(limit).read_to_end(&mut bytes)) {
            Ok(_) => Ok(Some(bytes)),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            Err(error) => Err(failed("cannot read", &path)(error)),
        }
    }

    /// Replaces a whole file.
    ///
    /// # Errors
    ///
    /// If the disk refuses; the old content is kept then.
    pub fn replace(&self, name: &str, content: &[u8]) -> Result<(), PrivateError> {
        let (path, beside) = (self.0.join(name), self.0.join(format!("{name}.new")));
        let replaced = write(&beside, content).and_then(|()| fs::rename(&beside, &path));
        replaced.map_err(failed("cannot write", &path))
    }

    /// Finds out whether a file of this size could replace this one. Leaves no file behind.
    ///
    /// # Errors
    ///
    /// If the disk cannot be written to.
    pub fn try_out(&self, name: &str, size: usize) -> Result<(), PrivateError> {
        let beside = self.0.join(format!("{name}.test"));
        let tried = write(&beside, &vec![0; size]).and_then(|()| fs::remove_file(&beside));
        tried.map_err(failed("cannot write in", &self.0))
    }

    /// Removes a file.
    ///
    /// # Errors
    ///
    /// If the disk cannot be written to.
    pub fn remove(&self, name: &str) -> Result<(), PrivateError> {
        let path = self.0.join(name);
        match fs::remove_file(&path) {
            Err(error) if error.kind() != io::ErrorKind::NotFound => {
                Err(failed("cannot remove", &path)(error))
            }
            Ok(()) | Err(_) => Ok(()),
        }
    }
}

/// Writes a whole file to the disk. Removes it if it does not fit.
fn write(path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = File::create(path)?;
    let written = file.write_all(content).and_then(|()| file.sync_all());
    if written.is_err() {
        // The error of writing is reported, not that of removing.
        let _left = fs::remove_file(path);
    }
    written
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> PrivateError {
    let path = path.to_owned();
    move |source| PrivateError::Io { what, path, source }
}
