//! `presence2mqtt logout` and `presence2mqtt whoami`

use std::io::Write;

use super::exit::{self, Failure};
use super::login::delegated;
use super::progress::Progress;
use crate::config::Config;
use crate::core::model::time::whole_seconds;
use crate::graph::sign_in::store::StoreError;
use crate::run;

/// Another process of this program may be renewing the sign-in.
const WAITING: &str = "waiting for whoever else uses the sign-in";

/// Forgets the sign-in.
pub(super) async fn logout(config: &Config, progress: Progress, out: &mut impl Write) -> Result<(), Failure> {
    let client = run::graph_client(config).map_err(|error| Failure::new(exit::CONFIG, error))?;
    let sign_in = delegated(config, &client)?;
    let store = progress.during(WAITING, sign_in.store.lock()).await.map_err(of_store)?;
    store.remove().map_err(of_store)?;
    writeln!(
        out,
        "The sign-in is forgotten here. To end it everywhere, revoke it at https://myaccount.microsoft.com."
    )?;
    Ok(())
}

/// Says who is signed in, without a token.
pub(super) async fn whoami(config: &Config, progress: Progress, out: &mut impl Write) -> Result<(), Failure> {
    let client = run::graph_client(config).map_err(|error| Failure::new(exit::CONFIG, error))?;
    let sign_in = delegated(config, &client)?;
    let kept =
        progress.during(WAITING, sign_in.store.lock()).await.map_err(of_store)?.read().map_err(of_store)?;
    let Some(kept) = kept else {
        return Err(Failure::new(exit::SIGN_IN, "nobody is signed in; run `presence2mqtt login`"));
    };
    writeln!(out, "account   {}", kept.account.username)?;
    writeln!(out, "object id {}", kept.account.object_id)?;
    writeln!(out, "tenant    {}", kept.account.tenant_id)?;
    writeln!(out, "app       {}", kept.client_id)?;
    writeln!(out, "scopes    {}", kept.scopes)?;
    writeln!(out, "token     good until {}, renewed before", whole_seconds(kept.access_ends))?;
    Ok(())
}

fn of_store(error: StoreError) -> Failure {
    Failure::new(exit::UNEXPECTED, error)
}
