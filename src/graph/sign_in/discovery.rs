//! Finds the tenant of a domain, and its cloud. The sign-in service returns this without a sign-in.
//!
//! OpenID Connect Discovery 1.0, with Microsoft's members `cloud_instance_name`, `msgraph_host` and
//! `tenant_region_sub_scope`.

use url::Url;

use super::answer::{NotIssued, not_issued};
use super::authority::Authority;
use crate::config::Cloud;
use crate::core::model::name::ObjectId;
use crate::graph::lenient::Object;
use crate::graph::text::readable;

/// A tenant that was found.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Discovered {
    /// The tenant's id.
    pub tenant: ObjectId,
    /// The tenant's cloud.
    pub cloud: Cloud,
}

/// Why no tenant was found.
#[derive(Debug, thiserror::Error)]
pub enum NotDiscovered {
    /// The service knows no such tenant.
    #[error("no Microsoft 365 tenant has the domain of this address; check how it is spelled ({0})")]
    Unknown(String),
    /// The service could not be asked.
    #[error("{0}; check the network, HTTPS_PROXY and PRESENCE2MQTT__GRAPH__CA_FILE, and try again")]
    Passing(String),
    /// The tenant is in the cloud operated by 21Vianet.
    #[error(
        "this tenant is in the cloud operated by 21Vianet, in China, where Microsoft does not offer presence"
    )]
    China,
    /// The answer is not what it should be.
    #[error("the answer to the question about this tenant is not from Microsoft's sign-in service")]
    NotAnAnswer,
}

/// Asks the sign-in service which tenant its `authority` is.
///
/// # Errors
///
/// If there is no such tenant, or the service cannot be asked.
pub async fn discover(authority: &Authority) -> Result<Discovered, NotDiscovered> {
    let refused = |reason: NotIssued| match reason {
        NotIssued::Passing { why, .. } => NotDiscovered::Passing(why),
        NotIssued::Refused(refusal) => NotDiscovered::Unknown(refusal.details().to_string()),
    };
    let answer = authority.openid_configuration().await.map_err(refused)?;
    if answer.status.is_success() { read(&readable(&answer.body)) } else { Err(refused(not_issued(&answer))) }
}

fn read(body: &str) -> Result<Discovered, NotDiscovered> {
    let body = Object::of(body).ok_or(NotDiscovered::NotAnAnswer)?;
    let text = |name| body.get::<String>(name).unwrap_or_default();
    let issuer: Option<Url> = text("issuer").parse().ok();
    let first = issuer.as_ref().and_then(|issuer| issuer.path_segments()?.next());
    let tenant = first.and_then(|id| id.parse().ok()).ok_or(NotDiscovered::NotAnAnswer)?;
    let hosts = [text("cloud_instance_name"), text("msgraph_host")];
    let is_below = |end: &str| hosts.iter().any(|host| host.ends_with(end));
    let is_dod = text("tenant_region_sub_scope") == "DOD" || hosts[1].starts_with("dod-");
    let cloud = match (is_below(".cn"), is_below(".us"), is_dod) {
        (true, _, _) => return Err(NotDiscovered::China),
        (false, true, true) => Cloud::UsGovL5,
        (false, true, false) => Cloud::UsGovL4,
        (false, false, _) => Cloud::Global,
    };
    Ok(Discovered { tenant, cloud })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cloud_is_told_by_the_hosts_and_the_region() {
        let id = "0f1e2d3c-4b5a-4678-9a0b-c1d2e3f4a5b6";
        for (instance, graph, scope, expected) in [
            ("microsoftonline.com", "graph.microsoft.com", "null", Some(Cloud::Global)),
            ("microsoftonline.com", "graph.microsoft.com", "\"GCC\"", Some(Cloud::Global)),
            ("microsoftonline.us", "graph.microsoft.us", "\"DODCON\"", Some(Cloud::UsGovL4)),
            ("microsoftonline.us", "graph.microsoft.us", "\"DOD\"", Some(Cloud::UsGovL5)),
            ("microsoftonline.us", "dod-graph.microsoft.us", "null", Some(Cloud::UsGovL5)),
            ("partner.microsoftonline.cn", "microsoftgraph.chinacloudapi.cn", "null", None),
        ] {
            let body = format!(
                r#"{{"issuer":"https://login.{instance}/{id}/v2.0","cloud_instance_name":"{instance}",
                    "msgraph_host":"{graph}","tenant_region_sub_scope":{scope}}}"#
            );
            let found = read(&body);
            assert_eq!(found.as_ref().ok().map(|found| found.cloud), expected, "{found:?}");
            assert!(found.is_err() || found.unwrap().tenant.to_string() == id);
        }
        for body in ["", "<html>", "{}", r#"{"issuer":"https://login.example/common/v2.0"}"#] {
            assert!(matches!(read(body), Err(NotDiscovered::NotAnAnswer)), "{body}");
        }
    }
}
