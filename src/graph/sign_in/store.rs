//! The token store: one file that only its owner can read, replaced as a whole, locked while it changes.
//!
//! A refresh token that was replaced must be on disk before its successor is used, and a crash at any instant must
//! leave either the old file or the new one. So a replacement is written beside the file, synced, renamed over it,
//! and the folder is synced too.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::core::model::name::ObjectId;

/// A sign-in holds the lock for one request; somebody who waits longer waits for a process that hangs.
const LOCK_WITHIN: Duration = Duration::from_secs(30);

/// How often a lock that is taken is tried again.
const LOCK_EVERY: Duration = Duration::from_millis(50);

/// A store is a few kilobytes; more is not ours.
const LARGEST_STORE: u64 = 1024 * 1024;

/// The folder of the tokens, mode 0700.
#[derive(Debug, Clone)]
pub struct TokenStore {
    folder: PathBuf,
}

/// The store, while nobody else can change it.
#[derive(Debug)]
pub struct LockedStore<'a> {
    store: &'a TokenStore,
    /// Closing it gives the lock back.
    _lock: File,
}

/// Held by a running bridge for as long as it runs.
#[derive(Debug)]
pub struct RunLock(#[expect(dead_code, reason = "closing it gives the lock back")] File);

/// A delegated sign-in as it is kept.
#[derive(Debug, Clone)]
pub struct StoredSignIn {
    /// The person whose sign-in it is.
    pub account: Account,
    /// The app it was made for; another app cannot use it.
    pub client_id: String,
    /// What was consented to, separated by spaces.
    pub scopes: String,
    /// Good for the next access token, and replaced with it.
    pub refresh_token: SecretString,
    /// Good for Graph until `access_ends`.
    pub access_token: SecretString,
    /// When `access_token` was issued.
    pub access_issued: Timestamp,
    /// When `access_token` ends.
    pub access_ends: Timestamp,
}

/// Who a sign-in belongs to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The tenant's id.
    pub tenant_id: String,
    /// The person's object id.
    pub object_id: ObjectId,
    /// What they sign in with.
    pub username: String,
}

/// Why the store cannot be used. All of it is about files, so it names them.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder refuses.
    #[error("{what} {}", .path.display())]
    Io {
        /// What was tried.
        what: &'static str,
        /// With which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// The file is not one that this program wrote.
    #[error("{} is damaged; remove it and sign in again with `presence2mqtt login`", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Another process holds the store.
    #[error("another process is using {} and does not let go", .path.display())]
    Busy {
        /// The lock file.
        path: PathBuf,
    },
    /// A bridge already runs with this store.
    #[error("a bridge already runs with the state folder {}; stop it, or give this one its own graph.state_dir", .path.display())]
    AlreadyRunning {
        /// The folder.
        path: PathBuf,
    },
}

/// The file's own form: the only place where a secret is written.
#[derive(Serialize, Deserialize)]
struct Wire {
    version: u32,
    account: Account,
    client_id: String,
    scopes: String,
    refresh_token: String,
    access_token: String,
    access_issued: Timestamp,
    access_ends: Timestamp,
}

/// Of the file's form.
const VERSION: u32 = 1;

impl TokenStore {
    /// The store in this folder, which is made when it is first used.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// The file that changes when somebody signs in or out.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.join("sign-in.json")
    }

    /// Waits until nobody else changes the store.
    ///
    /// # Errors
    ///
    /// If the lock file cannot be opened, or its holder does not let go.
    pub async fn lock(&self) -> Result<LockedStore<'_>, StoreError> {
        let (path, file) = self.lock_file("sign-in.lock")?;
        let attempts = LOCK_WITHIN.as_millis() / LOCK_EVERY.as_millis();
        for _ in 0..attempts {
            match file.try_lock() {
                Ok(()) => return Ok(LockedStore { store: self, _lock: file }),
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_EVERY).await,
                Err(TryLockError::Error(source)) => return Err(failed("cannot lock", &path)(source)),
            }
        }
        Err(StoreError::Busy { path })
    }

    /// Claims the store for one running bridge.
    ///
    /// # Errors
    ///
    /// If another one has it.
    pub fn claim(&self) -> Result<RunLock, StoreError> {
        let (path, file) = self.lock_file("run.lock")?;
        match file.try_lock() {
            Ok(()) => Ok(RunLock(file)),
            Err(TryLockError::WouldBlock) => Err(StoreError::AlreadyRunning { path: self.folder.clone() }),
            Err(TryLockError::Error(source)) => Err(failed("cannot lock", &path)(source)),
        }
    }

    /// Whose sign-in is kept, if anybody's is, and for what. Does not wait for whoever changes it: the file is replaced as
    /// a whole, so that this is true or was a moment ago. Tokens are only read under the lock.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is damaged.
    pub fn whose(&self) -> Result<Option<(Account, String)>, StoreError> {
        Ok(self.read()?.map(|kept| (kept.account, kept.scopes)))
    }

    fn read(&self) -> Result<Option<StoredSignIn>, StoreError> {
        let path = self.file();
        let mut bytes = Vec::new();
        match File::open(&path) {
            Ok(file) => {
                make_private(&file).map_err(failed("cannot protect", &path))?;
                file.take(LARGEST_STORE).read_to_end(&mut bytes).map_err(failed("cannot read", &path))?;
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(failed("cannot open", &path)(error)),
        }
        match serde_json::from_slice::<Wire>(&bytes) {
            Ok(wire) if wire.version == VERSION => Ok(Some(wire.into())),
            Ok(_) | Err(_) => Err(StoreError::Damaged { path }),
        }
    }

    /// Opens a lock file, in a folder that nobody else can enter.
    fn lock_file(&self, name: &str) -> Result<(PathBuf, File), StoreError> {
        make_private_folder(&self.folder).map_err(failed("cannot make the state folder", &self.folder))?;
        let path = self.folder.join(name);
        let file = private_file(&path).map_err(failed("cannot open", &path))?;
        Ok((path, file))
    }
}

impl LockedStore<'_> {
    /// What is kept, if anything is.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is damaged.
    pub fn read(&self) -> Result<Option<StoredSignIn>, StoreError> {
        self.store.read()
    }

    /// Replaces what is kept. When this returns, the new sign-in survives a power cut.
    ///
    /// # Errors
    ///
    /// If the disk refuses; the old sign-in is kept then.
    pub fn replace(&self, sign_in: &StoredSignIn) -> Result<(), StoreError> {
        let path = self.store.file();
        let beside = self.store.folder.join("sign-in.json.new");
        let text = serde_json::to_vec(&Wire::from(sign_in))
            .map_err(|error| failed("cannot write", &path)(error.into()))?;
        let write = || {
            let mut file = private_file(&beside)?;
            file.set_len(0)?;
            file.write_all(&text)?;
            file.sync_all()?;
            fs::rename(&beside, &path)?;
            File::open(&self.store.folder)?.sync_all()
        };
        write().map_err(failed("cannot write", &path))
    }

    /// Forgets the sign-in.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub fn remove(&self) -> Result<(), StoreError> {
        let path = self.store.file();
        match fs::remove_file(&path) {
            Ok(()) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            Err(error) => Err(failed("cannot remove", &path)(error)),
        }
    }
}

impl From<Wire> for StoredSignIn {
    fn from(wire: Wire) -> Self {
        Self {
            account: wire.account,
            client_id: wire.client_id,
            scopes: wire.scopes,
            refresh_token: wire.refresh_token.into(),
            access_token: wire.access_token.into(),
            access_issued: wire.access_issued,
            access_ends: wire.access_ends,
        }
    }
}

impl From<&StoredSignIn> for Wire {
    fn from(sign_in: &StoredSignIn) -> Self {
        Self {
            version: VERSION,
            account: sign_in.account.clone(),
            client_id: sign_in.client_id.clone(),
            scopes: sign_in.scopes.clone(),
            refresh_token: sign_in.refresh_token.expose_secret().to_owned(),
            access_token: sign_in.access_token.expose_secret().to_owned(),
            access_issued: sign_in.access_issued,
            access_ends: sign_in.access_ends,
        }
    }
}

fn failed(what: &'static str, path: &Path) -> impl FnOnce(io::Error) -> StoreError {
    move |source| StoreError::Io { what, path: path.to_owned(), source }
}

/// Opens a file that was never readable by anybody else, not for an instant.
fn private_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let file = options.open(path)?;
    make_private(&file)?;
    Ok(file)
}

#[cfg(unix)]
fn make_private(file: &File) -> io::Result<()> {
    use std::os::unix::fs::PermissionsExt;
    if file.metadata()?.permissions().mode() & 0o777 == 0o600 {
        return Ok(());
    }
    file.set_permissions(fs::Permissions::from_mode(0o600))
}

#[cfg(not(unix))]
fn make_private(_file: &File) -> io::Result<()> {
    Ok(())
}

#[cfg(unix)]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::{DirBuilderExt, PermissionsExt};
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
    if fs::metadata(folder)?.permissions().mode() & 0o777 == 0o700 {
        return Ok(());
    }
    fs::set_permissions(folder, fs::Permissions::from_mode(0o700))
}

#[cfg(not(unix))]
fn make_private_folder(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}
