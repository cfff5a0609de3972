//! What a form of the page sends: bounded in size and in time, and read leniently.

use std::fmt;
use std::time::Duration;

use http_body_util::{BodyExt, LengthLimitError, Limited};
use hyper::HeaderMap;
use hyper::StatusCode;
use hyper::body::Body;
use hyper::header::CONTENT_TYPE;
use tokio::time::timeout;
use url::form_urlencoded;

/// Bytes of a form. The longest value is the address that a sign-in ended on, percent-encoded once more.
const LARGEST: usize = 64 * 1024;

/// From the head of the request to the last byte of the form.
const WITHIN: Duration = Duration::from_secs(5);

/// The fields of a form, in order. They may hold what proves who somebody is, so they are never printed.
pub(super) struct Form(Vec<(String, String)>);

/// Why there is no form.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotAForm {
    #[error("only forms of this page are accepted: application/x-www-form-urlencoded")]
    Kind,
    #[error("the form is larger than {LARGEST} bytes")]
    TooLarge,
    #[error("the form did not come within {} s", WITHIN.as_secs())]
    TooSlow,
    #[error("the form broke off")]
    Cut,
}

impl Form {
    /// Reads the body of a request.
    pub(super) async fn read<B>(headers: &HeaderMap, body: B) -> Result<Self, NotAForm>
    where
        B: Body,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let kind = headers.get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        let kind = kind.split(';').next().unwrap_or_default().trim();
        if !kind.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
            return Err(NotAForm::Kind);
        }
        let read = timeout(WITHIN, Limited::new(body, LARGEST).collect()).await;
        let read = read.map_err(|_| NotAForm::TooSlow)?;
        let body = read.map_err(|error| match error.is::<LengthLimitError>() {
            true => NotAForm::TooLarge,
            false => NotAForm::Cut,
        })?;
        Ok(Self::parse(&body.to_bytes()))
    }

    /// What is not well formed is a value like any other: none of it means more than its text.
    pub(super) fn parse(text: &[u8]) -> Self {
        Self(form_urlencoded::parse(text).into_owned().collect())
    }

    /// The value of a field; of several the first.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        self.0.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }
}

impl fmt::Debug for Form {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Form")
    }
}

impl NotAForm {
    pub(super) fn status(&self) -> StatusCode {
        match self {
            Self::Kind => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Cut => StatusCode::BAD_REQUEST,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn headers(kind: &str) -> HeaderMap {
        [(CONTENT_TYPE, kind.parse().unwrap())].into_iter().collect()
    }

    #[tokio::test]
    async fn a_form_is_read_whatever_is_in_it() {
        for (body, expected) in [
            ("act=refresh&token=a%20b+c", &[("act", "refresh"), ("token", "a b c")][..]),
            ("act=first&act=second", &[("act", "first")]),
            ("%ff=%&=&&act", &[("\u{fffd}", "%"), ("", ""), ("act", "")]),
            ("", &[]),
        ] {
            for kind in
                ["application/x-www-form-urlencoded", "Application/X-WWW-Form-URLencoded; charset=utf-8"]
            {
                let form = Form::read(&headers(kind), body.to_owned()).await.unwrap();
                for (name, value) in expected {
                    assert_eq!(form.value(name), Some(*value), "{body}");
                }
                let names: BTreeMap<_, _> = form.0.iter().map(|(name, value)| (name, value)).collect();
                assert_eq!(names.len(), expected.len(), "{body}");
                assert_eq!((form.value("other"), format!("{form:?}")), (None, "Form".to_owned()));
            }
        }
    }

    #[tokio::test]
    async fn what_no_form_sends_is_not_read() {
        for kind in ["multipart/form-data; boundary=x", "text/plain", "application/json", ""] {
            assert_eq!(Form::read(&headers(kind), String::new()).await.unwrap_err(), NotAForm::Kind);
        }
        assert_eq!(Form::read(&HeaderMap::new(), String::new()).await.unwrap_err(), NotAForm::Kind);
        let form = headers("application/x-www-form-urlencoded");
        let large = |bytes| Form::read(&form, "x".repeat(bytes));
        assert!(large(LARGEST).await.is_ok());
        assert_eq!(large(LARGEST + 1).await.unwrap_err(), NotAForm::TooLarge);
    }
}
