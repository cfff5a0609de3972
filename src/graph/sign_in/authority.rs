//! The sign-in service of one tenant.

use reqwest::RequestBuilder;
use reqwest::header::RETRY_AFTER;
use url::Url;

use super::answer::{self, Answer, Issued, NotIssued};
use crate::graph::http::{Http, body, on_the_way};
use crate::graph::{clock, retry_after};

/// The largest answer, in bytes.
const LARGEST_ANSWER: usize = 256 * 1024;

/// One tenant's endpoints (Microsoft identity platform: `{authority}/{tenant}/oauth2/v2.0/…`).
#[derive(Debug, Clone)]
pub struct Authority {
    http: Http,
    root: Url,
    tenant: String,
}

impl Authority {
    /// The endpoints of `tenant`, at the root address of the service.
    #[must_use]
    pub(in crate::graph) fn new(http: Http, root: &Url, tenant: &str) -> Self {
        Self { http, root: root.clone(), tenant: tenant.to_owned() }
    }

    /// For tests of addresses; loads no certificates.
    #[cfg(test)]
    pub(super) fn unasked(root: &Url, tenant: &str) -> Self {
        let loopback = &"http://127.0.0.1".parse().unwrap();
        let http = Http::new([loopback, loopback], None, std::time::Duration::from_secs(1)).unwrap();
        Self::new(http, root, tenant)
    }

    /// Posts a form to the token endpoint.
    ///
    /// # Errors
    ///
    /// If the service issues no token.
    pub async fn token(&self, form: &[(&str, &str)]) -> Result<Issued, NotIssued> {
        answer::issued(&self.post("token", form).await?)
    }

    /// Asks for the public information about this tenant; returns any answer.
    pub(super) async fn openid_configuration(&self) -> Result<Answer, NotIssued> {
        let mut url = self.root.clone();
        url.set_path(&format!("/{}/v2.0/.well-known/openid-configuration", self.tenant));
        send(self.http.client().get(url)).await
    }

    /// Posts a form to an endpoint; returns any answer.
    pub(super) async fn post(&self, endpoint: &str, form: &[(&str, &str)]) -> Result<Answer, NotIssued> {
        send(self.http.client().post(self.endpoint(endpoint)).form(form)).await
    }

    /// The address of an endpoint.
    #[must_use]
    pub fn endpoint(&self, name: &str) -> Url {
        let mut url = self.root.clone();
        url.set_path(&format!("/{}/oauth2/v2.0/{name}", self.tenant));
        url
    }
}

async fn send(request: RequestBuilder) -> Result<Answer, NotIssued> {
    let passing = |why: String| NotIssued::Passing { why: format!("signing in: {why}"), retry_after: None };
    let response = request.send().await.map_err(|error| passing(on_the_way(error)))?;
    let status = response.status();
    let hint = response.headers().get(RETRY_AFTER).map(|value| value.as_bytes());
    let retry_after = retry_after::parse(hint, clock::wall());
    let body = body(response, LARGEST_ANSWER).await.map_err(|error| passing(error.to_string()))?;
    Ok(Answer { status, retry_after, body })
}
