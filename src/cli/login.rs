//! `presence2mqtt login`

use std::io::{self, IsTerminal, Write};

use clap::Args;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};

use super::exit::{self, Failure};
use crate::config::Config;
use crate::core::event::ReadFailure;
use crate::core::sign_in::DeviceCode;
use crate::graph::client::GraphClient;
use crate::graph::sign_in::answer::{Issued, NotIssued};
use crate::graph::sign_in::delegated::{DelegatedSignIn, NotKept};
use crate::graph::sign_in::device_code::{CodeEnd, PendingCode};
use crate::graph::sign_in::identity;
use crate::run;

/// How to sign in.
#[derive(Debug, Args)]
pub(super) struct Options {
    /// Do not ask whether the account that signed in is the right one
    #[arg(long)]
    yes: bool,
}

/// Signs a person in with a device code, and keeps the sign-in.
pub(super) async fn run(config: &Config, options: &Options, out: &mut impl Write) -> Result<(), Failure> {
    let client = run::graph_client(config).map_err(|error| Failure::new(exit::CONFIG, error))?;
    let sign_in = delegated(config, &client)?;
    let authority = client.authority();
    let scope = sign_in.scope(client.resource());
    let code = PendingCode::ask(authority, &sign_in.client_id, &scope).await.map_err(not_issued)?;
    show(&code.shown, out)?;
    let issued = match code.wait(authority).await.map_err(not_issued)? {
        CodeEnd::SignedIn(issued) => issued,
        CodeEnd::Declined => return Err(Failure::new(exit::SIGN_IN, "the sign-in was declined")),
        CodeEnd::Expired => {
            return Err(Failure::new(exit::SIGN_IN, "nobody used the code in time; run login again"));
        }
    };
    welcome(sign_in, &issued, options, out).await
}

/// The person's sign-in of a configuration that has one.
pub(super) fn delegated<'a>(
    config: &Config,
    client: &'a GraphClient,
) -> Result<&'a DelegatedSignIn, Failure> {
    client.delegated().ok_or_else(|| {
        let method = config.graph.auth.as_str();
        let why =
            format!("with graph.auth.method = \"{method}\" the app signs in as itself; no person needs to");
        Failure::new(exit::CONFIG, why)
    })
}

fn show(code: &DeviceCode, out: &mut impl Write) -> io::Result<()> {
    if io::stdout().is_terminal() {
        // The address is short; if it ever were not, people could still type it.
        if let Ok(picture) = QrCode::with_error_correction_level(&code.verification_uri, EcLevel::L) {
            writeln!(out, "{}", picture.render::<Dense1x2>().build())?;
        }
    }
    writeln!(out, "Open {} and type the code {}", code.verification_uri, code.user_code)?;
    writeln!(out, "The code is good until {}. Waiting…", code.expires_at)?;
    out.flush()
}

/// Says who it is, and on a terminal asks: an administrator who approved in their own browser must not become
/// the person who is watched.
async fn welcome(
    sign_in: &DelegatedSignIn,
    issued: &Issued,
    options: &Options,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let account = identity::account(issued.delegated.id_token.as_ref())
        .map_err(|error| Failure::new(exit::SIGN_IN, error))?;
    writeln!(out, "Signed in as {} (tenant {}).", account.username, account.tenant_id)?;
    if !options.yes && io::stdin().is_terminal() && io::stdout().is_terminal() {
        write!(out, "Use this account for the bridge? [y/N] ")?;
        out.flush()?;
        let mut answer = String::new();
        io::stdin().read_line(&mut answer)?;
        if !matches!(answer.trim(), "y" | "Y" | "yes") {
            return Err(Failure::new(
                exit::SIGN_IN,
                "not kept; run login again and sign in with the right account",
            ));
        }
    }
    let bind = true;
    sign_in.welcome(issued, bind).await.map_err(|error| match error {
        NotKept::Store(error) => Failure::new(exit::UNEXPECTED, error),
        NotKept::NotUsable(_) | NotKept::AnotherAccount(_) | NotKept::NoRefreshToken => {
            Failure::new(exit::SIGN_IN, error)
        }
    })?;
    Ok(writeln!(out, "Kept. A running bridge notices within seconds.")?)
}

fn not_issued(reason: NotIssued) -> Failure {
    let code = match reason {
        NotIssued::Passing { .. } => exit::UNREACHABLE,
        NotIssued::Refused(_) => exit::SIGN_IN,
    };
    Failure::new(code, ReadFailure::from(reason))
}
