//! `presence2mqtt healthcheck`

use std::io::{self, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::exit::{self, Failure};

/// For the whole check. Docker gives up after 30 s, Kubernetes after 1 s unless it is told otherwise.
const PATIENCE: Duration = Duration::from_secs(3);

/// Bytes of an answer that are read; the first line is all that matters.
const ENOUGH: u64 = 1024;

/// Asks `/healthz` of the bridge that listens there.
pub(super) async fn run(listen: Option<SocketAddr>, out: &mut impl Write) -> Result<(), Failure> {
    let Some(listen) = listen else {
        return Err(Failure::new(
            exit::CONFIG,
            "the bridge has no address to ask: set http.listen, such as \"127.0.0.1:9642\"",
        ));
    };
    if listen.port() == 0 {
        return Err(Failure::new(
            exit::CONFIG,
            "http.listen must name a port for this; with 0 it is not known",
        ));
    }
    let address = reachable(listen);
    let silent = || io::Error::new(io::ErrorKind::TimedOut, "no answer");
    let line = timeout(PATIENCE, ask(address)).await.unwrap_or_else(|_| Err(silent()));
    match line.map_err(|error| error.to_string()) {
        Ok(line) if line.split(' ').nth(1) == Some("200") => Ok(writeln!(out, "ok")?),
        Ok(why) | Err(why) => {
            Err(Failure::new(exit::UNREACHABLE, format!("no healthy bridge answered at {address}: {why}")))
        }
    }
}

/// The first line of the answer.
async fn ask(address: SocketAddr) -> io::Result<String> {
    let mut stream = TcpStream::connect(address).await?;
    stream.write_all(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n").await?;
    let mut answer = Vec::new();
    stream.take(ENOUGH).read_to_end(&mut answer).await?;
    Ok(String::from_utf8_lossy(&answer).lines().next().unwrap_or_default().to_owned())
}

/// Where somebody on this machine reaches whoever listens on an address.
fn reachable(listen: SocketAddr) -> SocketAddr {
    let ip = match listen.ip() {
        IpAddr::V4(Ipv4Addr::UNSPECIFIED) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(Ipv6Addr::UNSPECIFIED) => Ipv6Addr::LOCALHOST.into(),
        ip @ (IpAddr::V4(_) | IpAddr::V6(_)) => ip,
    };
    SocketAddr::new(ip, listen.port())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whoever_listens_everywhere_is_asked_on_loopback() {
        for (listen, expected) in [
            ("0.0.0.0:9642", "127.0.0.1:9642"),
            ("[::]:9642", "[::1]:9642"),
            ("127.0.0.1:1", "127.0.0.1:1"),
            ("192.0.2.1:80", "192.0.2.1:80"),
        ] {
            assert_eq!(reachable(listen.parse().unwrap()), expected.parse().unwrap(), "{listen}");
        }
    }
}
