//! The token store: one file that only its owner can read, replaced as a whole, and locked while it changes.
//!
//! A new refresh token must be on disk before it is used, and a crash at any moment must leave either the old
//! file or the new one. [`crate::disk::private`] ensures this and keeps other users out. `unstored` keeps in
//! memory what a full or read-only disk does not accept.

use std::fs::{File, TryLockError};
use std::io;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};

use crate::core::model::foreign::Legible;
use crate::core::model::name::ObjectId;
use crate::disk::PrivateError;
use crate::disk::private::PrivateFolder;

/// How long to wait for the lock. A sign-in holds it for one request, so a longer wait means that the holder
/// hangs.
const LOCK_WITHIN: Duration = Duration::from_secs(30);

/// How often to try again to get the lock.
const LOCK_EVERY: Duration = Duration::from_millis(50);

/// The size of a typical store.
const SIGN_IN_SIZE: usize = 16 * 1024;

/// The largest store. A larger file was not written by this program.
const LARGEST_STORE: u64 = 1024 * 1024;

const SIGN_IN: &str = "sign-in.json";
const SIGN_IN_LOCK: &str = "sign-in.lock";
const RUN_LOCK: &str = "run.lock";

/// The prefixes of the names of the store's files, also of those that an interrupted replacement left.
const OURS: &[&str] = &["sign-in.", RUN_LOCK];

/// The folder of the tokens, mode 0700.
#[derive(Debug, Clone)]
pub struct TokenStore {
    folder: PathBuf,
    /// Another place from which an earlier sign-in is taken over.
    earlier: Option<Earlier>,
}

/// The sign-in of an app in a tenant that an earlier configuration stored.
#[derive(Debug, Clone)]
pub struct Earlier {
    /// The folder.
    pub folder: PathBuf,
    /// The app's id.
    pub client_id: String,
    /// GUID or domain.
    pub tenant: String,
}

impl Earlier {
    /// Whether this is the sign-in of that app in that tenant.
    fn is_meant(&self, kept: &StoredSignIn) -> bool {
        let domain = kept.account.username.split('@').next_back().unwrap_or_default();
        let is_tenant = |name: &str| self.tenant.eq_ignore_ascii_case(name);
        let is_there = is_tenant(&kept.account.tenant_id) || is_tenant(domain) || is_tenant("organizations");
        kept.client_id.eq_ignore_ascii_case(&self.client_id) && is_there
    }
}

/// The store while it is locked.
#[derive(Debug)]
pub struct LockedStore {
    folder: PrivateFolder,
    /// The file's path, for errors.
    file: PathBuf,
    /// The open lock file; closing it releases the lock. `None` if the disk is read-only and there is no lock
    /// file.
    _lock: Option<File>,
}

/// The claim of a running bridge, held as long as it runs.
#[derive(Debug)]
pub struct RunLock(#[expect(dead_code, reason = "closing it gives the lock back")] Option<File>);

/// A person's sign-in as stored.
#[derive(Debug, Clone)]
pub struct StoredSignIn {
    /// The person who signed in.
    pub account: Account,
    /// The app that the sign-in is for; another app cannot use it.
    pub client_id: String,
    /// The scopes with consent, separated by spaces.
    pub scopes: String,
    /// The refresh token, which is replaced at each use.
    pub refresh_token: SecretString,
    /// The access token, valid until `access_ends`.
    pub access_token: SecretString,
    /// When `access_token` was issued.
    pub access_issued: Timestamp,
    /// When `access_token` expires.
    pub access_ends: Timestamp,
}

/// A person, as far as the store knows them.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    /// The tenant's id.
    pub tenant_id: Legible,
    /// The person's object id.
    pub object_id: ObjectId,
    /// The name with which the person signs in.
    pub username: Legible,
}

impl Account {
    /// Whether both are the same person. Names may change, ids do not.
    #[must_use]
    pub fn is_same(&self, other: &Self) -> bool {
        self.object_id == other.object_id && self.tenant_id == other.tenant_id
    }
}

/// Why the store cannot be used. These errors name files.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// A file or folder cannot be used, or another user has access to it.
    #[error(transparent)]
    Disk(#[from] PrivateError),
    /// The system cannot lock the file.
    #[error("cannot lock {}", .path.display())]
    Lock {
        /// The lock file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// This program did not write the file, or it is damaged.
    #[error("{} is damaged; replace it with `presence2mqtt login`", .path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
    },
    /// Another process holds the store.
    #[error("another process is using {} and does not release it", .path.display())]
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

/// The format of the file. Secrets are written only here.
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

/// The version of the format.
const VERSION: u32 = 1;

impl TokenStore {
    /// The store in this folder, which is created when it is first used.
    #[must_use]
    pub fn new(folder: PathBuf) -> Self {
        Self { folder, earlier: None }
    }

    /// The same, which takes over an earlier sign-in from another folder.
    #[must_use]
    pub fn after(self, earlier: Option<Earlier>) -> Self {
        Self { earlier, ..self }
    }

    /// The file that changes when a person signs in or out.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.join(SIGN_IN)
    }

    /// Waits for the lock.
    ///
    /// # Errors
    ///
    /// If the folder or the lock file cannot be used, or another process holds the lock too long.
    pub async fn lock(&self) -> Result<LockedStore, StoreError> {
        let folder = PrivateFolder::make(&self.folder, OURS)?;
        let Some(file) = folder.lock_file(SIGN_IN_LOCK)? else {
            return Ok(LockedStore { folder, file: self.file(), _lock: None });
        };
        let path = || self.folder.join(SIGN_IN_LOCK);
        let attempts = LOCK_WITHIN.as_millis() / LOCK_EVERY.as_millis();
        for _ in 0..attempts {
            match file.try_lock() {
                Ok(()) => {
                    let store = LockedStore { folder, file: self.file(), _lock: Some(file) };
                    // A sign-in that cannot be taken over stays where it is, and the person signs in again.
                    if let Err(error) = self.move_earlier(&store) {
                        tracing::debug!(%error, "the sign-in of an earlier configuration is not used");
                    }
                    return Ok(store);
                }
                Err(TryLockError::WouldBlock) => tokio::time::sleep(LOCK_EVERY).await,
                Err(TryLockError::Error(source)) => return Err(StoreError::Lock { path: path(), source }),
            }
        }
        Err(StoreError::Busy { path: path() })
    }

    /// Takes over an earlier sign-in of the same app and tenant, if there is none here yet.
    fn move_earlier(&self, store: &LockedStore) -> Result<(), StoreError> {
        let is_missing = || store.read().is_ok_and(|kept| kept.is_none());
        let Some(earlier) = self.earlier.as_ref().filter(|_| is_missing()) else { return Ok(()) };
        let before = Self::new(earlier.folder.clone());
        let Some(kept) = before.peek()?.filter(|kept| earlier.is_meant(kept)) else { return Ok(()) };
        // A bridge that runs with it still needs it.
        let _claim = before.claim()?;
        store.replace(&kept)?;
        Ok(PrivateFolder::make(&before.folder, OURS)?.remove(SIGN_IN)?)
    }

    /// Claims the store for one running bridge.
    ///
    /// # Errors
    ///
    /// If another one has it.
    pub fn claim(&self) -> Result<RunLock, StoreError> {
        let file = PrivateFolder::make(&self.folder, OURS)?.lock_file(RUN_LOCK)?;
        let Some(file) = file else { return Ok(RunLock(None)) };
        match file.try_lock() {
            Ok(()) => Ok(RunLock(Some(file))),
            Err(TryLockError::WouldBlock) => Err(StoreError::AlreadyRunning { path: self.folder.clone() }),
            Err(TryLockError::Error(source)) => {
                Err(StoreError::Lock { path: self.folder.join(RUN_LOCK), source })
            }
        }
    }

    /// Finds out whether a sign-in could be stored now. Does not change the stored one.
    ///
    /// # Errors
    ///
    /// If the folder cannot be made, or the disk cannot be written to.
    pub fn try_out(&self) -> Result<(), StoreError> {
        Ok(PrivateFolder::make(&self.folder, OURS)?.try_out(SIGN_IN, SIGN_IN_SIZE)?)
    }

    /// The stored sign-in. It does not wait for the lock: the file is replaced as a whole, so the result is
    /// true or was a moment ago. Tokens are used only with the lock.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is damaged.
    pub fn peek(&self) -> Result<Option<StoredSignIn>, StoreError> {
        let Some(folder) = PrivateFolder::open(&self.folder, OURS)? else { return Ok(None) };
        read(&folder, self.file())
    }
}

impl StoreError {
    /// Whether the error may disappear without a change of the configuration.
    #[must_use]
    pub fn may_pass(&self) -> bool {
        match self {
            Self::Disk(error) => error.takes_nothing(),
            Self::Busy { .. } => true,
            Self::Lock { .. } | Self::Damaged { .. } | Self::AlreadyRunning { .. } => false,
        }
    }
}

impl LockedStore {
    /// Finds out whether a sign-in could be stored now. Does not change the stored one.
    ///
    /// # Errors
    ///
    /// If the disk cannot be written to.
    pub fn try_out(&self) -> Result<(), StoreError> {
        Ok(self.folder.try_out(SIGN_IN, SIGN_IN_SIZE)?)
    }

    /// The stored sign-in, if there is one.
    ///
    /// # Errors
    ///
    /// If the file cannot be read or is damaged.
    pub fn read(&self) -> Result<Option<StoredSignIn>, StoreError> {
        read(&self.folder, self.file.clone())
    }

    /// Replaces the stored sign-in. After success the new one survives a power cut.
    ///
    /// # Errors
    ///
    /// If the disk cannot be written to; then the old sign-in stays.
    pub fn replace(&self, sign_in: &StoredSignIn) -> Result<(), StoreError> {
        let unwritable = |error: serde_json::Error| PrivateError::Io {
            what: "cannot write",
            path: self.file.clone(),
            source: error.into(),
        };
        let text = serde_json::to_vec(&Wire::from(sign_in)).map_err(unwritable)?;
        Ok(self.folder.replace(SIGN_IN, &text)?)
    }

    /// Deletes the sign-in.
    ///
    /// # Errors
    ///
    /// If the disk cannot be written to.
    pub fn remove(&self) -> Result<(), StoreError> {
        Ok(self.folder.remove(SIGN_IN)?)
    }
}

fn read(folder: &PrivateFolder, path: PathBuf) -> Result<Option<StoredSignIn>, StoreError> {
    let Some(bytes) = folder.read(SIGN_IN, LARGEST_STORE)? else { return Ok(None) };
    match serde_json::from_slice::<Wire>(&bytes) {
        Ok(wire) if wire.version == VERSION => Ok(Some(wire.into())),
        Ok(_) | Err(_) => Err(StoreError::Damaged { path }),
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

#[cfg(test)]
mod tests {
    use std::fs;

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
