//! The id token: who signed in, for the app to show. Its signature is made up, since
//! it comes straight from the service and nobody has to check it.
//!
//! Microsoft's page: "ID token claims reference".

use std::time::Duration;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde_json::json;

use super::scope::Scopes;
use crate::simulate::person::Person;
use crate::simulate::state::State;

/// An id token about this person, if `openid` was asked for; `profile` adds names.
pub(super) fn id_token(
    state: &State,
    person: &Person,
    scopes: &Scopes,
    lifetime: Duration,
) -> Option<String> {
    if !scopes.has("openid") {
        return None;
    }
    let now = state.now.elsewhere.as_second();
    let tenant = &state.settings.tenant_id;
    let mut claims = json!({
        "aud": state.settings.client_id,
        "iss": format!("https://login.microsoftonline.com/{tenant}/v2.0"),
        "iat": now,
        "nbf": now,
        "exp": now.saturating_add_unsigned(lifetime.as_secs()),
        "sub": format!("pairwise-{}", person.id),
        "tid": tenant,
        "oid": person.id,
        "ver": "2.0",
    });
    if scopes.has("profile") {
        claims["name"] = json!(person.display_name);
        claims["preferred_username"] = json!(person.principal_name);
    }
    let part = |text: String| URL_SAFE_NO_PAD.encode(text);
    let header = json!({"typ": "JWT", "alg": "RS256", "kid": "simulated"});
    let signature = part("not a signature".to_owned());
    Some(format!("{}.{}.{signature}", part(header.to_string()), part(claims.to_string())))
}
