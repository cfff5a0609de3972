//! `presence2mqtt logout` and `presence2mqtt whoami`

use std::io::Write;

use super::exit::{self, Failure};
use super::login::delegated;
use super::progress::Progress;
use super::which::Which;
use crate::config::{Auth, Config};
use crate::core::model::account::AccountId;
use crate::core::model::time::whole_seconds;
use crate::graph::sign_in::store::StoreError;
use crate::run;

/// Another process of this program may be renewing the sign-in.
const WAITING: &str = "waiting for another process that uses the sign-in";

/// Forgets the sign-in.
pub(super) async fn logout(
    config: &Config,
    which: &Which,
    progress: Progress,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let of = which.one(config)?;
    let client = run::graph_client(config, of).map_err(|error| Failure::new(exit::CONFIG, error))?;
    let sign_in = delegated(config, of, &client)?;
    progress.during(WAITING, sign_in.forget()).await.map_err(of_store)?;
    writeln!(
        out,
        "The sign-in is deleted here. To end it everywhere, revoke it at https://myaccount.microsoft.com."
    )?;
    Ok(())
}

/// Says who is signed in, without a token: of several accounts to each that a person signs in to.
pub(super) async fn whoami(
    config: &Config,
    which: &Which,
    progress: Progress,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let of_people = |of: &AccountId| matches!(config.accounts[of.index()].auth, Auth::Person { .. });
    let mut all = which.all(config)?;
    if all.iter().any(of_people) {
        all.retain(of_people);
    }
    let mut outcome = Ok(());
    for (i, of) in all.into_iter().enumerate() {
        if i > 0 {
            writeln!(out)?;
        }
        if let Some(name) = &config.accounts[of.index()].name {
            writeln!(out, "name      {name}")?;
        }
        // Of the others it is said all the same.
        let one = one(config, of, progress, out).await;
        outcome =
            outcome.and(one.map_err(|failure| failure.of_account(config.accounts[of.index()].name.as_ref())));
    }
    outcome
}

async fn one(
    config: &Config,
    of: AccountId,
    progress: Progress,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let client = run::graph_client(config, of).map_err(|error| Failure::new(exit::CONFIG, error))?;
    let sign_in = delegated(config, of, &client)?;
    let kept =
        progress.during(WAITING, sign_in.store.lock()).await.map_err(of_store)?.read().map_err(of_store)?;
    let Some(kept) = kept else {
        let account = config.accounts[of.index()].name.as_ref();
        let to = account.map_or(String::new(), |name| format!(" to the account {name}"));
        return Err(Failure::new(
            exit::SIGN_IN,
            format!("no account is signed in{to}; run `presence2mqtt login`"),
        ));
    };
    writeln!(out, "account   {}", kept.account.username)?;
    writeln!(out, "object id {}", kept.account.object_id)?;
    writeln!(out, "tenant    {}", kept.account.tenant_id)?;
    writeln!(out, "app       {}", kept.client_id)?;
    writeln!(out, "scopes    {}", kept.scopes)?;
    writeln!(out, "token     valid until {}; renewed automatically", whole_seconds(kept.access_ends))?;
    Ok(())
}

fn of_store(error: StoreError) -> Failure {
    Failure::new(exit::UNEXPECTED, error)
}
