//! `[http]`.

use std::net::SocketAddr;

use super::refusals::Refusals;
use crate::config::known::Http;
use crate::config::written;

/// `None` if `http.listen` is not set.
pub(super) fn check(written: &written::Http, refusals: &mut Refusals<'_>) -> Option<Http> {
    let password = refusals.secret("http.password", None, written.password_file.as_deref());
    let listen = listen(written.listen.as_deref()?, refusals)?;
    if !listen.ip().is_loopback() && password.is_none() {
        let says = "is reachable from other machines, so http.password_file is required; or use 127.0.0.1";
        refusals.refuse("http.listen", says);
    }
    Some(Http { listen, password, any_host: written.any_host, read_only: written.read_only })
}

/// `http.listen` alone.
pub(super) fn listen(written: &str, refusals: &mut Refusals<'_>) -> Option<SocketAddr> {
    let listen = written.parse();
    if listen.is_err() {
        refusals.refuse("http.listen", "must be an address and port, such as 127.0.0.1:9642");
    }
    listen.ok()
}
