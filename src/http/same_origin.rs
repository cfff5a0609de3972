//! Who may act: only a form of this very page, sent from where the page was.
//!
//! A website can make a browser send a form to any address, with the password that the browser knows. So a
//! browser has to say that the form comes from the page's own origin, in each header that it sends for that
//! (`Origin`, RFC 6454; `Sec-Fetch-Site`, W3C Fetch Metadata), and the form has to hold a token that only a
//! reader of the page can know.

use std::fmt;
use std::sync::Arc;

use aws_lc_rs::constant_time::verify_slices_are_equal;
use hyper::HeaderMap;
use hyper::header::{HOST, ORIGIN};

use super::form::Form;

const SEC_FETCH_SITE: &str = "sec-fetch-site";

/// By what name the browser knows the page, where a proxy asks by another.
const FORWARDED_HOST: &str = "x-forwarded-host";

/// What each form holds: another one in each process, so that none can be known before.
#[derive(Clone)]
pub(super) struct PageToken(Arc<str>);

/// Why a form is not obeyed.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum NotObeyed {
    #[error("this page changes nothing: http.read_only = true")]
    ReadOnly,
    #[error(
        "this did not come from this page, or a proxy changed the headers Host and Origin: open the page \
        and try again there; a proxy has to pass on Host, or name it in X-Forwarded-Host"
    )]
    Elsewhere,
    #[error("this page is of an earlier run of the bridge: go back, load it again, and repeat what you did")]
    Token,
}

impl PageToken {
    /// A new one, of 244 random bits.
    pub(super) fn new() -> Self {
        let random = || uuid::Uuid::new_v4().simple();
        Self(format!("{}{}", random(), random()).into())
    }

    /// For the forms of the page.
    pub(super) fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether the form holds it.
    pub(super) fn check(&self, form: &Form) -> Result<(), NotObeyed> {
        let given = form.value("token").unwrap_or_default();
        verify_slices_are_equal(given.as_bytes(), self.0.as_bytes()).map_err(|_| NotObeyed::Token)
    }
}

impl fmt::Debug for PageToken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PageToken")
    }
}

/// Whether a browser says that this request comes from the page. One that says nothing at all is none, or is
/// too old to be asked: it is refused.
pub(super) fn check(headers: &HeaderMap) -> Result<(), NotObeyed> {
    let given = |name: &str| headers.get_all(name).iter().map(|value| value.to_str().unwrap_or_default());
    let mut said = [false; 2];
    for site in given(SEC_FETCH_SITE) {
        said[0] = true;
        if site != "same-origin" {
            return Err(NotObeyed::Elsewhere);
        }
    }
    for origin in given(ORIGIN.as_str()) {
        said[1] = true;
        if !is_own(origin, headers) {
            return Err(NotObeyed::Elsewhere);
        }
    }
    if said.contains(&true) { Ok(()) } else { Err(NotObeyed::Elsewhere) }
}

/// Whether an origin is the one that the page was asked for by. Which scheme the browser used is not known
/// behind a proxy that speaks TLS. No website can make a browser send a `Host` or an `X-Forwarded-Host` of
/// its choice to another origin.
fn is_own(origin: &str, headers: &HeaderMap) -> bool {
    let parts = origin.split_once("://").filter(|(scheme, _)| ["http", "https"].contains(scheme));
    let Some((scheme, authority)) = parts else { return false };
    let default_port = if scheme == "https" { ":443" } else { ":80" };
    [HOST.as_str(), FORWARDED_HOST].into_iter().any(|name| {
        let host = headers.get(name).and_then(|host| host.to_str().ok()).unwrap_or_default();
        // The first is the one that the browser asked for.
        let host = host.split(',').next().unwrap_or_default().trim();
        let host = host.strip_suffix(default_port).unwrap_or(host);
        !host.is_empty() && host.eq_ignore_ascii_case(authority)
    })
}

#[cfg(test)]
mod tests {
    use hyper::header::{HeaderName, HeaderValue};

    use super::*;

    fn headers(given: &[(&'static str, &str)]) -> HeaderMap {
        let header = |&(name, value): &(&'static str, &str)| {
            (HeaderName::from_static(name), HeaderValue::from_str(value).unwrap())
        };
        let mut headers = HeaderMap::new();
        for (name, value) in given.iter().map(header) {
            headers.append(name, value);
        }
        headers
    }

    #[test]
    fn only_the_page_itself_may_act() {
        let (host, own) = (("host", "127.0.0.1:9642"), ("origin", "http://127.0.0.1:9642"));
        let same = ("sec-fetch-site", "same-origin");
        let ingress = [("host", "ha.example:8123"), ("origin", "https://ha.example:8123"), same];
        let inner = ("host", "172.30.33.4:8099");
        for (given, expected) in [
            (&[host, own, same][..], true),
            (&[host, own], true),
            (&[host, same], true),
            (&ingress, true),
            (&[inner, ("x-forwarded-host", "ha.example:8123"), ("origin", "https://ha.example:8123")], true),
            (&[inner, ("x-forwarded-host", "ha.example, proxy"), ("origin", "https://ha.example")], true),
            (&[("host", "HA.example:443"), ("origin", "https://ha.example")], true),
            (&[("host", "[::1]:9642"), ("origin", "http://[::1]:9642")], true),
            // A browser that says nothing.
            (&[host], false),
            (&[], false),
            // Another website, also one on this machine, and what a sandboxed frame or a redirect makes of
            // it.
            (&[host, ("origin", "https://evil.example")], false),
            (&[host, ("origin", "http://127.0.0.1:8080")], false),
            (&[host, ("origin", "http://127.0.0.1")], false),
            (&[host, ("origin", "http://localhost:9642")], false),
            (&[host, ("origin", "null")], false),
            (&[host, ("origin", "")], false),
            (&[host, ("origin", "ftp://127.0.0.1:9642")], false),
            (&[host, ("origin", "127.0.0.1:9642")], false),
            (&[host, ("origin", "http://127.0.0.1:9642/")], false),
            (&[host, ("origin", "http://evil@127.0.0.1:9642")], false),
            (&[("origin", "http://")], false),
            (&[("host", ""), ("origin", "http://")], false),
            // One of the headers alone does not do if the other disagrees, and neither does one of two.
            (&[host, own, ("sec-fetch-site", "cross-site")], false),
            (&[host, own, ("sec-fetch-site", "same-site")], false),
            (&[host, own, ("sec-fetch-site", "none")], false),
            (&[host, own, ("sec-fetch-site", "")], false),
            (&[host, ("origin", "https://evil.example"), same], false),
            (&[host, own, same, ("sec-fetch-site", "cross-site")], false),
            (&[host, own, ("origin", "https://evil.example")], false),
        ] {
            let expected = if expected { Ok(()) } else { Err(NotObeyed::Elsewhere) };
            assert_eq!(check(&headers(given)), expected, "{given:?}");
        }
    }

    #[test]
    fn each_process_has_a_token_of_its_own() {
        let (token, other) = (PageToken::new(), PageToken::new());
        let check = |text: &str| token.check(&Form::parse(text.as_bytes()));
        assert_eq!(check(&format!("act=x&token={}", token.as_str())), Ok(()));
        for wrong in ["", "token=", "token=x", &format!("token={}", other.as_str())] {
            assert_eq!(check(wrong), Err(NotObeyed::Token), "{wrong}");
        }
        assert_eq!((token.as_str().len(), format!("{token:?}")), (64, "PageToken".to_owned()));
    }
}
