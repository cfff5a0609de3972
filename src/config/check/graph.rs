//! Checks `[graph]` as it applies to one account, without `[graph.auth]`.

use url::{Host, Url};

use super::auth;
use super::refusals::{HOUR, MINUTE, Refusals, SECOND, WEEK};
use crate::config::environment::Environment;
use crate::config::files::check_certificates;
use crate::config::ids::TenantId;
use crate::config::known::{Account, Cloud};
use crate::config::written;
use crate::core::model::name::TopicLevel;
use crate::core::model::report::words;
use crate::core::model::settings::{Endpoint, GraphSettings, ReadingSettings};

/// The account with this name, or the only one.
pub(super) fn check(
    written: &written::Graph,
    name: Option<&TopicLevel>,
    environment: &Environment,
    refusals: &mut Refusals<'_>,
) -> Option<Account> {
    let cloud = cloud(written.cloud, refusals);
    let tenant = tenant(written, refusals);
    if written.endpoint == Endpoint::Me && !written.auth.method.signs_in() {
        let says = "\"me\" needs a person who signs in; with an app's own method use \"auto\"";
        refusals.refuse("graph.endpoint", says);
    }
    durations(written, refusals);
    if !(1..=10_000).contains(&written.request_budget) {
        refusals.refuse("graph.request_budget", "must be 1 to 10000");
    }
    let graph_url = written.graph_url.as_deref();
    let graph_url = root("graph.graph_url", graph_url, cloud.map(Cloud::graph_url), refusals);
    let login_url = written.login_url.as_deref();
    let login_url = root("graph.login_url", login_url, cloud.map(Cloud::login_url), refusals);
    let ca_file = refusals.file("graph.ca_file", written.ca_file.as_deref(), check_certificates);
    let auth = auth::check(written, name, environment, refusals);
    Some(Account {
        name: name.cloned(),
        cloud: cloud?,
        tenant: tenant?,
        request_timeout: written.request_timeout,
        graph_url: graph_url?,
        login_url: login_url?,
        ca_file,
        auth: auth?,
        settings: ReadingSettings {
            endpoint: written.endpoint,
            poll_interval: written.poll_interval,
            request_budget: written.request_budget,
        },
    })
}

/// Keys that are the same for all accounts; each account checks them.
pub(super) fn common(written: &written::Graph) -> GraphSettings {
    GraphSettings {
        stale_after: written.stale_after,
        on_stale: written.on_stale,
        debounce: written.debounce,
        include_messages: written.include_messages,
    }
}

fn cloud(written: written::Cloud, refusals: &mut Refusals<'_>) -> Option<Cloud> {
    match written {
        written::Cloud::Global => Some(Cloud::Global),
        written::Cloud::UsGovL4 => Some(Cloud::UsGovL4),
        written::Cloud::UsGovL5 => Some(Cloud::UsGovL5),
        written::Cloud::China => {
            refusals.refuse(
                "graph.cloud",
                "Microsoft does not offer presence in the cloud operated by 21Vianet; must be \"global\", \"us-gov-l4\" or \"us-gov-l5\"",
            );
            None
        }
    }
}

fn tenant(written: &written::Graph, refusals: &mut Refusals<'_>) -> Option<TenantId> {
    let key = "graph.tenant_id";
    let text = refusals.require(key, written.tenant_id.as_deref())?;
    let refuse = match text.to_ascii_lowercase().as_str() {
        "common" | "consumers" => {
            "personal accounts have no presence; write the tenant's GUID or one of its domains"
        }
        "organizations" if !written.auth.method.signs_in() => {
            "an app's own method needs one tenant: write its GUID or one of its domains"
        }
        _ => return refusals.parse(key, text),
    };
    refusals.refuse(key, refuse);
    None
}

fn durations(written: &written::Graph, refusals: &mut Refusals<'_>) {
    let poll_interval = written.poll_interval;
    refusals.within("graph.poll_interval", poll_interval, SECOND..=HOUR);
    refusals.within("graph.request_timeout", written.request_timeout, SECOND..=2 * MINUTE);
    if written.debounce > 10 * MINUTE {
        refusals.refuse("graph.debounce", "must be 0s to 10m");
    }
    let twice = poll_interval.saturating_mul(2).min(WEEK);
    if let Some(stale_after) = written.stale_after
        && !(twice..=WEEK).contains(&stale_after)
    {
        let twice = words(twice);
        let says = format!("must be {twice} (twice graph.poll_interval) to 7days");
        refusals.refuse("graph.stale_after", says);
    }
}

/// The root address of a service: the configured one, otherwise that of the cloud.
fn root(
    key: &str,
    written: Option<&str>,
    of_cloud: Option<&str>,
    refusals: &mut Refusals<'_>,
) -> Option<Url> {
    let Some(text) = written else {
        return of_cloud?.parse().ok();
    };
    match text.parse() {
        Ok(url) if is_bare_root(&url) => Some(url),
        Ok(_) | Err(_) => {
            refusals.refuse(
                key,
                "must be the bare root, such as https://graph.microsoft.com: https (http on a loopback address only), without path, query, user name and password",
            );
            None
        }
    }
}

fn is_bare_root(url: &Url) -> bool {
    let is_loopback = match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    };
    let is_safe = url.scheme() == "https" || (url.scheme() == "http" && is_loopback);
    let is_bare = url.path() == "/" && url.query().is_none() && url.fragment().is_none();
    let is_anonymous = url.username().is_empty() && url.password().is_none();
    is_safe && is_bare && is_anonymous && url.port() != Some(0)
}
