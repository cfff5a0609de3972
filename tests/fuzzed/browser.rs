//! The address that a person's browser ends on: any page can send a browser to the loopback port.

use std::time::Duration;

use presence2mqtt::graph::client::{Access, GraphClient};
use presence2mqtt::graph::sign_in::browser::{NoCode, PendingBrowser};
use presence2mqtt::graph::sign_in::method::Method;
use secrecy::ExposeSecret;
use url::Url;

use super::said;

/// What an input has in the place of this sign-in's own state, which nobody can guess.
const STATE: &str = "STATE";

thread_local! {
    static PENDING: PendingBrowser = pending();
}

fn pending() -> PendingBrowser {
    let root: Url = "http://127.0.0.1:1".parse().unwrap();
    let access = Access {
        graph_url: &root,
        login_url: &root,
        tenant: "contoso.example",
        ca_file: None,
        timeout: Duration::from_secs(1),
    };
    let client = GraphClient::new(&access, Method::Fixed("token".to_owned().into())).unwrap();
    PendingBrowser::new(client.authority(), "an-app", "openid", 8400)
}

/// `input` is what a GET request asks for.
pub(super) fn check(input: &[u8]) {
    let Ok(target) = std::str::from_utf8(input) else { return };
    PENDING.with(|pending| {
        let (_, state) = pending.address.query_pairs().find(|(name, _)| name == "state").unwrap();
        let knows_state = target.contains(STATE);
        let base: Url = "http://localhost:8400".parse().unwrap();
        let Ok(url) = base.join(&target.replace(STATE, &state)) else { return };
        match pending.code_in(url.as_str()) {
            Ok(code) => {
                assert!(knows_state, "a code of somebody else was taken from {target:?}");
                assert!(
                    !format!("{code:?}").contains(code.expose_secret()) || code.expose_secret().len() < 9
                );
            }
            Err(error @ NoCode::Refused(_)) => {
                assert!(knows_state, "a page ended the sign-in with {target:?}");
                said::sentence(&error.to_string());
                assert!(error.to_string().chars().count() < 1002, "{error}");
            }
            Err(NoCode::NotOurs) => {}
            Err(error @ NoCode::Listen(_)) => panic!("nobody waited: {error}"),
        }
    });
}
