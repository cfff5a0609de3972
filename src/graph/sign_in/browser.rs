//! A sign-in in a browser: authorization code with PKCE, answered on a loopback port
//! (Microsoft identity platform: `v2-oauth2-auth-code-flow`; RFC 8252, section 7.3).

use std::time::Duration;

use aws_lc_rs::digest::{SHA256, digest};
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader};
use tokio::net::{TcpListener, TcpStream};
use url::Url;

use super::answer::{Issued, NotIssued};
use super::authority::Authority;
use super::refusal::Refusal;
use crate::graph::caller::Caller;

/// The time for one request of the browser.
const REQUEST: Duration = Duration::from_secs(10);

/// The longest first line of a request: an authorization code is about two kilobytes.
const LONGEST_LINE: u64 = 16 * 1024;

/// A sign-in that waits for the browser to return.
#[derive(Debug)]
pub struct PendingBrowser {
    /// The address that the person opens.
    pub address: Url,
    redirect_uri: String,
    state: String,
    verifier: SecretString,
    client_id: String,
    scope: String,
}

/// Why there is no code from the browser.
#[derive(Debug, thiserror::Error)]
pub enum NoCode {
    /// The person or the service refused.
    #[error("{}", .0.advice(Caller::Person))]
    Refused(Refusal),
    /// The address does not belong to this sign-in.
    #[error(
        "this is not the address that this sign-in ended on; copy all of it from the browser's address bar"
    )]
    NotOurs,
    /// Cannot listen on the port.
    #[error("the loopback port cannot be listened on")]
    Listen(#[source] std::io::Error),
}

impl PendingBrowser {
    /// A sign-in for these scopes. The browser returns to `port` of localhost.
    #[must_use]
    pub fn new(authority: &Authority, client_id: &str, scope: &str, port: u16) -> Self {
        let (state, verifier) = (random(), random());
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, verifier.as_bytes()));
        let redirect_uri = format!("http://localhost:{port}");
        let mut address = authority.endpoint("authorize");
        address
            .query_pairs_mut()
            .append_pair("client_id", client_id)
            .append_pair("response_type", "code")
            .append_pair("redirect_uri", &redirect_uri)
            .append_pair("response_mode", "query")
            .append_pair("scope", scope)
            .append_pair("state", &state)
            .append_pair("prompt", "select_account")
            .append_pair("code_challenge", &challenge)
            .append_pair("code_challenge_method", "S256");
        Self {
            address,
            redirect_uri,
            state,
            verifier: verifier.into(),
            client_id: client_id.to_owned(),
            scope: scope.to_owned(),
        }
    }

    /// Waits for the browser on the loopback port, until the caller stops waiting, and shows the person the
    /// result.
    ///
    /// # Errors
    ///
    /// If the browser returns without a code.
    pub async fn listen(&self, listener: &TcpListener) -> Result<SecretString, NoCode> {
        loop {
            let (mut stream, _) = listener.accept().await.map_err(NoCode::Listen)?;
            // A browser also requests an icon, and opens connections in advance.
            let line = tokio::time::timeout(REQUEST, first_line(&mut stream)).await;
            let Some(target) = line.ok().flatten() else { continue };
            let code = Url::parse(&self.redirect_uri).ok().and_then(|base| base.join(&target).ok());
            let code = code.ok_or(NoCode::NotOurs).and_then(|url| self.code_of(&url));
            let (status, words) = match &code {
                Ok(_) => ("200 OK", "You are signed in. You can close this window."),
                Err(NoCode::NotOurs) => ("404 Not Found", "There is nothing here."),
                Err(NoCode::Refused(_) | NoCode::Listen(_)) => {
                    ("200 OK", "The sign-in was not completed. You can close this window.")
                }
            };
            // It does not matter whether the page arrives, because the code did.
            let _shown = tokio::time::timeout(REQUEST, answer(&mut stream, status, words)).await;
            if !matches!(code, Err(NoCode::NotOurs)) {
                return code;
            }
        }
    }

    /// Finds the code in the address on which the browser ended, as pasted by a person.
    ///
    /// # Errors
    ///
    /// If the address does not belong to this sign-in, or contains a refusal.
    pub fn code_in(&self, pasted: &str) -> Result<SecretString, NoCode> {
        // Some browsers show the address without its scheme; the query is complete nevertheless.
        Url::parse(pasted.trim()).map_err(|_| NoCode::NotOurs).and_then(|url| self.code_of(&url))
    }

    fn code_of(&self, ended_on: &Url) -> Result<SecretString, NoCode> {
        let value = |name: &str| {
            ended_on.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned())
        };
        // Another page could send its own code here, so only the code with our state is accepted.
        if value("state").as_deref() != Some(self.state.as_str()) {
            return Err(NoCode::NotOurs);
        }
        match (value("code"), value("error")) {
            (Some(code), None) => Ok(code.into()),
            (_, Some(error)) => {
                Err(NoCode::Refused(Refusal::of_words(error, value("error_description").as_deref())))
            }
            (None, None) => Err(NoCode::NotOurs),
        }
    }

    /// Exchanges the code for tokens.
    ///
    /// # Errors
    ///
    /// If the service issues none.
    pub async fn redeem(&self, authority: &Authority, code: &SecretString) -> Result<Issued, NotIssued> {
        let form = [
            ("grant_type", "authorization_code"),
            ("client_id", self.client_id.as_str()),
            ("code", code.expose_secret()),
            ("redirect_uri", &self.redirect_uri),
            ("code_verifier", self.verifier.expose_secret()),
            ("scope", &self.scope),
        ];
        authority.token(&form).await
    }
}

/// 64 hexadecimal digits with 244 random bits. A PKCE verifier has 43 to 128 characters (RFC 7636, section
/// 4.1).
fn random() -> String {
    format!("{}{}", uuid::Uuid::new_v4().as_simple(), uuid::Uuid::new_v4().as_simple())
}

/// The target of a GET request.
async fn first_line(stream: &mut TcpStream) -> Option<String> {
    let mut line = String::new();
    let limited = tokio::io::AsyncReadExt::take(stream, LONGEST_LINE);
    BufReader::new(limited).read_line(&mut line).await.ok()?;
    let mut words = line.split(' ');
    (words.next() == Some("GET")).then(|| words.next().map(str::to_owned)).flatten()
}

async fn answer(stream: &mut TcpStream, status: &str, words: &str) -> std::io::Result<()> {
    let page = format!("<!doctype html><meta charset=utf-8><title>presence2mqtt</title><p>{words}");
    let head = format!(
        "HTTP/1.1 {status}\r\ncontent-type: text/html; charset=utf-8\r\ncontent-length: {}\r\n\
         content-security-policy: default-src 'none'\r\ncache-control: no-store\r\nconnection: close\r\n\r\n",
        page.len()
    );
    stream.write_all(head.as_bytes()).await?;
    stream.write_all(page.as_bytes()).await?;
    stream.shutdown().await
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pending() -> PendingBrowser {
        let root = "https://login.microsoftonline.com".parse().unwrap();
        PendingBrowser::new(&Authority::unasked(&root, "contoso.example"), "app", "openid", 8400)
    }

    fn ended(query: &str) -> Url {
        format!("http://localhost:8400/?{query}").parse().unwrap()
    }

    #[test]
    fn the_address_asks_for_what_is_needed_and_shows_no_verifier() {
        let pending = pending();
        let query: std::collections::BTreeMap<_, _> = pending.address.query_pairs().into_owned().collect();
        assert_eq!(query["redirect_uri"], "http://localhost:8400");
        assert_eq!(query["code_challenge_method"], "S256");
        let challenge = URL_SAFE_NO_PAD.encode(digest(&SHA256, pending.verifier.expose_secret().as_bytes()));
        assert_eq!(query["code_challenge"], challenge);
        assert_eq!(pending.verifier.expose_secret().len(), 64);
        assert!(!format!("{} {pending:?}", pending.address).contains(pending.verifier.expose_secret()));
    }

    #[test]
    fn only_the_answer_with_the_right_state_is_taken() {
        let pending = pending();
        let state = &pending.state;
        let code = pending.code_of(&ended(&format!("code=abc&state={state}"))).unwrap();
        assert_eq!(code.expose_secret(), "abc");
        for stranger in ["code=abc", "code=abc&state=x", &format!("state={state}"), ""] {
            assert!(matches!(pending.code_of(&ended(stranger)), Err(NoCode::NotOurs)), "{stranger}");
        }
        let refused = format!(
            "error=access_denied&error_description=AADSTS53003%3a+No.%0d%0aTrace+ID%3a+t1&state={state}"
        );
        let Err(refused) = pending.code_of(&ended(&refused)) else { panic!("a code?") };
        let sentence = refused.to_string();
        assert!(sentence.ends_with(r#"(AADSTS53003, trace t1; Microsoft says "No.")"#), "{sentence}");
        assert!(matches!(refused, NoCode::Refused(refusal) if refusal.blocks_codes()));
        // A web page may have invented what the browser sends.
        let forged = format!("error=%1b%5b2J%0aERROR+forged&error_description=%e2%80%aeno%0a&state={state}");
        let Err(forged) = pending.code_of(&ended(&forged)) else { panic!("a code?") };
        let sentence = forged.to_string();
        assert!(sentence.contains("\u{fffd}[2J ERROR forged") && !sentence.contains('\n'), "{sentence}");
        assert!(sentence.ends_with("Microsoft says \"\u{fffd}no\")"), "{sentence}");
    }

    #[test]
    fn what_is_pasted_may_lack_its_scheme_and_have_space_around_it() {
        let pending = pending();
        let query = format!("?code=abc&state={}", pending.state);
        for start in
            ["http://localhost:8400/", "localhost:8400/", " http://localhost:8400", "\thttp://127.0.0.1/x"]
        {
            let code = pending.code_in(&format!("{start}{query}\r\n")).unwrap();
            assert_eq!(code.expose_secret(), "abc", "{start}");
        }
        for nothing in ["", "y", "http://", "localhost:8400/"] {
            assert!(matches!(pending.code_in(nothing), Err(NoCode::NotOurs)), "{nothing}");
        }
    }
}
