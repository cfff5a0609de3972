//! What a person wants, and what the sign-in service is asked for therefore.

use clap::Args;

use crate::cli::exit::{self, Failure};
use crate::cli::progress::Progress;
use crate::cli::which::Which;
use crate::graph::caller::Caller;
use crate::graph::sign_in::answer::NotIssued;
use crate::graph::sign_in::authority::Authority;

/// How to sign in.
#[derive(Debug, Default, Args)]
pub(in crate::cli) struct Options {
    #[command(flatten)]
    pub(in crate::cli) which: Which,
    /// Do not ask whether the account that signed in is the right one
    #[arg(long)]
    pub(in crate::cli) yes: bool,
    /// Sign in with a browser instead of a code
    #[arg(long)]
    pub(in crate::cli) browser: bool,
    /// Do not open a browser: print the address, then paste the address on which the browser ends (or use
    /// `ssh -L`)
    #[arg(long)]
    pub(in crate::cli) no_open: bool,
    /// The loopback port to which the browser returns [default: a free one]
    #[arg(long, value_name = "N", default_value_t = 0, hide_default_value = true)]
    pub(in crate::cli) port: u16,
    /// Who need not be asked about: for a set-up that runs this as another user
    #[arg(long, hide = true)]
    pub(in crate::cli) expected: Option<String>,
    /// Take the browser where codes are blocked, and ask again after a wrong account: for a set-up
    #[arg(long, hide = true)]
    pub(in crate::cli) of_set_up: bool,
}

/// What the sign-in service is asked for.
pub(super) struct Request<'a> {
    pub(super) authority: &'a Authority,
    pub(super) client_id: &'a str,
    pub(super) scope: String,
    pub(super) progress: Progress,
}

/// The service gives nothing.
pub(super) fn not_issued(reason: NotIssued) -> Failure {
    let code = match reason {
        NotIssued::Passing { .. } => exit::UNREACHABLE,
        NotIssued::Refused(_) => exit::SIGN_IN,
    };
    Failure::new(code, reason.failure(Caller::Person))
}
