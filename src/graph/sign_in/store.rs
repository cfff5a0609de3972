//! The token store: one file that only its owner can read, replaced as a whole, locked while it changes.
//!
//! A refresh token that was replaced must be on disk before its successor is used, and a crash at any instant must
//! leave either the old file or the new one. So a replacement is written beside the file, synced, renamed over it,
//! and the folder is synced too. What a full or read-only disk does not take, `unstored` holds in memory.

use std::fs::{self, File, TryLockError};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use super::private;
use crate::core::model::name::ObjectId;

/// A sign-in holds the lock for one request; somebody who waits longer waits for a process that hangs.
const LOCK_WITHIN: Duration = Duration::from_secs(30);

/// How often a lock that is taken is tried again.
const LOCK_EVERY: Duration = Duration::from_millis(50);

/// About as much as a sign-in takes.
const SIGN_IN_SIZE: usize = 16 * 1024;

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
    /// Closing it gives the lock back. There is none where nobody can write.
    _lock: Option<File>,
}

/// Held by a running bridge for as long as it runs.
#[derive(Debug)]
pub struct RunLock(#[expect(dead_code, reason = "closing it gives the lock back")] Option<File>);

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

impl Account {
    /// Whether both are the same person. Names change, ids do not.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.object_id == other.object_id && self.tenant_id == other.tenant_id
    }
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
        let Some(file) = file else { return Ok(LockedStore { store: self, _lock: None }) };
        let attempts = LOCK_WITHIN.as_millis() / LOCK_EVERY.as_millis();
        for _ in 0..attempts {
            match file.try_lock() {
                Ok(()) => return Ok(LockedStore { store: self, _lock: Some(file) }),
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
        let Some(file) = file else { return Ok(RunLock(None)) };
        match file.try_lock() {
            Ok(()) => Ok(RunLock(Some(file))),
            Err(TryLockError::WouldBlock) => Err(StoreError::AlreadyRunning { path: self.folder.clone() }),
            Err(TryLockError::Error(source)) => Err(failed("cannot lock", &path)(source)),
        }
    }

    /// Finds out whether a sign-in could be stored now, without touching the one that is.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made, or the disk refuses.
    pub fn try_out(&self) -> Result<(), StoreError> {
        self.make_folder()?;
        let path = self.folder.join("sign-in.json.test");
        let written = private::write(&path, &[0; SIGN_IN_SIZE]).and_then(|()| fs::remove_file(&path));
        written.map_err(failed("cannot write in", &self.folder))
    }

    /// What is kept, for whose and what it is. Does not wait for whoever changes it: the file is replaced as a whole, so
    /// that this is true or was a moment ago. Its tokens are used only under the lock.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is damaged.
    pub fn peek(&self) -> Result<Option<StoredSignIn>, StoreError> {
        self.read()
    }

    fn read(&self) -> Result<Option<StoredSignIn>, StoreError> {
        let path = self.file();
        let mut bytes = Vec::new();
        match File::open(&path) {
            Ok(file) => {
                private::make(&file).map_err(failed("cannot protect", &path))?;
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

    fn make_folder(&self) -> Result<(), StoreError> {
        private::make_folder(&self.folder).map_err(failed("cannot make the state folder", &self.folder))
    }

    /// Opens a lock file, in a folder that nobody else can enter. Where nothing can be written, one that is there can still
    /// be locked, and where there is none nobody else can change what is to be read.
    fn lock_file(&self, name: &str) -> Result<(PathBuf, Option<File>), StoreError> {
        self.make_folder()?;
        let path = self.folder.join(name);
        let file = private::or_as_it_is(private::open(&path), &path).map_err(failed("cannot open", &path))?;
        Ok((path, file))
    }
}

impl StoreError {
    /// Whether it may pass without anybody changing the configuration.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Io { source, .. } => private::takes_nothing(source),
            Self::Busy { .. } => true,
            Self::Damaged { .. } | Self::AlreadyRunning { .. } => false,
        }
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
            private::write(&beside, &text)?;
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trying_out_leaves_nothing_behind() {
        let folder = tempfile::tempdir().unwrap();
        let store = TokenStore::new(folder.path().join("state"));
        store.try_out().unwrap();
        assert_eq!(fs::read_dir(folder.path().join("state")).unwrap().count(), 0);
        fs::write(folder.path().join("file"), "").unwrap();
        let error = TokenStore::new(folder.path().join("file/state")).try_out().unwrap_err();
        assert!(!error.may_pass() && error.to_string().contains("file/state"), "{error}");
    }
}
