//! The listening socket, and what one visitor can cost: one short request on one short connection.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::io;
use std::net::{IpAddr, SocketAddr, TcpListener};
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::TcpStream;
use tokio::sync::watch;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::{sleep, timeout};

use super::answer::answer;
use super::first_start::Guide;
use super::page::Page;
use super::question::Asker;
use super::site::Site;
use crate::config::Http;
use crate::meters::Meters;

/// Connections at once. When they are taken, the one that has been here longest makes room: whoever means
/// well is served within milliseconds, so that strangers who come and say nothing keep no probe waiting.
const CONNECTIONS: usize = 128;

/// For the whole request line and all headers.
const HEADER_TIMEOUT: Duration = Duration::from_secs(5);

/// For one connection from its beginning to the last byte of the answer.
const CONNECTION_TIMEOUT: Duration = Duration::from_secs(20);

/// Bytes of a request's head; behind a proxy it may hold many cookies.
const LARGEST_HEAD: usize = 16 * 1024;

/// How long to wait when no connection can be accepted, which usually means no file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// The address cannot be listened on.
#[derive(Debug, thiserror::Error)]
pub enum DoorError {
    /// This machine does not have the address, or not yet: at boot one that DHCP or a tunnel gives comes
    /// late.
    #[error("http.listen: this machine has no address {} yet; wait for its network, or choose another", .address.ip())]
    NotHere {
        /// As configured.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// It has the address, and yet.
    #[error("http.listen: cannot listen on {address}; stop whatever listens there, or choose another port")]
    Refused {
        /// As configured.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
}

/// An open door at which nobody is served yet.
#[derive(Debug)]
pub struct Door(tokio::net::TcpListener);

/// Who is served what. Dropping it closes the door; another configuration may change it.
#[derive(Debug)]
pub struct Keys(watch::Sender<Arc<Site>>);

impl Door {
    /// Listens on an address.
    ///
    /// # Errors
    ///
    /// If that cannot be done, such as when another program does.
    pub fn open(address: SocketAddr) -> Result<Self, DoorError> {
        let open = || {
            let listener = TcpListener::bind(address)?;
            listener.set_nonblocking(true)?;
            tokio::net::TcpListener::from_std(listener)
        };
        open().map(Self).map_err(|source| {
            if source.kind() == io::ErrorKind::AddrNotAvailable {
                DoorError::NotHere { address, source }
            } else {
                DoorError::Refused { address, source }
            }
        })
    }

    /// Where it listens, also if any port would do.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.local_addr().ok()
    }

    /// The keys of the door, and whoever stands at it: a task that ends when the keys are dropped.
    pub fn attend(
        self,
        http: &Http,
        broker: String,
        meters: Meters,
        asker: Asker,
    ) -> (Keys, impl Future<Output = ()> + Send + 'static) {
        let (keys, site) = watch::channel(Arc::new(Site::new(http, broker, meters, asker)));
        (Keys(keys), attend(self.0, site))
    }
}

impl Keys {
    /// From now on shows the set-up that this leads to, in the place of the status page, until the next
    /// change.
    pub(crate) fn guide(&self, guide: Option<Guide>) {
        self.0.send_modify(|site| *site = Arc::new(Site { guide, ..Site::clone(site) }));
    }

    /// From now on serves by this configuration. The address stays.
    pub fn change(&self, http: &Http, broker: String) {
        self.0.send_modify(|site| *site = Arc::new(site.changed(http, broker)));
    }
}

async fn attend(listener: tokio::net::TcpListener, mut site: watch::Receiver<Arc<Site>>) {
    let page = Arc::new(Page::new());
    let mut connections = JoinSet::new();
    let mut oldest_first: VecDeque<AbortHandle> = VecDeque::new();
    loop {
        tokio::select! {
            changed = site.changed() => if changed.is_err() { break },
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, from)) => {
                    let site = Arc::clone(&site.borrow());
                    oldest_first.retain(|connection| !connection.is_finished());
                    if oldest_first.len() >= CONNECTIONS && let Some(oldest) = oldest_first.pop_front() {
                        site.meters.http.crowded_out.inc();
                        oldest.abort();
                    }
                    let served = serve(stream, from.ip(), site, Arc::clone(&page));
                    oldest_first.push_back(connections.spawn(timeout(CONNECTION_TIMEOUT, served)));
                }
                Err(_) => sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, from: IpAddr, site: Arc<Site>, page: Arc<Page>) {
    let service = service_fn(|request: Request<Incoming>| {
        let (site, page) = (Arc::clone(&site), Arc::clone(&page));
        async move { Ok::<_, Infallible>(answer(from, request, &site, &page).await) }
    });
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIMEOUT)
        .max_header_size(LARGEST_HEAD)
        .max_buf_size(LARGEST_HEAD)
        .keep_alive(false)
        .serve_connection(TokioIo::new(stream), service)
        .await;
    if let Err(error) = served {
        tracing::trace!(%error, "an HTTP connection ended early");
    }
}
