//! Signing in with a browser on the same machine: authorization code with PKCE.
//!
//! Microsoft's page: "OAuth 2.0 authorization code flow".

use std::time::Duration;

use aws_lc_rs::digest;
use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::Value;
use url::Url;

use super::client::{check_client, check_tenant};
use super::error::SignInError;
use super::form::{Form, parse, required};
use super::memory::{Code, SignedIn};
use super::scope::Scopes;
use super::tokens::first_tokens;
use super::{client, page};
use crate::core::model::name::ObjectId;
use crate::simulate::message::{Answer, Asked};
use crate::simulate::person::Person;
use crate::simulate::state::State;
use crate::simulate::switches::Browser;
use crate::simulate::wire::Marks;

/// How long a code may be redeemed.
const LIFETIME: Duration = Duration::from_secs(10 * 60);

/// The length of a SHA-256 digest in base64url.
const CHALLENGE_LENGTH: usize = 43;

/// What `GET …/authorize` leads to.
enum Next {
    Page(Answer),
    Code(String),
}

/// `GET /{tenant}/oauth2/v2.0/authorize`
pub(super) fn answer(state: &mut State, tenant: &str, asked: &Asked, marks: &Marks) -> Answer {
    let query = parse(asked.query.as_bytes());
    // Whoever is not known to be the app gets nothing sent, not even an error.
    let redirect = check_tenant(state, tenant, false)
        .and_then(|()| check_client(state, &query))
        .and_then(|()| redirect_uri(&query));
    let mut back = match redirect {
        Ok(back) => back,
        Err(error) => return page::page(400, "Sign-in is not possible", &error.description(marks)),
    };
    match sign_in(state, &query, asked) {
        Ok(Next::Page(page)) => return page,
        Ok(Next::Code(code)) => {
            back.query_pairs_mut().append_pair("code", &code);
        }
        Err(error) => {
            let description = error.description(marks);
            let mut pairs = back.query_pairs_mut();
            pairs.append_pair("error", error.error()).append_pair("error_description", &description);
        }
    }
    if let Some(state) = query.get("state") {
        back.query_pairs_mut().append_pair("state", state);
    }
    Answer::redirect(back.as_str())
}

/// The grant `authorization_code`.
pub(super) fn grant(state: &mut State, form: &Form, host: &str) -> Result<Value, SignInError> {
    client::public(state, form, host)?;
    let secret = required(form, "code")?;
    let redirect_uri = required(form, "redirect_uri")?;
    let verifier = required(form, "code_verifier")?;
    let now = state.now.up;
    let code = state.sign_in.codes.find(secret);
    let code = code.ok_or_else(|| SignInError::new(70000, ""))?;
    if code.redeemed {
        return Err(SignInError::new(54005, ""));
    }
    if code.ends <= now {
        return Err(SignInError::new(70008, ""));
    }
    if code.redirect_uri != redirect_uri {
        return Err(SignInError::new(500112, ""));
    }
    if code.challenge != challenge(verifier) {
        return Err(SignInError::new(501481, ""));
    }
    code.redeemed = true;
    let mut signed_in = code.signed_in.clone();
    if let Some(scope) = form.get("scope") {
        let asked = Scopes::read(scope, host)?;
        if let Some(missing) = asked.first_beyond(&signed_in.scopes) {
            return Err(SignInError::new(65001, missing));
        }
        signed_in.scopes = asked;
    }
    first_tokens(state, signed_in)
}

/// Checks what the app asks for, and finds out who signs in.
fn sign_in(state: &mut State, query: &Form, asked: &Asked) -> Result<Next, SignInError> {
    let response_type = required(query, "response_type")?;
    if response_type != "code" {
        return Err(SignInError::new(70005, response_type));
    }
    if let Some(mode) = query.get("response_mode").filter(|mode| *mode != "query") {
        return Err(SignInError::new(70007, mode));
    }
    let scopes = Scopes::read(required(query, "scope")?, &asked.host)?;
    let challenge = required(query, "code_challenge")?;
    if required(query, "code_challenge_method")? != "S256" || challenge.len() != CHALLENGE_LENGTH {
        return Err(SignInError::new(501481, "").called("invalid_request"));
    }
    let silent = query.get("prompt").is_some_and(|prompt| prompt == "none");
    let user = match (query.get("person"), state.switches.browser) {
        (Some(name), _) => state.person_named(name).ok_or_else(cancelled)?.id,
        (None, Browser::SignsIn(user)) => user,
        (None, Browser::Cancels) => return Err(cancelled()),
        (None, Browser::Asks) if silent => return Err(SignInError::new(50058, "")),
        (None, Browser::Asks) => {
            let people = hinted_first(state, query.get("login_hint"));
            return Ok(Next::Page(page::choose_for_browser(&asked.query, &people)));
        }
    };
    if let Some(code) = state.switches.people_refused {
        return Err(SignInError::new(code, &state.settings.client_id));
    }
    let redirect_uri = required(query, "redirect_uri")?.to_owned();
    Ok(Next::Code(issue(state, user, scopes, redirect_uri, challenge)))
}

fn issue(state: &mut State, user: ObjectId, scopes: Scopes, redirect_uri: String, challenge: &str) -> String {
    let secret = state.secret("code");
    let ends = state.now.up + LIFETIME;
    let code = Code {
        secret: secret.clone(),
        signed_in: SignedIn { user, scopes },
        redirect_uri,
        challenge: challenge.to_owned(),
        ends,
        redeemed: false,
    };
    state.sign_in.codes.add(code);
    secret
}

fn cancelled() -> SignInError {
    SignInError::new(65004, "")
}

/// A native app is called back on the machine's own address, whose port may be any.
fn redirect_uri(query: &Form) -> Result<Url, SignInError> {
    let text = required(query, "redirect_uri")?;
    let url = Url::parse(text).ok();
    let plain = |url: &Url| {
        url.scheme() == "http"
            && url.host_str() == Some("localhost")
            && url.query().is_none()
            && url.fragment().is_none()
            && url.username().is_empty()
    };
    url.filter(plain).ok_or_else(|| SignInError::new(50011, text))
}

/// What a verifier must hash to: base64url of its SHA-256 (RFC 7636, section 4.6).
fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

/// Everybody, and the one the app expects before all others.
fn hinted_first(state: &State, hint: Option<&String>) -> Vec<Person> {
    let mut people = state.people();
    let expected =
        |person: &Person| hint.is_some_and(|hint| person.principal_name.eq_ignore_ascii_case(hint));
    people.sort_by_key(|person| !expected(person));
    people
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_challenge_of_rfc_7636() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn only_the_machine_itself_is_called_back() {
        let check = |uri: &str| redirect_uri(&Form::from([("redirect_uri".into(), uri.into())]));
        for good in ["http://localhost", "http://localhost:1", "http://localhost:50123/back"] {
            assert!(check(good).is_ok(), "{good}");
        }
        for wrong in [
            "https://localhost",
            "http://127.0.0.1:1",
            "http://localhost.example",
            "http://localhost/#a",
            "x",
        ] {
            assert_eq!(check(wrong).unwrap_err(), SignInError::new(50011, wrong));
        }
    }
}
