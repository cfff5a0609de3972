//! `presence2mqtt login`

use std::io::{self, IsTerminal, Write};
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};

use clap::Args;
use qrcode::render::unicode::Dense1x2;
use qrcode::{EcLevel, QrCode};
use tokio::net::TcpListener;

use super::exit::{self, Failure};
use super::lines::Lines;
use super::progress::Progress;
use crate::config::{Auth, Config, SignInBy};
use crate::core::model::request::ReadFailure;
use crate::core::model::sign_in::DeviceCode;
use crate::graph::client::GraphClient;
use crate::graph::sign_in::answer::{Issued, NotIssued};
use crate::graph::sign_in::authority::Authority;
use crate::graph::sign_in::browser::{NoCode, PendingBrowser};
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
    /// Sign in with a browser instead of a code
    #[arg(long)]
    browser: bool,
    /// Only print the address for the browser; paste the one it ended on, or reach this port through `ssh -L`
    #[arg(long)]
    no_open: bool,
    /// The loopback port that the browser answers on [default: a free one]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    port: u16,
}

/// Signs a person in, and keeps the sign-in.
pub(super) async fn run(
    config: &Config,
    options: &Options,
    progress: Progress,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let client = run::graph_client(config).map_err(|error| Failure::new(exit::CONFIG, error))?;
    let sign_in = delegated(config, &client)?;
    let by_browser =
        options.browser || matches!(config.graph.auth, Auth::Person { by: SignInBy::Browser, .. });
    let (authority, scope) = (client.authority(), sign_in.scope(client.resource()));
    let mut lines = Lines::default();
    let issued = if by_browser {
        with_browser(authority, &sign_in.client_id, &scope, options, progress, &mut lines, out).await?
    } else {
        with_code(authority, &sign_in.client_id, &scope, progress, out).await?
    };
    welcome(sign_in, &issued, options, &mut lines, out).await
}

async fn with_code(
    authority: &Authority,
    client_id: &str,
    scope: &str,
    progress: Progress,
    out: &mut impl Write,
) -> Result<Issued, Failure> {
    let asking = PendingCode::ask(authority, client_id, scope);
    let code = progress.during("asking for a code", asking).await.map_err(not_issued)?;
    show(&code.shown, out)?;
    let waiting = progress.during("waiting for somebody to sign in", code.wait(authority));
    match waiting.await.map_err(not_issued)? {
        CodeEnd::SignedIn(issued) => Ok(issued),
        CodeEnd::Declined => Err(Failure::new(exit::SIGN_IN, "the sign-in was declined")),
        CodeEnd::Expired => Err(Failure::new(exit::SIGN_IN, "nobody used the code in time; run login again")),
    }
}

async fn with_browser(
    authority: &Authority,
    client_id: &str,
    scope: &str,
    options: &Options,
    progress: Progress,
    lines: &mut Lines,
    out: &mut impl Write,
) -> Result<Issued, Failure> {
    let no_code = |error: NoCode| Failure::new(exit::SIGN_IN, error);
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let port = listener.local_addr()?.port();
    let pending = PendingBrowser::new(authority, client_id, scope, port);
    writeln!(out, "Open this address in a browser and sign in:\n\n{}\n", pending.address)?;
    if options.no_open {
        let there = format!("ssh -L {port}:localhost:{port}");
        writeln!(
            out,
            "On another machine: use {there}, or paste here the address that the browser ends on."
        )?;
    }
    out.flush()?;
    if !options.no_open {
        open(pending.address.as_str());
    }
    let may_paste = options.no_open && io::stdin().is_terminal();
    // What a person types or pastes must not be overwritten.
    let progress = if may_paste { Progress::new(false) } else { progress };
    let listening = progress.during("waiting for the browser", pending.listen(&listener));
    let code = tokio::select! {
        code = listening => code.map_err(no_code)?,
        Some(ended_on) = lines.next(), if may_paste => {
            let url = ended_on.trim().parse().map_err(|_| no_code(NoCode::NotOurs))?;
            pending.code_of(&url).map_err(no_code)?
        }
    };
    pending.redeem(authority, &code).await.map_err(not_issued)
}

/// Asks the desktop to show an address. Where there is none, the person has the address on the screen.
fn open(address: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = Stdio::null;
    let opened = Command::new(opener).arg(address).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    if let Err(error) = opened {
        tracing::debug!(%error, opener, "no browser was opened");
    }
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
    lines: &mut Lines,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let account = identity::account(issued.delegated.id_token.as_ref())
        .map_err(|error| Failure::new(exit::SIGN_IN, error))?;
    writeln!(out, "Signed in as {} (tenant {}).", account.username, account.tenant_id)?;
    let is_asked = !options.yes && io::stdin().is_terminal() && io::stdout().is_terminal();
    if is_asked && !lines.ask(out, "Use this account for the bridge?", false).await? {
        return Err(Failure::new(
            exit::SIGN_IN,
            "not kept; run login again and sign in with the right account",
        ));
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
