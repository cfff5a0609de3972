//! A work e-mail address, in which the tenant and its cloud are.

use crate::config::TenantId;

/// One @ between a name and a domain.
pub(crate) fn read(text: &str) -> Result<String, &'static str> {
    let (name, domain) = text.split_once('@').unwrap_or_default();
    let is_domain = domain.parse::<TenantId>().is_ok() && domain.contains('.');
    let is_address =
        !name.is_empty() && is_domain && !name.contains(|c: char| c.is_whitespace() || c.is_control());
    is_address.then(|| text.to_owned()).ok_or("must be an address such as alice@contoso.com")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses() {
        assert_eq!(read("alice.adams+x@Contoso.example").unwrap(), "alice.adams+x@Contoso.example");
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
}
