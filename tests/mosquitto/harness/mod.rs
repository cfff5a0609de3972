//! What the tests are made of: processes, a broker, a tenant, the bridge, and somebody who listens.

mod bridge;
mod browser;
mod certificates;
mod listener;
mod mosquitto;
pub(crate) mod ports;
pub(crate) mod process;
mod source;

use std::time::Duration;

pub(crate) use bridge::{Bridge, Configuration, Finished, finished, write_secret};
pub(crate) use browser::Browser;
pub(crate) use certificates::Certificates;
pub(crate) use listener::{Heard, Listener, retained};
pub(crate) use mosquitto::{Mosquitto, Setup, password_file};
pub(crate) use source::{PEOPLE, Source};

/// For anything that has no promised limit of its own: far above what it takes, far below a hanging test run.
const LIMIT: Duration = Duration::from_secs(30);

/// The result of `future`, which must come within the general limit.
pub(crate) async fn soon<T>(what: &str, future: impl Future<Output = T>) -> T {
    within(LIMIT, what, future).await
}

/// The result of `future`, which must come within `limit`.
pub(crate) async fn within<T>(limit: Duration, what: &str, future: impl Future<Output = T>) -> T {
    match tokio::time::timeout(limit, future).await {
        Ok(result) => result,
        Err(_) => panic!("not within {limit:?}: {what}"),
    }
}
