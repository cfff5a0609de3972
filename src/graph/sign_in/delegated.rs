//! A person's sign-in: stored on disk, and renewed with a refresh token that is replaced at each use.

use std::sync::Arc;
use std::time::Duration;

use secrecy::{ExposeSecret, SecretString};

use super::answer::{self, Issued};
use super::authority::Authority;
use super::identity::{self, NotUsable};
use super::scopes::{self, Scopes};
use super::store::{Account, LockedStore, RunLock, StoreError, StoredSignIn, TokenStore};
use super::unstored::Unstored;
use crate::chain::chain;
use crate::config::TenantId;
use crate::core::model::foreign::Legible;
use crate::core::model::request::ReadFailure;
use crate::core::model::sign_in::{AccountChange, InvitationEnd, SignedIn};
use crate::disk::PrivateError;
use crate::graph::caller::Caller;
use crate::graph::clock;
use crate::graph::token_life::renew_after;

/// The delegated sign-in of one app.
#[derive(Debug, Clone)]
pub struct DelegatedSignIn {
    /// Where it is stored.
    pub store: TokenStore,
    /// The tenant whose people may sign in.
    pub tenant: TenantId,
    /// The app.
    pub client_id: String,
    /// The Graph permissions that the configuration needs.
    pub scopes: Arc<Scopes>,
    unstored: Arc<Unstored>,
}

/// Why a new sign-in is rejected.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// It is not usable.
    #[error(transparent)]
    NotUsable(#[from] NotUsable),
    /// It belongs to another person than the one that the bridge follows.
    #[error("{0} signed in, but another account is remembered")]
    AnotherAccount(Legible),
    /// It has no refresh token.
    #[error(
        "the sign-in service gave no refresh token; the scope offline_access may be blocked in this tenant"
    )]
    NoRefreshToken,
    /// The disk cannot be written to.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DelegatedSignIn {
    /// The sign-in of this app in this store.
    #[must_use]
    pub fn new(store: TokenStore, tenant: TenantId, client_id: String, scopes: Arc<Scopes>) -> Self {
        Self { store, tenant, client_id, scopes, unstored: Arc::default() }
    }

    /// Claims the sign-in for one running bridge. If a person is signed in and the disk is read-only, the
    /// bridge runs from memory, and [`not_stored`](Self::not_stored) gives the reason.
    ///
    /// # Errors
    ///
    /// If another bridge uses it, or no account is signed in and the disk is read-only.
    pub fn claim(&self) -> Result<RunLock, StoreError> {
        let claimed = self.store.claim()?;
        if let Err(error) = self.store.try_out() {
            if !self.store.peek().is_ok_and(|kept| kept.is_some()) {
                return Err(error);
            }
            self.unstored.note(&error);
        }
        Ok(claimed)
    }

    /// Where and why a new token cannot be stored, if that is known.
    #[must_use]
    pub fn not_stored(&self) -> Option<Legible> {
        self.unstored.why()
    }

    /// Tries again to store what the disk did not accept.
    pub async fn store_again(&self) {
        let Ok(store) = self.store.lock().await else { return };
        // If a person has signed in or out meanwhile, the sign-in in memory is dropped.
        let _newest = self.unstored.or_newer(store.read());
        let tried = match self.unstored.held() {
            Some(sign_in) => store.replace(&sign_in),
            None => store.try_out(),
        };
        match tried {
            Ok(()) => self.unstored.is_stored(),
            Err(error) => self.unstored.note(&error),
        }
    }

    /// The `scope` of a sign-in request.
    #[must_use]
    pub fn scope(&self, resource: &str) -> String {
        self.scopes.request(resource)
    }

    /// A token for Graph: the stored one if it is young and not `fresh`; otherwise a new one. A new one is
    /// stored before it is used, or kept in memory if the disk does not accept it.
    ///
    /// # Errors
    ///
    /// If no account is signed in, the sign-in is no longer valid, or the service cannot be reached now.
    pub async fn fetch(
        &self,
        authority: &Authority,
        resource: &str,
        fresh: bool,
    ) -> Result<Issued, ReadFailure> {
        let store = self.store.lock().await.map_err(disk)?;
        let kept = self.unstored.or_newer(store.read()).map_err(disk)?;
        let kept = kept.ok_or_else(|| ReadFailure::SignInRequired {
            advice: "no account is signed in: run `presence2mqtt login`".into(),
        })?;
        self.check(&kept)?;
        if let Some(issued) = young(&kept).filter(|_| !fresh) {
            return Ok(issued);
        }
        let form = [
            ("grant_type", "refresh_token"),
            ("client_id", &self.client_id),
            ("refresh_token", kept.refresh_token.expose_secret()),
            ("scope", &self.scopes.renewal(resource, &kept.scopes)),
        ];
        let issued = authority.token(&form).await.map_err(|reason| reason.failure(Caller::Person))?;
        let refresh_token = issued.delegated.refresh_token.clone().unwrap_or(kept.refresh_token);
        self.keep(&store, self.as_kept(kept.account, &issued, refresh_token, kept.scopes));
        Ok(issued)
    }

    /// Before a person is asked to sign in: finds out whether a sign-in could be stored, and whose sign-in it
    /// would replace.
    ///
    /// # Errors
    ///
    /// If the disk cannot be written to.
    pub async fn prepare(&self) -> Result<Option<Account>, StoreError> {
        let store = self.store.lock().await?;
        store.try_out()?;
        match store.read() {
            // A new sign-in corrects a damaged store. It is not known whose sign-in it was.
            Err(StoreError::Damaged { .. } | StoreError::Disk(PrivateError::NotPrivate { .. })) => Ok(None),
            read => Ok(read?.map(|kept| kept.account)),
        }
    }

    /// The other person whose sign-in this one would replace, if there is one, so that a person can decide.
    ///
    /// # Errors
    ///
    /// If the new sign-in is not usable, or cannot be stored.
    pub async fn change(&self, issued: &Issued) -> Result<Option<AccountChange>, NotKept> {
        let account = self.first(issued)?.account;
        let before = self.prepare().await?.filter(|before| !before.is_same(&account));
        Ok(before.map(|before| AccountChange { before: before.username, now: account.username }))
    }

    /// Deletes the sign-in.
    ///
    /// # Errors
    ///
    /// If the disk cannot be written to.
    pub async fn forget(&self) -> Result<(), StoreError> {
        self.store.lock().await?.remove()?;
        self.unstored.is_stored();
        Ok(())
    }

    /// Stores a new sign-in of any person, because a person decided so.
    ///
    /// # Errors
    ///
    /// If it is not usable, or cannot be stored.
    pub async fn bind(&self, issued: &Issued) -> Result<Account, NotKept> {
        let sign_in = self.first(issued)?;
        self.store.lock().await?.replace(&sign_in)?;
        Ok(sign_in.account)
    }

    /// Stores a new sign-in for a running bridge, or keeps it in memory if the disk does not accept it.
    /// Accepts only the remembered account.
    ///
    /// # Errors
    ///
    /// If it belongs or may belong to another person, or is not usable.
    pub async fn welcome(&self, issued: &Issued) -> Result<(), NotKept> {
        let sign_in = self.first(issued)?;
        let store = self.store.lock().await?;
        // It is not known whom a damaged store remembers, so this could be another person.
        let remembered = self.unstored.or_newer(store.read())?;
        if remembered.is_some_and(|kept| !kept.account.is_same(&sign_in.account)) {
            return Err(NotKept::AnotherAccount(sign_in.account.username));
        }
        self.keep(&store, sign_in);
        Ok(())
    }

    /// Who is signed in, if an account is, and with which permissions.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn signed_in(&self) -> Result<Option<SignedIn>, StoreError> {
        Ok(self.unstored.or_newer(self.store.peek())?.map(|kept| SignedIn {
            may_write: scopes::lets_write(&kept.scopes),
            username: kept.account.username,
            object_id: kept.account.object_id,
        }))
    }

    /// The first token of a sign-in, in the form of the store.
    fn first(&self, issued: &Issued) -> Result<StoredSignIn, NotKept> {
        let account = identity::account(issued.delegated.id_token.as_ref())?;
        if !self.tenant.may_be(&account.tenant_id) {
            return Err(NotUsable::AnotherTenant(account.username, account.tenant_id).into());
        }
        let refresh_token = issued.delegated.refresh_token.clone().ok_or(NotKept::NoRefreshToken)?;
        Ok(self.as_kept(account, issued, refresh_token, String::new()))
    }

    /// A token in the form of the store. `scopes` have consent, unless the service returns others.
    fn as_kept(
        &self,
        account: Account,
        issued: &Issued,
        refresh_token: SecretString,
        scopes: String,
    ) -> StoredSignIn {
        let now = clock::wall();
        StoredSignIn {
            account,
            client_id: self.client_id.clone(),
            scopes: issued.delegated.scopes.clone().unwrap_or(scopes),
            refresh_token,
            access_token: issued.token.clone(),
            access_issued: now,
            access_ends: now + issued.lives,
        }
    }

    /// Stores a sign-in before it is used. If the disk does not accept it, keeps it in memory: the first use
    /// of the new refresh token makes the old one invalid, so otherwise both would be lost.
    fn keep(&self, store: &LockedStore, sign_in: StoredSignIn) {
        match store.replace(&sign_in) {
            Ok(()) => self.unstored.is_stored(),
            Err(error) => self.unstored.hold(sign_in, store.read().ok().flatten().as_ref(), &error),
        }
    }

    fn check(&self, kept: &StoredSignIn) -> Result<(), ReadFailure> {
        let required = |advice: String| Err(ReadFailure::SignInRequired { advice: advice.into() });
        if kept.client_id != self.client_id {
            return required(
                "the sign-in was made for another app than graph.client_id: run `presence2mqtt login`"
                    .to_owned(),
            );
        }
        if !self.tenant.may_be(&kept.account.tenant_id) {
            return required(
                "the sign-in was made in another tenant than graph.tenant_id: run `presence2mqtt login`"
                    .to_owned(),
            );
        }
        let missing = scopes::missing(&self.scopes.needed, &kept.scopes);
        if !missing.is_empty() {
            return required(format!(
                "the configuration needs {}, which was not consented to: run `presence2mqtt login`",
                missing.join(" and ")
            ));
        }
        Ok(())
    }
}

impl NotKept {
    /// The meaning for an invitation.
    #[must_use]
    pub fn into_end(self) -> InvitationEnd {
        match self {
            Self::AnotherAccount(name) => InvitationEnd::AnotherAccount(name),
            Self::NotUsable(_) | Self::NoRefreshToken | Self::Store(_) => {
                InvitationEnd::Failed(self.to_string().into())
            }
        }
    }
}

/// The stored access token, if it need not be renewed yet.
fn young(kept: &StoredSignIn) -> Option<Issued> {
    let now = clock::wall();
    let lives = Duration::try_from(kept.access_ends.duration_since(kept.access_issued)).ok()?;
    let age = Duration::try_from(now.duration_since(kept.access_issued)).ok()?;
    (age < renew_after(lives, 0.0)).then(|| Issued {
        token: kept.access_token.clone(),
        lives: lives.saturating_sub(age),
        delegated: answer::Delegated::default(),
    })
}

fn disk(error: StoreError) -> ReadFailure {
    match error {
        StoreError::Damaged { .. } | StoreError::Disk(PrivateError::NotPrivate { .. }) => {
            ReadFailure::SignInRequired { advice: error.to_string().into() }
        }
        StoreError::Disk(_)
        | StoreError::Lock { .. }
        | StoreError::Busy { .. }
        | StoreError::AlreadyRunning { .. } => {
            ReadFailure::Passing { why: chain(&error).into(), retry_after: None }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io;

    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::core::model::name::UserId;

    const TENANT: &str = "0f1e2d3c-4b5a-4678-9a0b-c1d2e3f4a5b6";
    const ALICE: &str = "66825e03-7ef5-42da-9069-724602c31f6b";
    const MALLORY: &str = "66825e03-7ef5-42da-9069-724602c31f6c";

    fn sign_in(folder: &tempfile::TempDir, tenant: &str) -> DelegatedSignIn {
        let store = TokenStore::new(folder.path().join("state"));
        let scopes = Arc::new(Scopes::of([&UserId::Me], false, false));
        DelegatedSignIn::new(store, tenant.parse().unwrap(), "an-app".to_owned(), scopes)
    }

    fn issued(tenant: &str, person: &str) -> Issued {
        let claims =
            format!(r#"{{"tid":"{tenant}","oid":"{person}","preferred_username":"a@contoso.example"}}"#);
        let id_token = format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims));
        Issued {
            delegated: answer::Delegated {
                refresh_token: Some("refresh".to_owned().into()),
                scopes: Some("Presence.Read".to_owned()),
                id_token: Some(id_token.into()),
            },
            ..Issued::new("access".to_owned().into(), 3600)
        }
    }

    #[tokio::test]
    async fn a_damaged_store_binds_nobody_who_comes_by_himself() {
        let folder = tempfile::tempdir().unwrap();
        let sign_in = sign_in(&folder, TENANT);
        sign_in.welcome(&issued(TENANT, ALICE)).await.unwrap();
        std::fs::write(sign_in.store.file(), "damaged").unwrap();
        let stranger = sign_in.welcome(&issued(TENANT, MALLORY)).await;
        assert!(matches!(stranger, Err(NotKept::Store(StoreError::Damaged { .. }))), "{stranger:?}");
        // `login` follows the decision of the person who runs it.
        sign_in.bind(&issued(TENANT, ALICE)).await.unwrap();
        assert_eq!(sign_in.signed_in().unwrap().unwrap().object_id, ALICE.parse().unwrap());
    }

    #[tokio::test]
    async fn an_account_of_another_tenant_is_refused() {
        let another = "0f1e2d3c-4b5a-4678-9a0b-c1d2e3f4a5b7";
        for (configured, tenant, is_kept) in [
            (TENANT, TENANT, true),
            (TENANT, &TENANT.to_uppercase(), true),
            (TENANT, another, false),
            // This test does not know whose id it is.
            ("contoso.example", another, true),
            ("organizations", another, true),
        ] {
            let folder = tempfile::tempdir().unwrap();
            let kept = sign_in(&folder, configured).bind(&issued(tenant, ALICE)).await;
            assert_eq!(kept.is_ok(), is_kept, "{configured} {tenant}: {kept:?}");
            if let Err(error) = kept {
                assert!(error.to_string().contains("belongs to the tenant"), "{error}");
            }
        }
        let folder = tempfile::tempdir().unwrap();
        sign_in(&folder, another).bind(&issued(another, ALICE)).await.unwrap();
        let moved = sign_in(&folder, TENANT);
        let kept = moved.store.lock().await.unwrap().read().unwrap().unwrap();
        assert!(matches!(moved.check(&kept), Err(ReadFailure::SignInRequired { .. })));
    }

    #[tokio::test]
    async fn what_was_used_from_memory_is_stored_when_the_disk_takes_it() {
        let folder = tempfile::tempdir().unwrap();
        let sign_in = sign_in(&folder, TENANT);
        let account = Account {
            tenant_id: TENANT.into(),
            object_id: ALICE.parse().unwrap(),
            username: "alice@contoso.example".into(),
        };
        let token = "refresh".to_owned().into();
        let kept = sign_in.as_kept(
            account,
            &Issued::new("access".to_owned().into(), 3600),
            token,
            "Presence.Read".to_owned(),
        );
        let source = io::Error::from(io::ErrorKind::StorageFull);
        let full = PrivateError::Io { what: "cannot write", path: sign_in.store.file(), source }.into();
        sign_in.unstored.hold(kept, None, &full);
        assert!(sign_in.not_stored().unwrap().contains("sign-in.json"));
        assert_eq!(sign_in.signed_in().unwrap().unwrap().username, "alice@contoso.example");
        assert!(sign_in.store.peek().unwrap().is_none());

        sign_in.store_again().await;
        assert_eq!(sign_in.not_stored(), None);
        let stored = sign_in.store.peek().unwrap().unwrap();
        assert_eq!(stored.refresh_token.expose_secret(), "refresh");
    }
}
