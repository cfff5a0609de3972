//! The tenant and the app registration, checked once.

use std::fmt;
use std::str::FromStr;

use crate::core::model::name::{InvalidName, ObjectId};

/// A tenant: its GUID, one of its domains, or `organizations` where a person signs in. In lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TenantId(Box<str>);

/// The application (client) id of an app registration: a GUID in lower case.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ApplicationId(Box<str>);

impl TenantId {
    /// The text, as it goes into the sign-in service's paths.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TenantId {
    /// Whether an account of the tenant with this id may sign in. If the configuration names a domain, only
    /// the sign-in service knows its id.
    #[must_use]
    pub fn may_be(&self, id: &str) -> bool {
        self.0.parse::<ObjectId>().is_err() || self.0.eq_ignore_ascii_case(id)
    }
}

impl ApplicationId {
    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for TenantId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let text = text.to_ascii_lowercase();
        if text == "organizations" || text.parse::<ObjectId>().is_ok() || is_domain(&text) {
            Ok(Self(text.into()))
        } else {
            Err(InvalidName("the tenant's GUID or one of its domains, such as contoso.onmicrosoft.com"))
        }
    }
}

impl FromStr for ApplicationId {
    type Err = InvalidName;

    fn from_str(text: &str) -> Result<Self, InvalidName> {
        let id: ObjectId = text.parse().map_err(|InvalidName(_)| {
            InvalidName("the application (client) id of the app registration, a GUID")
        })?;
        Ok(Self(id.to_string().into()))
    }
}

/// RFC 1035 letters, digits and hyphens, at least two labels.
fn is_domain(text: &str) -> bool {
    let label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
    };
    text.len() <= 253 && text.contains('.') && text.split('.').all(label)
}

impl fmt::Display for TenantId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl fmt::Display for ApplicationId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tenants() {
        for good in [
            "contoso.onmicrosoft.com",
            "Contoso.example",
            "66825E03-7ef5-42da-9069-724602c31f6b",
            "organizations",
        ] {
            let tenant: TenantId = good.parse().unwrap();
            assert_eq!(tenant.as_str(), good.to_lowercase());
        }
        for bad in ["", "contoso", "a..b", "-a.b", "a/b.c", "a.b?", "ä.example", "a.b."] {
            assert!(bad.parse::<TenantId>().is_err(), "{bad:?}");
        }
    }
}
