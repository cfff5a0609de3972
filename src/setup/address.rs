//! What a set-up begins with: a work e-mail address, in which the tenant and its cloud are, or an app with a
//! domain of its tenant, as the line for the Azure CLI prints it.

use crate::config::{ApplicationId, TenantId};
use crate::core::model::name::ObjectId;

/// What was typed first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Beginning {
    /// The work e-mail address of whoever signs in.
    Person(String),
    /// The id of an app, and a domain or the id of its tenant. Who signs in shows when they do.
    App(String, String),
}

/// One @ between a name and a domain.
pub(crate) fn read(text: &str) -> Result<Beginning, &'static str> {
    let (name, domain) = text.split_once('@').unwrap_or_default();
    let is_domain = domain.parse::<TenantId>().is_ok() && domain.contains('.');
    let is_tenant = is_domain || domain.parse::<ObjectId>().is_ok();
    if let Some(app) = name.parse::<ApplicationId>().ok().filter(|_| is_tenant) {
        return Ok(Beginning::App(app.to_string(), domain.to_owned()));
    }
    let is_name = !name.is_empty() && !name.contains(|c: char| c.is_whitespace() || c.is_control());
    let person = (is_name && is_domain).then(|| Beginning::Person(text.to_owned()));
    person.ok_or("must be an address such as alice@contoso.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        let person = |text: &str| Ok(Beginning::Person(text.to_owned()));
        assert_eq!(read("alice.adams+x@Contoso.example"), person("alice.adams+x@Contoso.example"));
        for bad in [
            "",
            "alice",
            "@contoso.example",
            "alice@",
            "alice@organizations",
            "a b@c.example",
            "a@b@c.example",
        ] {
            assert!(read(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn an_app_may_come_first() {
        let id = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";
        for domain in ["contoso.onmicrosoft.com", "0f1e2d3c-4b5a-4678-9a0b-c1d2e3f4a5b6"] {
            let app = Ok(Beginning::App(id.to_owned(), domain.to_owned()));
            assert_eq!(read(&format!("{}@{domain}", id.to_uppercase())), app);
        }
        for no_tenant in ["", "organizations"] {
            assert!(read(&format!("{id}@{no_tenant}")).is_err());
        }
    }
}
