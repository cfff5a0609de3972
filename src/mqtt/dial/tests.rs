//! Names with several addresses, on loopback addresses only.

use std::collections::VecDeque;
use std::net::IpAddr;
use std::sync::{Arc, Mutex};

use tokio::net::{TcpListener, TcpSocket};

use super::*;

fn scripted(answers: impl IntoIterator<Item = Vec<SocketAddr>>) -> Resolver {
    Resolver::Scripted(Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>())))
}

async fn listener(ip: impl Into<IpAddr>) -> (TcpListener, SocketAddr) {
    let listener = TcpListener::bind((ip.into(), 0)).await.unwrap();
    let address = listener.local_addr().unwrap();
    (listener, address)
}

/// An address at which nobody listens.
async fn refusing() -> SocketAddr {
    listener([127, 0, 0, 7]).await.1
}

/// A place that takes no more connections and refuses none, as long as what comes with it lives.
async fn hanging() -> (SocketAddr, Vec<TcpStream>, TcpListener) {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind("127.0.0.9:0".parse().unwrap()).unwrap();
    let listener = socket.listen(1).unwrap();
    let address = listener.local_addr().unwrap();
    let mut taken = Vec::new();
    // Full when a connection does not come about at once.
    while let Ok(stream) = timeout(Duration::from_millis(100), TcpStream::connect(address)).await {
        taken.push(stream.unwrap());
    }
    (address, taken, listener)
}

#[test]
fn families_take_turns_and_the_systems_first_choice_stays_first() {
    let address = |text: &str| text.parse::<SocketAddr>().unwrap();
    let [v6a, v6b, v6c, v4] = ["[::1]:1", "[::2]:1", "[::3]:1", "127.0.0.1:1"].map(address);
    assert_eq!(interleaved(vec![v6a, v6b, v6c, v4]), [v6a, v4, v6b, v6c]);
    assert_eq!(interleaved(vec![v4, v6a, v6b]), [v4, v6a, v6b]);
    assert_eq!(interleaved(Vec::new()), []);
}

#[tokio::test]
async fn an_address_that_refuses_does_not_hide_the_next() {
    let (_listener, good) = listener(Ipv4Addr::LOCALHOST).await;
    let resolver = scripted([vec![refusing().await, refusing().await, good]]);
    assert_eq!(dial(&resolver, "broker.example", 1883, 0).await.unwrap().peer_addr().unwrap(), good);
}

#[tokio::test]
async fn an_address_that_hangs_does_not_hide_the_next() {
    let (_listener, good) = listener(Ipv4Addr::LOCALHOST).await;
    let (dead, _taken, _full) = hanging().await;
    let resolver = scripted([vec![dead, good]]);
    let begun = std::time::Instant::now();
    assert_eq!(dial(&resolver, "broker.example", 1883, 0).await.unwrap().peer_addr().unwrap(), good);
    let took = begun.elapsed();
    assert!(took >= HEAD_START && took < LIMIT / 2, "{took:?}");
}

#[tokio::test]
async fn a_name_is_looked_up_anew_for_each_connection() {
    let (_first, one) = listener(Ipv4Addr::LOCALHOST).await;
    let (_second, other) = listener([127, 0, 0, 2]).await;
    let resolver = scripted([vec![one], vec![other]]);
    for expected in [one, other] {
        assert_eq!(dial(&resolver, "broker.example", 1883, 0).await.unwrap().peer_addr().unwrap(), expected);
    }
}

#[tokio::test]
async fn an_address_that_did_not_work_comes_last() {
    let (_first, one) = listener(Ipv4Addr::LOCALHOST).await;
    let (_second, other) = listener([127, 0, 0, 2]).await;
    for (turn, expected) in [(0, one), (1, other), (2, one)] {
        let resolver = scripted([vec![one, other]]);
        let stream = dial(&resolver, "broker.example", 1883, turn).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), expected, "turn {turn}");
    }
}

#[tokio::test]
async fn localhost_is_found_in_either_family() {
    for ip in [IpAddr::from(Ipv4Addr::LOCALHOST), IpAddr::from(Ipv6Addr::LOCALHOST)] {
        let (_listener, address) = listener(ip).await;
        let stream = dial(&Resolver::System, "localhost", address.port(), 0).await.unwrap();
        assert_eq!(stream.peer_addr().unwrap(), address);
        assert!(stream.nodelay().unwrap());
    }
}

#[tokio::test]
async fn each_failure_says_where_and_what_to_look_at() {
    let (dead, _taken, _full) = hanging().await;
    let refusing = refusing().await;
    #[rustfmt::skip]
    let rows = [
        (vec![refusing], "nothing listens at broker.example:1883 (connection refused)"),
        (vec![refusing, dead], "broker.example:1883 does not answer"),
        (vec![], "broker.example:1883 cannot be reached (the name has no address)"),
    ];
    for (addresses, says) in rows {
        let error = dial(&scripted([addresses]), "broker.example", 1883, 0).await.unwrap_err();
        assert_eq!(error.to_string(), says);
    }
    let port = refusing.port();
    let error = dial(&Resolver::System, "::1", port, 0).await.unwrap_err();
    assert!(error.to_string().contains(&format!("[::1]:{port}")), "{error}");
}
