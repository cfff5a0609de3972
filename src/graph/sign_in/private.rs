//! Files that only their owner can read, on a disk that may be full or read-only.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::path::Path;

/// Opens a file that was never readable by anybody else, not for an instant.
pub(super) fn open(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    make(&file)?;
    Ok(file)
}

/// Makes a file private that was not.
#[cfg(unix)]
pub(super) fn make(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if file.metadata()?.permissions().mode() & 0o777 == 0o600 {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(0o600)).or_else(unless_read_only)
}

/// A file system that is read-only has modes that nobody can change, and may still be read.
#[cfg(unix)]
fn unless_read_only(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::ReadOnlyFilesystem { Ok(()) } else { Err(error) }
}

#[cfg(not(unix))]
pub(super) fn make(_file: &File) -> io::Result<()> {
    Ok(())
}

/// Makes a folder, and what is above it, that nobody else can enter.
#[cfg(unix)]
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if fs::metadata(folder)?.permissions().mode() & 0o777 == 0o700 {
        return Ok(());
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700)).or_else(unless_read_only)
}

#[cfg(not(unix))]
pub(super) fn make_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Writes a whole file to the disk; of what does not fit nothing is left.
pub(super) fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = open(path)?;
    let written = file.set_len(0).and_then(|()| file.write_all(bytes)).and_then(|()| file.sync_all());
    if written.is_err() {
        // Why it did not fit is what matters.
        let _left = fs::remove_file(path);
    }
    written
}

/// The file that is there already, or nothing, where one cannot be opened for writing because nothing can be written.
pub(super) fn or_as_it_is(opened: io::Result<File>, path: &Path) -> io::Result<Option<File>> {
    match opened {
        Err(error) if takes_nothing(&error) => match File::open(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
            there => there.map(Some),
        },
        opened => opened.map(Some),
    }
}

/// Whether a disk that can be read takes nothing.
pub(super) fn takes_nothing(error: &io::Error) -> bool {
    use io::ErrorKind::{FileTooLarge, QuotaExceeded, ReadOnlyFilesystem, StorageFull};
    matches!(error.kind(), FileTooLarge | QuotaExceeded | ReadOnlyFilesystem | StorageFull)
}

#[cfg(test)]
mod tests {
    use std::fs::TryLockError;

    use super::*;

    #[test]
    fn a_lock_is_taken_on_what_is_there_where_nothing_can_be_written() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("run.lock");
        let read_only = || Err(io::Error::from(io::ErrorKind::ReadOnlyFilesystem));
        assert!(or_as_it_is(read_only(), &path).unwrap().is_none());
        fs::write(&path, "").unwrap();
        let one = or_as_it_is(read_only(), &path).unwrap().unwrap();
        let other = or_as_it_is(read_only(), &path).unwrap().unwrap();
        one.try_lock().unwrap();
        assert!(matches!(other.try_lock(), Err(TryLockError::WouldBlock)));
        let denied = or_as_it_is(Err(io::Error::from(io::ErrorKind::PermissionDenied)), &path);
        assert_eq!(denied.unwrap_err().kind(), io::ErrorKind::PermissionDenied);
    }
}
