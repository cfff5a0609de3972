//! `GET /{tenant}/v2.0/.well-known/openid-configuration`: what anybody may know of a tenant, its id and its
//! cloud.

use serde_json::{Value, json};

use super::client::check_tenant;
use super::error::SignInError;
use crate::simulate::settings::Cloud;
use crate::simulate::state::State;

pub(super) fn answer(state: &State, tenant: &str, host: &str) -> Result<Value, SignInError> {
    check_tenant(state, tenant, false)?;
    let (instance, graph, scope) = match state.settings.cloud {
        Cloud::Global => ("microsoftonline.com", "graph.microsoft.com", None),
        Cloud::UsGov => ("microsoftonline.us", "graph.microsoft.us", Some("DODCON")),
    };
    let root = format!("http://{host}/{}", state.settings.tenant_id);
    Ok(json!({
        "issuer": format!("{root}/v2.0"),
        "token_endpoint": format!("{root}/oauth2/v2.0/token"),
        "authorization_endpoint": format!("{root}/oauth2/v2.0/authorize"),
        "device_authorization_endpoint": format!("{root}/oauth2/v2.0/devicecode"),
        "tenant_region_scope": "EU",
        "tenant_region_sub_scope": scope,
        "cloud_instance_name": instance,
        "msgraph_host": graph,
    }))
}
