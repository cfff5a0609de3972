//! Connects to the broker: looks up its name for each connection, and uses the first IP address that answers.
//!
//! A name often has an IPv4 and an IPv6 address, and one of the two routes may drop packets without an error.
//! So the attempts overlap, as in "Happy Eyeballs" (RFC 8305): each begins a quarter of a second after the
//! one before, or immediately when that one fails.

use std::io::{self, ErrorKind};
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

/// The time from the name to a connection.
pub(super) const LIMIT: Duration = Duration::from_secs(5);

/// The head start of each attempt before the next one (RFC 8305 section 8, `Connection Attempt Delay`).
const HEAD_START: Duration = Duration::from_millis(250);

/// How to look up the addresses of a name.
#[derive(Debug, Clone)]
pub(super) enum Resolver {
    /// Asks the system, which reads files and asks servers. An IP address needs no lookup.
    System,
    /// Returns a test's answers, one for each connection.
    #[cfg(test)]
    Scripted(std::sync::Arc<std::sync::Mutex<std::collections::VecDeque<Vec<SocketAddr>>>>),
}

/// Why the broker's host or port cannot be reached.
#[derive(Debug, thiserror::Error)]
pub(super) enum DialError {
    #[error("the name {host} cannot be looked up ({source}); check mqtt.url and this machine's DNS")]
    Lookup { host: String, source: io::Error },
    #[error("nothing listens at {0} (connection refused)")]
    NothingListens(String),
    #[error("{0} does not answer")]
    Silent(String),
    #[error("{place} cannot be reached ({source})")]
    Unreachable { place: String, source: io::Error },
}

impl Resolver {
    async fn addresses(&self, host: &str, port: u16) -> io::Result<Vec<SocketAddr>> {
        match self {
            // Both loopback addresses, whatever the system's files contain (RFC 6761 section 6.3).
            Self::System if host.eq_ignore_ascii_case("localhost") => {
                Ok(vec![(Ipv6Addr::LOCALHOST, port).into(), (Ipv4Addr::LOCALHOST, port).into()])
            }
            Self::System => Ok(tokio::net::lookup_host((host, port)).await?.collect()),
            #[cfg(test)]
            Self::Scripted(answers) => Ok(answers.lock().unwrap().pop_front().unwrap_or_default()),
        }
    }
}

/// Connects to any IP address of the host. The first `turn` of them, in a circle, are tried last.
///
/// # Errors
///
/// If there is no address, none accepts the connection, or the time is over.
pub(super) async fn dial(
    resolver: &Resolver,
    host: &str,
    port: u16,
    turn: usize,
) -> Result<TcpStream, DialError> {
    let place = if host.contains(':') { format!("[{host}]:{port}") } else { format!("{host}:{port}") };
    let reach = async {
        let lookup = |source| DialError::Lookup { host: host.to_owned(), source };
        let addresses = resolver.addresses(host, port).await.map_err(lookup)?;
        let stream = race(interleaved(addresses), turn).await.map_err(|source| failure(&place, source))?;
        // Sends small messages immediately. Without this option they arrive later, but arrive.
        let _refused = stream.set_nodelay(true);
        Ok(stream)
    };
    timeout(LIMIT, reach).await.unwrap_or_else(|_| Err(DialError::Silent(place.clone())))
}

fn failure(place: &str, source: io::Error) -> DialError {
    let place = place.to_owned();
    if source.kind() == ErrorKind::ConnectionRefused {
        DialError::NothingListens(place)
    } else if source.kind() == ErrorKind::TimedOut {
        DialError::Silent(place)
    } else {
        DialError::Unreachable { place, source }
    }
}

/// The first of the overlapping attempts that succeeds; the others are cancelled.
async fn race(mut addresses: Vec<SocketAddr>, turn: usize) -> io::Result<TcpStream> {
    let first = turn % addresses.len().max(1);
    addresses.rotate_left(first);
    let mut waiting = addresses.into_iter();
    let mut attempts = JoinSet::new();
    let mut failure = io::Error::new(ErrorKind::AddrNotAvailable, "the name has no address");
    loop {
        if let Some(address) = waiting.next() {
            attempts.spawn(TcpStream::connect(address));
        }
        tokio::select! {
            ended = attempts.join_next() => match ended {
                Some(Ok(Ok(stream))) => return Ok(stream),
                // A refused connection is the most useful error: the machine is there.
                Some(Ok(Err(error))) if failure.kind() != ErrorKind::ConnectionRefused => failure = error,
                Some(Ok(Err(_)) | Err(_)) => {}
                None => return Err(failure),
            },
            () = sleep(HEAD_START), if waiting.len() > 0 => {}
        }
    }
}

/// Alternates between the families, beginning with the one that the system prefers (RFC 8305 section 4).
fn interleaved(addresses: Vec<SocketAddr>) -> Vec<SocketAddr> {
    let Some(first) = addresses.first().map(SocketAddr::is_ipv6) else { return addresses };
    let (preferred, other): (Vec<_>, Vec<_>) =
        addresses.into_iter().partition(|address| address.is_ipv6() == first);
    let mut other = other.into_iter();
    let mut interleaved = Vec::new();
    for address in preferred {
        interleaved.push(address);
        interleaved.extend(other.next());
    }
    interleaved.extend(other);
    interleaved
}

#[cfg(test)]
mod tests;
