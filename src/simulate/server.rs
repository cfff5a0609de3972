//! The tenant on a socket: one root serves Graph and sign-in.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use hyper::Request;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper_util::rt::TokioIo;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{Notify, oneshot};
use tokio::task::{JoinHandle, JoinSet};

use super::exchange::{Connection, exchange};
use super::tenant::Tenant;

/// How long to wait when no connection can be accepted, which usually means no file descriptors.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A running server. Dropping it stops it too, without waiting for the end.
#[derive(Debug)]
pub struct Server {
    address: SocketAddr,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Server {
    /// Serves the tenant on this listener, in a task of the current runtime.
    ///
    /// # Errors
    ///
    /// When the listener cannot say its address.
    #[expect(
        clippy::disallowed_methods,
        reason = "the simulated tenant is an edge; `stop` joins this task, which joins its connections"
    )]
    pub fn start(listener: TcpListener, tenant: Tenant) -> io::Result<Self> {
        let address = listener.local_addr()?;
        let (stop, stopped) = oneshot::channel();
        Ok(Self { address, stop: Some(stop), task: tokio::spawn(accept(listener, tenant, stopped)) })
    }

    /// The root address of both services, such as `http://127.0.0.1:40123`: for `graph_url` and `login_url`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Closes the socket and every connection, also those in the middle of an answer, and returns when all
    /// tasks have ended.
    pub async fn stop(mut self) {
        drop(self.stop.take());
        // An error would be a panic in the task, which has been reported where it happened.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn accept(listener: TcpListener, tenant: Tenant, mut stopped: oneshot::Receiver<()>) {
    let mut connections = JoinSet::new();
    let mut number = 0;
    loop {
        tokio::select! {
            _ = &mut stopped => break,
            Some(_) = connections.join_next() => {}
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    number += 1;
                    let connection = Connection { number, peer, reset: Notify::new() };
                    connections.spawn(serve(stream, tenant.clone(), connection));
                }
                Err(_) => tokio::time::sleep(ACCEPT_PAUSE).await,
            },
        }
    }
    connections.shutdown().await;
}

async fn serve(stream: TcpStream, tenant: Tenant, connection: Connection) {
    // Small answers should not wait for acknowledgements; where the option is missing they do.
    let _ = stream.set_nodelay(true);
    let connection = Arc::new(connection);
    let service = service_fn(|request: Request<Incoming>| {
        let (tenant, connection) = (tenant.clone(), Arc::clone(&connection));
        async move { Ok::<_, Infallible>(exchange(&tenant, &connection, request).await) }
    });
    let mut http = http1::Builder::new().serve_connection(TokioIo::new(stream), service);
    tokio::select! {
        // An error is a client that went away, or a body that was cut on purpose.
        _ = &mut http => {}
        () = connection.reset.notified() => {
            // Without lingering, dropping the socket resets the connection. If the option is refused, the
            // client sees the connection end without an answer, which is as good.
            let _ = http.into_parts().io.inner().set_zero_linger();
        }
    }
}
