//! A sign-in that could not be stored: used from memory until the disk accepts it, or holds a newer one.

use std::sync::{Mutex, MutexGuard, PoisonError};

use secrecy::{ExposeSecret, SecretString};

use super::store::{StoreError, StoredSignIn};
use crate::chain::chain;
use crate::core::model::foreign::Legible;

/// What is known about a disk that cannot be written to. Shared by all users of the sign-in.
#[derive(Debug, Default)]
pub(super) struct Unstored(Mutex<State>);

#[derive(Debug, Default)]
struct State {
    /// Where and why the disk cannot be written to.
    why: Option<Legible>,
    held: Option<Held>,
}

#[derive(Debug)]
struct Held {
    sign_in: StoredSignIn,
    /// The refresh token that was on the disk then. If the disk has another one now, a person has signed in
    /// meanwhile; if it has none, a person has signed out.
    instead_of: Option<SecretString>,
}

impl Unstored {
    /// The sign-in to use: the one in memory, unless the one on the disk has changed since.
    pub(super) fn or_newer(
        &self,
        on_disk: Result<Option<StoredSignIn>, StoreError>,
    ) -> Result<Option<StoredSignIn>, StoreError> {
        let mut state = self.state();
        let Some(held) = &state.held else { return on_disk };
        match on_disk {
            Ok(there) if !is_same(token(there.as_ref()), held.instead_of.as_ref()) => {
                *state = State::default();
                Ok(there)
            }
            // An unreadable disk has not changed.
            Ok(_) | Err(_) => Ok(Some(held.sign_in.clone())),
        }
    }

    /// Keeps a sign-in in memory, because the disk does not accept it.
    pub(super) fn hold(&self, sign_in: StoredSignIn, on_disk: Option<&StoredSignIn>, error: &StoreError) {
        let instead_of = token(on_disk).cloned();
        self.state().held = Some(Held { sign_in, instead_of });
        self.note(error);
    }

    /// The disk cannot be written to, whether or not there is a sign-in to store yet.
    pub(super) fn note(&self, error: &StoreError) {
        let why = Legible::from(chain(error));
        let before = self.state().why.replace(why.clone());
        // Logged once for each outage.
        if before.is_none() {
            tracing::warn!(error = %why, "a renewed sign-in cannot be stored; it is used from memory");
        }
    }

    /// The sign-in is on the disk.
    pub(super) fn is_stored(&self) {
        let before = std::mem::take(&mut *self.state());
        if before.why.is_some() {
            tracing::info!("the sign-in can be stored again");
        }
    }

    /// Where and why the disk cannot be written to.
    pub(super) fn why(&self) -> Option<Legible> {
        self.state().why.clone()
    }

    /// The sign-in that waits to be stored.
    pub(super) fn held(&self) -> Option<StoredSignIn> {
        self.state().held.as_ref().map(|held| held.sign_in.clone())
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Each change is a single assignment, so a panic cannot leave half of one.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn token(sign_in: Option<&StoredSignIn>) -> Option<&SecretString> {
    sign_in.map(|sign_in| &sign_in.refresh_token)
}

fn is_same(one: Option<&SecretString>, other: Option<&SecretString>) -> bool {
    one.map(ExposeSecret::expose_secret) == other.map(ExposeSecret::expose_secret)
}

#[cfg(test)]
mod tests {
    use std::io;

    use jiff::Timestamp;

    use super::*;
    use crate::disk::PrivateError;
    use crate::graph::sign_in::store::Account;

    fn sign_in(refresh_token: &str) -> StoredSignIn {
        StoredSignIn {
            account: Account {
                tenant_id: "contoso".into(),
                object_id: "66825e03-7ef5-42da-9069-724602c31f6b".parse().unwrap(),
                username: "alice@contoso.example".into(),
            },
            client_id: "an-app".to_owned(),
            scopes: "Presence.Read".to_owned(),
            refresh_token: refresh_token.to_owned().into(),
            access_token: "access".to_owned().into(),
            access_issued: Timestamp::UNIX_EPOCH,
            access_ends: Timestamp::UNIX_EPOCH,
        }
    }

    fn full() -> StoreError {
        let source = io::Error::from(io::ErrorKind::StorageFull);
        PrivateError::Io { what: "cannot write", path: "state/sign-in.json".into(), source }.into()
    }

    fn used(unstored: &Unstored, on_disk: Result<Option<&str>, StoreError>) -> Option<String> {
        let newest = unstored.or_newer(on_disk.map(|token| token.map(sign_in)));
        newest.unwrap().map(|sign_in| sign_in.refresh_token.expose_secret().to_owned())
    }

    #[test]
    fn what_the_disk_did_not_take_is_used_until_the_disk_changes() {
        for (on_disk, later, expected) in [
            (Some("old"), Ok(Some("old")), Some("new")),
            (Some("old"), Err(full()), Some("new")),
            (Some("old"), Ok(Some("of a login beside it")), Some("of a login beside it")),
            (Some("old"), Ok(None), None),
            (None, Ok(None), Some("new")),
            (None, Ok(Some("of a login beside it")), Some("of a login beside it")),
        ] {
            let unstored = Unstored::default();
            assert_eq!(used(&unstored, Ok(on_disk)).as_deref(), on_disk);
            unstored.hold(sign_in("new"), on_disk.map(sign_in).as_ref(), &full());
            assert_eq!(unstored.why().as_deref(), Some("cannot write state/sign-in.json: no storage space"));
            assert_eq!(used(&unstored, later).as_deref(), expected);
            assert_eq!(unstored.held().is_some(), expected == Some("new"));
            unstored.is_stored();
            assert_eq!((unstored.why(), used(&unstored, Ok(None))), (None, None));
        }
    }
}
