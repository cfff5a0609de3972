//! `presence2mqtt login`

mod browser;
mod code;
mod picture;
mod request;

use std::io::{self, IsTerminal, Write};
use std::path::Path;

use super::exit::{self, Failure, naming};
use super::lines::Lines;
use super::paper::Paper;
use super::progress::Progress;
use super::terminal::Terminal;
use crate::config::{Auth, Config};
use crate::core::model::account::AccountId;
use crate::core::model::foreign::Legible;
use crate::core::model::sign_in::SignInBy;
use crate::graph::client::GraphClient;
use crate::graph::sign_in::answer::Issued;
use crate::graph::sign_in::delegated::{DelegatedSignIn, NotKept};
use crate::graph::sign_in::identity;
use crate::graph::sign_in::store::{Account, StoreError};
use crate::run;
use code::NoCode;
pub(in crate::cli) use request::Options;
use request::Request;

/// Signs a person in, and keeps the sign-in.
pub(super) async fn run(
    config: &Config,
    options: &Options,
    file: Option<&Path>,
    on: (Terminal, Progress),
    out: &mut impl Write,
) -> Result<(), Failure> {
    sign_in(config, options, on, &mut Lines::default(), out).await?;
    // A set-up that runs this starts the service itself.
    if !options.of_set_up {
        let says = "Saved. Start the bridge with `presence2mqtt run`; a running one continues by itself.";
        on.0.paper().say(out, &naming(file, says))?;
    }
    Ok(())
}

/// The same for a command that has more to ask. Returns the way that was gone, and who signed in.
pub(super) async fn sign_in(
    config: &Config,
    options: &Options,
    on: (Terminal, Progress),
    lines: &mut Lines,
    out: &mut impl Write,
) -> Result<(SignInBy, Legible), Failure> {
    let of = options.which.one(config)?;
    let signed_in = sign_in_to(config, of, options, on, lines, out).await;
    signed_in.map_err(|failure| failure.of_account(config.accounts[of.index()].name.as_ref()))
}

async fn sign_in_to(
    config: &Config,
    of: AccountId,
    options: &Options,
    (terminal, progress): (Terminal, Progress),
    lines: &mut Lines,
    out: &mut impl Write,
) -> Result<(SignInBy, Legible), Failure> {
    let paper = terminal.paper();
    let client = run::graph_client(config, of).map_err(|error| Failure::new(exit::CONFIG, error))?;
    let sign_in = delegated(config, of, &client)?;
    // Before a person goes to any trouble: what could not be stored would be in vain.
    let preparing = progress.during("waiting for another process that uses the sign-in", sign_in.prepare());
    let bound = preparing.await.map_err(of_store)?;
    let by_browser = options.browser
        || matches!(config.accounts[of.index()].auth, Auth::Person { by: SignInBy::Browser, .. });
    let request = Request {
        authority: client.authority(),
        client_id: &sign_in.client_id,
        scope: sign_in.scope(client.resource()),
        progress,
    };
    loop {
        let by_code = match by_browser {
            true => None,
            false => match code::sign_in(&request, terminal.colours_out(), out).await {
                Err(NoCode::Blocked(why)) if options.of_set_up => {
                    paper.say(out, &format!("Sign-in codes are not allowed here ({why})."))?;
                    None
                }
                outcome => Some(outcome?),
            },
        };
        let (issued, by) = match by_code {
            Some(issued) => (issued, SignInBy::DeviceCode),
            None => (browser::sign_in(&request, options, lines, (paper, out)).await?, SignInBy::Browser),
        };
        let account = identity::account(issued.delegated.id_token.as_ref())
            .map_err(|error| Failure::new(exit::SIGN_IN, error))?;
        paper.say(out, &format!("Signed in as {} (tenant {}).", account.username, account.tenant_id))?;
        let entered = options.expected.as_deref().filter(|name| !name.is_empty());
        let is_entered = entered.map(|name| account.username.eq_ignore_ascii_case(name));
        let is_expected =
            bound.as_ref().is_none_or(|bound| bound.is_same(&account)) && is_entered == Some(true);
        let another = entered.filter(|_| is_entered == Some(false));
        let asks = !options.yes && !is_expected && io::stdin().is_terminal() && io::stdout().is_terminal();
        if !asks || is_right((bound.as_ref(), another), &account, lines, (paper, out)).await? {
            keep(sign_in, &issued).await?;
            return Ok((by, account.username));
        }
        if !options.of_set_up || lines.are_over() {
            return Err(Failure::new(exit::SIGN_IN, "not saved; sign in again, with the right account"));
        }
        writeln!(out, "Not saved. Sign in with another account:")?;
    }
}

/// Asks whether this is the right account: an administrator who approved in their own browser must not become
/// the person who is watched, nor whoever's browser was signed in already, where `another` was entered.
async fn is_right(
    (bound, another): (Option<&Account>, Option<&str>),
    account: &Account,
    lines: &mut Lines,
    on: (Paper, &mut impl Write),
) -> io::Result<bool> {
    match bound.filter(|bound| !bound.is_same(account)) {
        Some(another) => {
            let question = format!("The bridge follows {}. Change to this account?", another.username);
            lines.ask(on, &question, false).await
        }
        None => match another {
            Some(entered) => {
                lines.ask(on, &format!("You entered {entered}. Use this account instead?"), false).await
            }
            None => lines.ask(on, "Use this account for the bridge?", true).await,
        },
    }
}

async fn keep(sign_in: &DelegatedSignIn, issued: &Issued) -> Result<(), Failure> {
    let kept = sign_in.bind(issued).await;
    kept.map(|_| ()).map_err(|error| match error {
        NotKept::Store(error) => of_store(error),
        NotKept::NotUsable(_) | NotKept::AnotherAccount(_) | NotKept::NoRefreshToken => {
            Failure::new(exit::SIGN_IN, error)
        }
    })
}

/// The person's sign-in of a configuration that has one.
pub(super) fn delegated<'a>(
    config: &Config,
    of: AccountId,
    client: &'a GraphClient,
) -> Result<&'a DelegatedSignIn, Failure> {
    client.delegated().ok_or_else(|| {
        let method = config.accounts[of.index()].auth.as_str();
        let why = format!(
            "with graph.auth.method = \"{method}\" the app signs in as itself; no person has to \
            sign in"
        );
        Failure::new(exit::CONFIG, why)
    })
}

fn of_store(error: StoreError) -> Failure {
    Failure::new(exit::UNEXPECTED, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str, number: u32) -> Account {
        Account {
            tenant_id: "contoso".into(),
            object_id: format!("00000000-0000-4000-8000-{number:012}").parse().unwrap(),
            username: format!("{name}@contoso.example").into(),
        }
    }

    #[tokio::test]
    async fn enter_means_yes_unless_it_changes_who_is_followed() {
        let alice = account("alice", 1);
        for (bound, typed, expected, question) in [
            (None, "", true, "Use this account for the bridge? [Y/n] "),
            (Some(account("alice.renamed", 1)), "", true, "Use this account for the bridge? [Y/n] "),
            (
                Some(account("bob", 2)),
                "",
                false,
                "The bridge follows bob@contoso.example. Change to this account? [y/N] ",
            ),
            (
                Some(account("bob", 2)),
                "Y",
                true,
                "The bridge follows bob@contoso.example. Change to this account? [y/N] ",
            ),
        ] {
            let mut out = Vec::new();
            let mut lines = Lines::typed(&[typed]);
            let on = (Paper::default(), &mut out);
            assert_eq!(is_right((bound.as_ref(), None), &alice, &mut lines, on).await.unwrap(), expected);
            assert_eq!(String::from_utf8(out).unwrap(), question);
        }
        let (mut out, mut lines) = (Vec::new(), Lines::typed(&[""]));
        let entered = (None, Some("bob@contoso.example"));
        assert!(!is_right(entered, &alice, &mut lines, (Paper::default(), &mut out)).await.unwrap());
        let question = "You entered bob@contoso.example. Use this account instead? [y/N] ";
        assert_eq!(String::from_utf8(out).unwrap(), question);
    }
}
