//! Writes a whole file, or changes nothing.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

/// Who may read a new file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Readers {
    /// This user alone.
    Owner,
    /// All users of this machine. Only this user may write it.
    Everybody,
}

/// Writes a new file beside the path, then moves it there. It replaces an existing file.
///
/// # Errors
///
/// If the disk cannot be written to; then nothing has changed.
pub fn write(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    let beside = beside(path)?;
    let written = create(&beside, readers).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()
    });
    written.and_then(|()| fs::rename(&beside, path)).inspect_err(|_| {
        // The error of writing is reported, not that of removing.
        let _gone = fs::remove_file(&beside);
    })
}

/// The same where nothing may be replaced.
///
/// # Errors
///
/// If something is there, or the disk refuses; nothing has changed then.
pub fn write_new(path: &Path, content: &[u8], readers: Readers) -> io::Result<()> {
    // Whoever else looks for a free place finds this one taken.
    create(path, readers)?;
    write(path, content, readers).inspect_err(|_| {
        let _gone = fs::remove_file(path);
    })
}

/// Finds out whether a file could be written there, and leaves nothing behind.
///
/// # Errors
///
/// If the disk cannot be written to.
pub fn try_out(path: &Path) -> io::Result<()> {
    let beside = beside(path)?;
    create(&beside, Readers::Owner)?;
    fs::remove_file(&beside)
}

fn beside(path: &Path) -> io::Result<PathBuf> {
    let mut name = path.file_name().ok_or(io::ErrorKind::InvalidInput)?.to_owned();
    name.push(format!(".{}", std::process::id()));
    Ok(path.with_file_name(name))
}

fn create(path: &Path, readers: Readers) -> io::Result<File> {
    let mode = match readers {
        Readers::Owner => 0o600,
        Readers::Everybody => 0o644,
    };
    let file = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    if readers == Readers::Everybody {
        // The umask, 077 on some servers, may have removed the right of the service's user to read it.
        file.set_permissions(fs::Permissions::from_mode(mode))?;
    }
    Ok(file)
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_file_is_there_as_a_whole_or_as_before() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("config.toml");
        for (content, readers, mode) in
            [("first", Readers::Everybody, 0o644), ("second", Readers::Owner, 0o600)]
        {
            write(&file, content.as_bytes(), readers).unwrap();
            assert_eq!(fs::read_to_string(&file).unwrap(), content);
            assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, mode);
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
        }
        let again = write_new(&file, b"third", Readers::Owner).unwrap_err();
        assert_eq!(
            (again.kind(), fs::read_to_string(&file).unwrap().as_str()),
            (io::ErrorKind::AlreadyExists, "second")
        );
        fs::remove_file(&file).unwrap();
        write_new(&file, b"third", Readers::Owner).unwrap();
        try_out(&file).unwrap();
        assert!(try_out(&folder.path().join("nowhere/x")).is_err());
        fs::create_dir(folder.path().join("folder")).unwrap();
        assert!(write(&folder.path().join("folder"), b"x", Readers::Owner).is_err());
        assert!(write(&folder.path().join("nowhere/x"), b"x", Readers::Owner).is_err());
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2);
    }
}
