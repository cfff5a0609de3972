//! Device codes: an app shows a code, a person types it on another device, and the app asks until that has
//! happened.
//!
//! Microsoft's page: "OAuth 2.0 device authorization grant flow".

use std::time::Duration;

use serde_json::{Value, json};

use super::client::{check_client, check_tenant};
use super::error::SignInError;
use super::form::{Form, parse, required};
use super::memory::{DeviceCode, Outcome, SignedIn};
use super::scope::Scopes;
use super::tokens::first_tokens;
use super::{client, page};
use crate::simulate::message::{Answer, Asked};
use crate::simulate::state::State;
use crate::simulate::switches::DeviceCodes as Policy;

/// The grant type.
pub(super) const GRANT: &str = "urn:ietf:params:oauth:grant-type:device_code";

/// What an app must wait longer for each time it asked too soon (RFC 8628, section 3.5).
const SLOWER: Duration = Duration::from_secs(5);

/// `POST /{tenant}/oauth2/v2.0/devicecode`
pub(super) fn start(state: &mut State, tenant: &str, asked: &Asked) -> Result<Value, SignInError> {
    let form = parse(&asked.body);
    check_tenant(state, tenant, false)?;
    check_client(state, &form)?;
    let scopes = Scopes::read(required(&form, "scope")?, &asked.host)?;
    let (lifetime, interval) = (state.settings.device_code_lifetime, state.settings.device_code_interval);
    let code = DeviceCode {
        secret: state.secret("device"),
        user_code: user_code(&mut state.random),
        scopes,
        ends: state.now.up + lifetime,
        interval,
        asked_at: None,
        asked: 0,
        outcome: Outcome::Pending,
    };
    let uri = format!("http://{}/devicelogin", asked.host);
    let user_code = &code.user_code;
    let answer = json!({
        "user_code": user_code,
        "device_code": code.secret,
        "verification_uri": uri,
        "expires_in": lifetime.as_secs(),
        "interval": interval.as_secs(),
        "message": format!(
            "To sign in, use a web browser to open the page {uri} and enter the code {user_code} to authenticate."
        ),
    });
    state.sign_in.device_codes.add(code);
    Ok(answer)
}

/// The grant of the token endpoint: the question whether somebody has signed in.
pub(super) fn grant(state: &mut State, form: &Form, host: &str) -> Result<Value, SignInError> {
    client::public(state, form, host)?;
    let secret = required(form, "device_code")?;
    let (now, switches) = (state.now.up, state.switches);
    let code = state.sign_in.device_codes.find(secret);
    let code = code.ok_or_else(|| SignInError::new(70018, ""))?;
    if code.ends <= now {
        return Err(SignInError::new(70020, ""));
    }
    let too_soon = code.asked_at.is_some_and(|before| now < before + code.interval);
    code.asked_at = Some(now);
    if too_soon || switches.slow_down {
        code.interval += SLOWER;
        return Err(SignInError::new(70016, "").called("slow_down"));
    }
    match switches.device_codes {
        Policy::Allowed => {}
        Policy::Blocked(number, word) => return Err(SignInError::new(number, "").called(word)),
        Policy::Ignored => return Err(SignInError::new(70016, "")),
    }
    code.asked += 1;
    if let (Outcome::Pending, Some(auto)) = (code.outcome, switches.auto_approve)
        && code.asked > auto.after
    {
        code.outcome = Outcome::Approved(auto.person);
    }
    match code.outcome {
        Outcome::Pending => Err(SignInError::new(70016, "")),
        Outcome::Declined => Err(SignInError::new(65004, "").called("authorization_declined")),
        Outcome::Redeemed => Err(SignInError::new(54005, "")),
        Outcome::Approved(user) => {
            code.outcome = Outcome::Redeemed;
            let signed_in = SignedIn { user, scopes: code.scopes.clone() };
            first_tokens(state, signed_in)
        }
    }
}

/// `GET` and `POST /devicelogin`: where a person types the code and says who they are.
pub(super) fn login_page(state: &mut State, asked: &Asked) -> Answer {
    let form = parse(&asked.body);
    let Some(typed) = form.get("user_code") else {
        return page::ask_for_code(None);
    };
    let now = state.now.up;
    if !state.sign_in.device_codes.is_waiting(typed, now) {
        return page::ask_for_code(Some("That code didn't work. Check the code and try again."));
    }
    if form.contains_key("decline") {
        state.sign_in.device_codes.decide(typed, now, None);
        return page::page(200, "Declined", "<p>You did not sign in. You may now close this window.</p>");
    }
    if state.switches.device_codes != Policy::Allowed {
        let sorry =
            "<p>Your sign-in was successful but does not meet the criteria to access this resource.</p>";
        return page::page(403, "You cannot access this right now", sorry);
    }
    match form.get("person").and_then(|name| state.person_named(name)).map(|person| person.id) {
        None => page::choose_for_device(typed, &state.people()),
        Some(person) => {
            state.sign_in.device_codes.decide(typed, now, Some(person));
            page::page(200, "You have signed in", "<p>You may now close this window.</p>")
        }
    }
}

/// Nine letters and digits that are hard to confuse and make no words.
fn user_code(random: &mut fastrand::Rng) -> String {
    const LETTERS: &[u8] = b"BCDFGHJKLMNPQRSTVWXZ23456789";
    (0..9).map(|_| char::from(LETTERS[random.usize(..LETTERS.len())])).collect()
}
