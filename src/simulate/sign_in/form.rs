//! Forms and queries.

use std::collections::BTreeMap;

use url::form_urlencoded;

use super::error::SignInError;

/// The parameters of a request, from its body or its query.
pub(super) type Form = BTreeMap<String, String>;

/// Takes a body or a query apart.
pub(super) fn parse(form: &[u8]) -> Form {
    form_urlencoded::parse(form).into_owned().collect()
}

/// A parameter that must be there.
pub(super) fn required<'a>(form: &'a Form, name: &str) -> Result<&'a str, SignInError> {
    match form.get(name) {
        Some(value) if !value.is_empty() => Ok(value),
        Some(_) | None => Err(SignInError::new(900144, name)),
    }
}
