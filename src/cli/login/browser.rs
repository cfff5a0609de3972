//! Signing in with a browser, here or on another machine.

use std::io::Write;
use std::net::Ipv4Addr;
use std::process::{Command, Stdio};
use std::time::Duration;

use tokio::net::TcpListener;

use super::request::{Options, Request, not_issued};
use crate::cli::exit::{self, Failure};
use crate::cli::lines::Lines;
use crate::cli::paper::Paper;
use crate::graph::sign_in::answer::Issued;
use crate::graph::sign_in::browser::{NoCode, PendingBrowser};

/// From opening the browser to its answer.
const WITHIN: Duration = Duration::from_secs(15 * 60);

/// Shows an address and waits for the browser to end where it leads, or for a person to paste where that was.
pub(super) async fn sign_in(
    request: &Request<'_>,
    options: &Options,
    lines: &mut Lines,
    (paper, out): (Paper, &mut impl Write),
) -> Result<Issued, Failure> {
    let Request { authority, client_id, scope, .. } = request;
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, options.port)).await?;
    let port = listener.local_addr()?.port();
    let pending = PendingBrowser::new(authority, client_id, scope, port);
    writeln!(out, "Open this address in a browser and sign in:\n\n{}\n", pending.address)?;
    if !options.no_open {
        open(pending.address.as_str());
    }
    // Whether a browser was opened cannot be known: what opens one may be there without a desktop.
    let says = format!(
        "A browser on another machine ends on an address that it cannot open, localhost:{port}/…\n\
         Paste that address here. (Or, before you sign in: ssh -L {port}:localhost:{port} THIS-MACHINE)"
    );
    paper.say(out, &says)?;
    out.flush()?;
    let answer = async {
        let mut came_back = std::pin::pin!(pending.listen(&listener));
        loop {
            tokio::select! {
                code = &mut came_back => return code.map_err(Failure::from),
                Some(pasted) = lines.next() => match pending.code_in(&pasted) {
                    Err(NoCode::NotOurs) => {
                        paper.say(out, &format!("{}:", NoCode::NotOurs))?;
                        out.flush()?;
                    }
                    code => return code.map_err(Failure::from),
                },
            }
        }
    };
    let answer = tokio::time::timeout(WITHIN, answer).await;
    let too_late = || {
        Failure::new(
            exit::SIGN_IN,
            "no sign-in within 15 minutes; start again with `presence2mqtt login --browser`",
        )
    };
    let code = answer.unwrap_or_else(|_| Err(too_late()))?;
    pending.redeem(authority, &code).await.map_err(not_issued)
}

/// Asks the desktop to show an address. Where there is none the person has the address on the screen.
fn open(address: &str) {
    let opener = if cfg!(target_os = "macos") { "open" } else { "xdg-open" };
    let quiet = Stdio::null;
    let opened = Command::new(opener).arg(address).stdin(quiet()).stdout(quiet()).stderr(quiet()).spawn();
    if let Err(error) = opened {
        tracing::debug!(%error, opener, "no browser was opened");
    }
}

impl From<NoCode> for Failure {
    fn from(error: NoCode) -> Self {
        let code = match error {
            NoCode::Refused(_) | NoCode::NotOurs => exit::SIGN_IN,
            NoCode::Listen(_) => exit::UNEXPECTED,
        };
        Self::new(code, error)
    }
}
