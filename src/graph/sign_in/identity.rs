//! Who signed in, read from the id token that comes with the access token.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use secrecy::{ExposeSecret, SecretString};

use super::store::Account;
use crate::core::model::foreign::Legible;
use crate::core::model::name::ObjectId;
use crate::graph::lenient::Object;
use crate::graph::text::readable;

/// The tenant of all personal accounts (Microsoft identity platform: `id-token-claims-reference`, `tid`).
const PERSONAL_ACCOUNTS: &str = "9188040d-6c67-4c5b-b112-36a304b66dad";

/// The longest id of a tenant, in characters. It is a GUID.
const LONGEST_TENANT: usize = 64;

/// Why an account cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotUsable {
    /// The answer does not say who signed in.
    #[error("the sign-in service did not say who signed in")]
    Nobody,
    /// Microsoft Graph has no presence for personal accounts.
    #[error(
        "{0} is a personal account, and those have no presence in Microsoft Graph; sign in with a work or school account"
    )]
    Personal(Legible),
    /// The account is of another tenant than the configured one.
    #[error("{0} belongs to the tenant {1}, and graph.tenant_id is another one")]
    AnotherTenant(Legible, Legible),
}

/// Reads the claims of an id token. It came straight from the token endpoint over TLS, which vouches for it,
/// so its signature is not checked (OpenID Connect Core, section 3.1.3.7, point 6).
///
/// # Errors
///
/// If it names no account, or one without presence.
pub fn account(id_token: Option<&SecretString>) -> Result<Account, NotUsable> {
    let claims = id_token.and_then(|token| {
        let payload = token.expose_secret().split('.').nth(1)?;
        let json = URL_SAFE_NO_PAD.decode(payload).ok()?;
        let text = readable(&json);
        let claims = Object::of(&text)?;
        let oid: ObjectId = claims.get::<String>("oid")?.parse().ok()?;
        Some((claims.get::<String>("tid")?, oid, claims.get::<String>("preferred_username")))
    });
    let (tid, oid, name) = claims.ok_or(NotUsable::Nobody)?;
    let username = name.map_or_else(|| oid.to_string().into(), |name| Legible::quoted(&name));
    if tid == PERSONAL_ACCOUNTS {
        return Err(NotUsable::Personal(username));
    }
    Ok(Account { tenant_id: Legible::at_most(&tid, LONGEST_TENANT), object_id: oid, username })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn token(claims: &str) -> SecretString {
        format!("e30.{}.sig", URL_SAFE_NO_PAD.encode(claims)).into()
    }

    #[test]
    fn who_it_is() {
        let oid = "66825e03-7ef5-42da-9069-724602c31f6b";
        let alice = token(&format!(
            r#"{{"tid":"t","oid":"{oid}","preferred_username":"alice@contoso.example","x":1}}"#
        ));
        let account = account(Some(&alice)).unwrap();
        assert_eq!(
            (account.username.as_str(), account.object_id.to_string().as_str()),
            ("alice@contoso.example", oid)
        );
        let nameless = token(&format!(r#"{{"tid":"t","oid":"{oid}"}}"#));
        assert_eq!(super::account(Some(&nameless)).unwrap().username, oid);
        for (members, name) in [
            (r#""preferred_username":"alice\ud83d@x""#, "alice\u{fffd}@x"),
            (r#""preferred_username":"alice@x","name":"\ud83d""#, "alice@x"),
            (r#""preferred_username":7,"roles":1e999"#, oid),
            (r#""preferred_username":null,"tid":"t""#, oid),
        ] {
            let odd = token(&format!(r#"{{"tid":"t","oid":"{oid}",{members}}}"#));
            assert_eq!(super::account(Some(&odd)).expect(members).username, name);
        }
        let personal =
            token(&format!(r#"{{"tid":"{PERSONAL_ACCOUNTS}","oid":"{oid}","preferred_username":"a@b"}}"#));
        assert_eq!(super::account(Some(&personal)), Err(NotUsable::Personal("a@b".into())));
        for nobody in [None, Some(token("{}")), Some("x".to_owned().into()), Some("a.%.b".to_owned().into())]
        {
            assert_eq!(super::account(nobody.as_ref()), Err(NotUsable::Nobody));
        }
    }
}
