//! A person's sign-in: kept in the store, renewed with a refresh token that is replaced each time.

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
    /// Where it is kept.
    pub store: TokenStore,
    /// Whose people may sign in.
    pub tenant: TenantId,
    /// The app.
    pub client_id: String,
    /// The permissions of Graph that the configuration needs.
    pub scopes: Arc<Scopes>,
    unstored: Arc<Unstored>,
}

/// Why a new sign-in is not kept.
#[derive(Debug, thiserror::Error)]
pub enum NotKept {
    /// It cannot be used.
    #[error(transparent)]
    NotUsable(#[from] NotUsable),
    /// It is for another person than the one who is watched.
    #[error("{0} signed in, but another account is remembered")]
    AnotherAccount(Legible),
    /// It cannot be renewed.
    #[error(
        "the sign-in service gave no refresh token; the scope offline_access may be blocked in this tenant"
    )]
    NoRefreshToken,
    /// The disk refuses.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl DelegatedSignIn {
    /// The sign-in of this app that is kept in this store.
    #[must_use]
    pub fn new(store: TokenStore, tenant: TenantId, client_id: String, scopes: Arc<Scopes>) -> Self {
        Self { store, tenant, client_id, scopes, unstored: Arc::default() }
    }

    /// Claims the sign-in for one running bridge. Where somebody is signed in and nothing can be written, the
    /// bridge runs from memory: [`not_stored`](Self::not_stored) says why.
    ///
    /// # Errors
    ///
    /// If another bridge has it, or no account is signed in and nothing can be written.
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

    /// Why and where a new token cannot be stored, as far as is known.
    #[must_use]
    pub fn not_stored(&self) -> Option<Legible> {
        self.unstored.why()
    }

    /// Tries again to store what the disk did not take.
    pub async fn store_again(&self) {
        let Ok(store) = self.store.lock().await else { return };
        // Where somebody signed in or out meanwhile, what is held is forgotten.
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

    /// The `scope` of a request to sign in.
    #[must_use]
    pub fn scope(&self, resource: &str) -> String {
        self.scopes.request(resource)
    }

    /// A token for Graph: the stored one while it is young, unless `fresh`; else a new one, stored before it
    /// is used, or used from memory where the disk does not take it.
    ///
    /// # Errors
    ///
    /// If no account is signed in, or the sign-in is of no use any more, or the service cannot be asked now.
    pub async fn fetch(
        &self,
        authority: &Authority,
        resource: &str,
        fresh: bool,
    ) -> Result<Issued, ReadFailure> {
        let store = self.store.lock().await.map_err(disk)?;
        let kept = self.unstored.or_newer(store.read()).map_err(disk)?;
        let kept = kept.ok_or_else(|| ReadFailure::SignInRequired {
            advice: "no account is signed in: run `presence2mqtt login`, or follow the instructions in the \
            log"
            .into(),
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

    /// Finds out whether a new sign-in could be stored, and whose would be replaced: before a person is asked
    /// to sign in.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub async fn prepare(&self) -> Result<Option<Account>, StoreError> {
        let store = self.store.lock().await?;
        store.try_out()?;
        match store.read() {
            // A new sign-in is what helps, and replaces whatever is there; whose the old one was cannot be
            // known.
            Err(StoreError::Damaged { .. } | StoreError::Disk(PrivateError::NotPrivate { .. })) => Ok(None),
            read => Ok(read?.map(|kept| kept.account)),
        }
    }

    /// Who would be replaced by a new sign-in and is somebody else, for a person to decide.
    ///
    /// # Errors
    ///
    /// If it cannot be used, or nothing can be stored.
    pub async fn change(&self, issued: &Issued) -> Result<Option<AccountChange>, NotKept> {
        let account = self.first(issued)?.account;
        let before = self.prepare().await?.filter(|before| !before.is_same(&account));
        Ok(before.map(|before| AccountChange { before: before.username, now: account.username }))
    }

    /// Forgets the sign-in.
    ///
    /// # Errors
    ///
    /// If the disk refuses.
    pub async fn forget(&self) -> Result<(), StoreError> {
        self.store.lock().await?.remove()?;
        self.unstored.is_stored();
        Ok(())
    }

    /// Stores a new sign-in, whoever's it is: a person decided so.
    ///
    /// # Errors
    ///
    /// If it cannot be used, or cannot be written.
    pub async fn bind(&self, issued: &Issued) -> Result<Account, NotKept> {
        let sign_in = self.first(issued)?;
        self.store.lock().await?.replace(&sign_in)?;
        Ok(sign_in.account)
    }

    /// Keeps a new sign-in for a running bridge, in memory where the disk does not take it. Only the
    /// remembered account is welcome.
    ///
    /// # Errors
    ///
    /// If it is somebody else's, or could be, or cannot be used.
    pub async fn welcome(&self, issued: &Issued) -> Result<(), NotKept> {
        let sign_in = self.first(issued)?;
        let store = self.store.lock().await?;
        // Whom a damaged store remembers is not known, so it could be another person than the one who comes
        // now.
        let remembered = self.unstored.or_newer(store.read())?;
        if remembered.is_some_and(|kept| !kept.account.is_same(&sign_in.account)) {
            return Err(NotKept::AnotherAccount(sign_in.account.username));
        }
        self.keep(&store, sign_in);
        Ok(())
    }

    /// Who is signed in, if anybody is, and for what.
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

    /// The first token of a sign-in, as it is kept.
    fn first(&self, issued: &Issued) -> Result<StoredSignIn, NotKept> {
        let account = identity::account(issued.delegated.id_token.as_ref())?;
        if !self.tenant.may_be(&account.tenant_id) {
            return Err(NotUsable::AnotherTenant(account.username, account.tenant_id).into());
        }
        let refresh_token = issued.delegated.refresh_token.clone().ok_or(NotKept::NoRefreshToken)?;
        Ok(self.as_kept(account, issued, refresh_token, String::new()))
    }

    /// A token as it is kept. `scopes` were consented to, unless the service says otherwise.
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

    /// Stores a sign-in before it is used. What the disk does not take is used from memory: the old one dies
    /// with the first use of the new one, and both would be lost.
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
    /// What it means for an invitation.
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
        // `login` is a person's own decision.
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
            // Whose id it is is not known here.
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
