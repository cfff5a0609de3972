//! A person's sign-in: kept in the store, renewed with a refresh token that is replaced each time.

use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;

use super::answer::{self, Issued, NotIssued};
use super::authority::Authority;
use super::identity::{self, NotUsable};
use super::scopes::{self, Scopes};
use super::store::{Account, LockedStore, StoreError, StoredSignIn, TokenStore};
use crate::chain::chain;
use crate::config::TenantId;
use crate::core::model::foreign::Legible;
use crate::core::model::request::ReadFailure;
use crate::core::model::sign_in::{InvitationEnd, SignedIn};
use crate::core::sign_in::token_life::renew_after;
use crate::disk::PrivateError;
use crate::graph::clock;

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
    /// The `scope` of a request to sign in.
    #[must_use]
    pub fn scope(&self, resource: &str) -> String {
        self.scopes.request(resource)
    }

    /// A token for Graph: the stored one while it is young, unless `fresh`; else a new one, stored before it is used.
    ///
    /// # Errors
    ///
    /// If nobody is signed in, or the sign-in is of no use any more, or the service cannot be asked now.
    pub async fn fetch(
        &self,
        authority: &Authority,
        resource: &str,
        fresh: bool,
    ) -> Result<Issued, ReadFailure> {
        let store = self.store.lock().await.map_err(disk)?;
        let kept = store.read().map_err(disk)?.ok_or_else(|| ReadFailure::SignInRequired {
            advice:
                "nobody is signed in: run `presence2mqtt login`, or follow the address and code in the log"
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
        let issued = authority.token(&form).await.map_err(|reason| match reason {
            NotIssued::Passing { .. } => reason.into(),
            NotIssued::Refused(refusal) => ReadFailure::SignInRequired { advice: refusal.advice().into() },
        })?;
        keep(&store, &self.client_id, kept.account.clone(), &issued, Some(&kept)).map_err(|error| {
            // A token that is not on disk must not be used: the old one dies with its first use.
            ReadFailure::Passing {
                why: format!("the new token cannot be kept: {error}").into(),
                retry_after: None,
            }
        })?;
        Ok(issued)
    }

    /// Keeps a new sign-in. Only the remembered account is welcome, unless `bind` says that this is a person's own
    /// decision.
    ///
    /// # Errors
    ///
    /// If it is somebody else's, cannot be used, or cannot be written.
    pub async fn welcome(&self, issued: &Issued, bind: bool) -> Result<Account, NotKept> {
        let account = identity::account(issued.delegated.id_token.as_ref())?;
        if !self.tenant.may_be(&account.tenant_id) {
            return Err(NotUsable::AnotherTenant(account.username, account.tenant_id).into());
        }
        let store = self.store.lock().await?;
        let remembered = match store.read() {
            // Whom a damaged store remembers is not known, so it could be another person than the one who comes now.
            Err(error) if !bind => return Err(error.into()),
            kept => kept.ok().flatten().map(|kept| kept.account),
        };
        let same =
            |other: &Account| other.object_id == account.object_id && other.tenant_id == account.tenant_id;
        if !bind && remembered.is_some_and(|other| !same(&other)) {
            return Err(NotKept::AnotherAccount(account.username));
        }
        keep(&store, &self.client_id, account.clone(), issued, None)?;
        Ok(account)
    }

    /// Who is signed in, if anybody is.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub async fn account(&self) -> Result<Option<Account>, StoreError> {
        Ok(self.store.lock().await?.read()?.map(|kept| kept.account))
    }

    /// Who is signed in, if anybody is, and for what.
    ///
    /// # Errors
    ///
    /// If the store cannot be read.
    pub fn signed_in(&self) -> Result<Option<SignedIn>, StoreError> {
        Ok(self.store.whose()?.map(|(account, scopes)| SignedIn {
            may_write: scopes::lets_write(&scopes),
            username: account.username,
            object_id: account.object_id,
        }))
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

fn keep(
    store: &LockedStore,
    client_id: &str,
    account: Account,
    issued: &Issued,
    before: Option<&StoredSignIn>,
) -> Result<(), NotKept> {
    let refresh_token = issued.delegated.refresh_token.as_ref().or(before.map(|kept| &kept.refresh_token));
    let scopes = issued.delegated.scopes.as_ref().or(before.map(|kept| &kept.scopes));
    let now = clock::wall();
    store.replace(&StoredSignIn {
        account,
        client_id: client_id.to_owned(),
        scopes: scopes.cloned().unwrap_or_default(),
        refresh_token: refresh_token.cloned().ok_or(NotKept::NoRefreshToken)?,
        access_token: issued.token.clone(),
        access_issued: now,
        access_ends: now + issued.lives,
    })?;
    Ok(())
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
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;
    use crate::core::model::name::UserId;

    const TENANT: &str = "0f1e2d3c-4b5a-4678-9a0b-c1d2e3f4a5b6";
    const ALICE: &str = "66825e03-7ef5-42da-9069-724602c31f6b";
    const MALLORY: &str = "66825e03-7ef5-42da-9069-724602c31f6c";

    fn sign_in(folder: &tempfile::TempDir, tenant: &str) -> DelegatedSignIn {
        DelegatedSignIn {
            store: TokenStore::new(folder.path().join("state")),
            tenant: tenant.parse().unwrap(),
            client_id: "an-app".to_owned(),
            scopes: Arc::new(Scopes::of([&UserId::Me], false, false)),
        }
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
        sign_in.welcome(&issued(TENANT, ALICE), false).await.unwrap();
        std::fs::write(sign_in.store.file(), "damaged").unwrap();
        let stranger = sign_in.welcome(&issued(TENANT, MALLORY), false).await;
        assert!(matches!(stranger, Err(NotKept::Store(StoreError::Damaged { .. }))), "{stranger:?}");
        // `login` is a person's own decision.
        sign_in.welcome(&issued(TENANT, ALICE), true).await.unwrap();
        assert_eq!(sign_in.account().await.unwrap().unwrap().object_id, ALICE.parse().unwrap());
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
            let kept = sign_in(&folder, configured).welcome(&issued(tenant, ALICE), true).await;
            assert_eq!(kept.is_ok(), is_kept, "{configured} {tenant}: {kept:?}");
            if let Err(error) = kept {
                assert!(error.to_string().contains("belongs to the tenant"), "{error}");
            }
        }
        let folder = tempfile::tempdir().unwrap();
        sign_in(&folder, another).welcome(&issued(another, ALICE), true).await.unwrap();
        let moved = sign_in(&folder, TENANT);
        let kept = moved.store.lock().await.unwrap().read().unwrap().unwrap();
        assert!(matches!(moved.check(&kept), Err(ReadFailure::SignInRequired { .. })));
    }
}
