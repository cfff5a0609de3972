//! The identity that Azure gives to a machine or service, with tokens from a local service.

use std::time::Duration;

use reqwest::header::RETRY_AFTER;
use reqwest::{Client, RequestBuilder, StatusCode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Deserializer};
use serde_json::Value;

use super::answer::{Issued, sendable};
use super::refusal::Refusal;
use crate::config::{ApplicationId, IdentityService};
use crate::core::model::request::ReadFailure;
use crate::graph::caller::Caller;
use crate::graph::http::{self, HttpError, body, on_the_way};
use crate::graph::text::readable;
use crate::graph::{clock, retry_after};

/// Bytes of an answer.
const LARGEST_ANSWER: usize = 64 * 1024;

/// A managed identity (Microsoft Entra: `how-to-use-vm-token`; App Service: `overview-managed-identity`).
#[derive(Debug)]
pub struct ManagedIdentity {
    http: Client,
    service: IdentityService,
    client_id: Option<ApplicationId>,
}

#[derive(Deserialize)]
struct WireToken {
    #[serde(deserialize_with = "sendable")]
    access_token: SecretString,
    #[serde(default, deserialize_with = "seconds")]
    expires_in: Option<u64>,
    /// In seconds since 1970.
    #[serde(default, deserialize_with = "seconds")]
    expires_on: Option<u64>,
}

impl ManagedIdentity {
    /// The identity that `client_id` names, or the system-assigned one.
    ///
    /// # Errors
    ///
    /// If the HTTP client cannot be made.
    pub fn new(
        service: IdentityService,
        client_id: Option<ApplicationId>,
        timeout: Duration,
    ) -> Result<Self, HttpError> {
        let root = match &service {
            IdentityService::App { endpoint, .. } => endpoint,
            IdentityService::Metadata { host } => host,
        };
        let http = http::client_on_this_machine(root, timeout)?;
        Ok(Self { http, service, client_id })
    }

    /// Asks for a token for `resource`, the bare root of Graph.
    pub(super) async fn fetch(&self, resource: &str) -> Result<Issued, ReadFailure> {
        let response = self.request(resource).send().await.map_err(|error| {
            passing(format!("{}; does this run on Azure, with a managed identity?", on_the_way(error)), None)
        })?;
        let status = response.status();
        let hint = response.headers().get(RETRY_AFTER).map(|value| value.as_bytes());
        let wait = retry_after::parse(hint, clock::wall());
        let bytes = body(response, LARGEST_ANSWER).await.map_err(|error| passing(error.to_string(), wait))?;
        if !status.is_success() {
            return Err(self.not_issued(status, wait, &bytes));
        }
        issued(&bytes).ok_or_else(|| passing("the answer is not a token".to_owned(), wait))
    }

    fn request(&self, resource: &str) -> RequestBuilder {
        let (mut url, version, resource) = match &self.service {
            IdentityService::App { endpoint, .. } => (endpoint.clone(), "2019-08-01", resource.to_owned()),
            IdentityService::Metadata { host } => {
                let mut url = host.clone();
                url.set_path("/metadata/identity/oauth2/token");
                (url, "2018-02-01", format!("{resource}/"))
            }
        };
        url.query_pairs_mut().append_pair("api-version", version).append_pair("resource", &resource);
        if let Some(id) = &self.client_id {
            url.query_pairs_mut().append_pair("client_id", id.as_str());
        }
        match &self.service {
            IdentityService::App { header, .. } => {
                self.http.get(url).header("X-IDENTITY-HEADER", header.expose_secret())
            }
            IdentityService::Metadata { .. } => self.http.get(url).header("Metadata", "true"),
        }
    }

    /// 404, 410, 429 and 5xx are temporary, according to Microsoft's page on retries. After any other refusal
    /// a person has to act.
    fn not_issued(&self, status: StatusCode, retry_after: Option<Duration>, body: &[u8]) -> ReadFailure {
        let why = match status {
            StatusCode::NOT_FOUND => "is not ready, or gives out no identities here (404)".to_owned(),
            StatusCode::GONE => "is being updated, which takes up to 70 seconds (410)".to_owned(),
            StatusCode::TOO_MANY_REQUESTS => "asks for fewer requests (429)".to_owned(),
            status if !status.is_client_error() => format!("answered {status}"),
            status => return self.refused(status, body),
        };
        ReadFailure::Passing {
            why: format!("the identity service of this machine {why}").into(),
            retry_after,
        }
    }

    fn refused(&self, status: StatusCode, body: &[u8]) -> ReadFailure {
        let advice = match (&self.client_id, status) {
            (_, StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN) => {
                "the identity service of this machine rejects the bridge: run it inside the app that \
                 $IDENTITY_HEADER is from, and restart it there"
            }
            (Some(_), _) => {
                "no managed identity with the client id in graph.client_id is assigned here: add it in the Azure portal \
                 under Identity > User assigned, or remove graph.client_id for the system-assigned one"
            }
            (None, _) => {
                "no managed identity is assigned here, or several are: switch one on in the Azure portal under Identity > \
                 System assigned, or name one in graph.client_id; it needs the app role Presence.Read.All of Microsoft Graph"
            }
        };
        let refusal = Refusal::of_body(&readable(body));
        // The local service passes on errors of the service that issues tokens, whose numbers are more
        // precise.
        let by_number =
            refusal.as_ref().and_then(|refusal| refusal.advice_by_number(Caller::ManagedIdentity));
        let advice = by_number.unwrap_or_else(|| advice.to_owned());
        let details = refusal.map_or(String::new(), |refusal| format!(", {}", refusal.details()));
        ReadFailure::SignInRequired { advice: format!("{advice} ({}{details})", status.as_u16()).into() }
    }
}

fn passing(why: String, retry_after: Option<Duration>) -> ReadFailure {
    ReadFailure::Passing { why: format!("asking for the managed identity: {why}").into(), retry_after }
}

fn issued(body: &[u8]) -> Option<Issued> {
    let wire: WireToken = serde_json::from_str(&readable(body)).ok()?;
    let now = u64::try_from(clock::wall().as_second()).unwrap_or_default();
    let seconds = wire.expires_in.or(wire.expires_on.map(|on| on.saturating_sub(now)))?;
    Some(Issued::new(wire.access_token, seconds))
}

/// The services write numbers as text; some earlier versions did not.
fn seconds<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<u64>, D::Error> {
    let value = Value::deserialize(deserializer)?;
    Ok(value.as_u64().or_else(|| value.as_str()?.parse().ok()))
}

#[cfg(test)]
mod tests {
    use super::*;

    const GRAPH: &str = "https://graph.microsoft.com";
    const ID: &str = "11111111-2222-3333-4444-555555555555";

    fn identity(service: IdentityService, client_id: Option<&str>) -> ManagedIdentity {
        let client_id = client_id.map(|id| id.parse().unwrap());
        ManagedIdentity::new(service, client_id, Duration::from_secs(1)).unwrap()
    }

    fn of_machine(client_id: Option<&str>) -> ManagedIdentity {
        identity(IdentityService::Metadata { host: "http://169.254.169.254".parse().unwrap() }, client_id)
    }

    fn of_app(client_id: Option<&str>) -> ManagedIdentity {
        let endpoint = "http://127.0.0.1:41/msi/token/".parse().unwrap();
        identity(IdentityService::App { endpoint, header: "s3cr3t-marker".into() }, client_id)
    }

    #[test]
    fn what_is_asked() {
        for (identity, resource, address, header) in [
            (
                of_machine(None),
                GRAPH,
                "http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fgraph.microsoft.com%2F".to_owned(),
                ("metadata", "true"),
            ),
            (
                of_machine(Some(ID)),
                "https://dod-graph.microsoft.us",
                format!("http://169.254.169.254/metadata/identity/oauth2/token?api-version=2018-02-01&resource=https%3A%2F%2Fdod-graph.microsoft.us%2F&client_id={ID}"),
                ("metadata", "true"),
            ),
            (
                of_app(Some(ID)),
                GRAPH,
                format!("http://127.0.0.1:41/msi/token/?api-version=2019-08-01&resource=https%3A%2F%2Fgraph.microsoft.com&client_id={ID}"),
                ("x-identity-header", "s3cr3t-marker"),
            ),
        ] {
            let request = identity.request(resource).build().unwrap();
            assert_eq!(request.url().as_str(), address);
            assert_eq!(request.headers()[header.0], header.1);
        }
        assert!(!format!("{:?}", of_app(None)).contains("s3cr3t-marker"));
    }

    #[test]
    fn numbers_come_as_text_or_not_and_as_a_length_or_a_date() {
        let in_an_hour = clock::wall().as_second() + 3600;
        for (members, seconds) in [
            (r#""expires_in":"3599","expires_on":"1506484173""#.to_owned(), 3599..=3599),
            (r#""expires_in":3599"#.to_owned(), 3599..=3599),
            (format!(r#""expires_on":"{in_an_hour}""#), 3590..=3600),
            (format!(r#""expires_in":"","expires_on":{in_an_hour}"#), 3590..=3600),
            (r#""expires_on":"5""#.to_owned(), 0..=0),
        ] {
            let body =
                format!(r#"{{"access_token":"t","token_type":"Bearer","refresh_token":"",{members}}}"#);
            let issued = issued(body.as_bytes()).unwrap();
            assert!(seconds.contains(&issued.lives.as_secs()), "{members}: {:?}", issued.lives);
        }
        for body in [r#"{"access_token":"t"}"#, r#"{"expires_in":"5"}"#, "<html>", ""] {
            assert!(issued(body.as_bytes()).is_none(), "{body}");
        }
    }

    #[test]
    fn some_refusals_pass_and_others_wait_for_somebody() {
        let hint = Some(Duration::from_secs(9));
        for status in [404, 410, 429, 500, 503, 302] {
            let status = StatusCode::from_u16(status).unwrap();
            let failure = of_machine(None).not_issued(status, hint, b"");
            assert!(
                matches!(&failure, ReadFailure::Passing { retry_after, .. } if *retry_after == hint),
                "{failure:?}"
            );
        }
        let body = br#"{"error":"invalid_request","error_description":"Identity not found"}"#;
        for (identity, status, says) in [
            (of_machine(None), 400, "no managed identity is assigned here"),
            (of_machine(Some(ID)), 400, "the client id in graph.client_id"),
            (of_app(None), 401, "$IDENTITY_HEADER"),
            (of_app(None), 403, "$IDENTITY_HEADER"),
        ] {
            let failure = identity.not_issued(StatusCode::from_u16(status).unwrap(), None, body);
            let ReadFailure::SignInRequired { advice } = failure else { panic!("{failure:?}") };
            assert!(
                advice.contains(says)
                    && advice.ends_with(&format!(
                        "({status}, invalid_request; Microsoft says \"Identity not found\")"
                    )),
                "{advice}"
            );
        }
        let body =
            br#"{"error":"unauthorized_client","error_description":"AADSTS7000112: Disabled. Trace ID: t1"}"#;
        let failure = of_machine(None).not_issued(StatusCode::BAD_REQUEST, None, body);
        let ReadFailure::SignInRequired { advice } = failure else { panic!("{failure:?}") };
        assert!(advice.starts_with("the app is disabled: ask an administrator to enable it"), "{advice}");
        assert!(
            advice.ends_with(r#"(400, AADSTS7000112, trace t1; Microsoft says "Disabled.")"#),
            "{advice}"
        );
    }
}
