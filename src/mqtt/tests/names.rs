//! Where a connection goes, and what may be said of it.

use super::*;

async fn connects(address: &Address, broker: &Scripted, protocol: Protocol) {
    let mut session = Session::open(address, protocol).unwrap();
    let mut seen = VecDeque::new();
    let (event, _end) = tokio::join!(next(&mut session, &mut seen), broker.accepted(protocol));
    assert!(matches!(event, SessionEvent::Connected), "{event:?}");
    session.cut().await;
}

#[tokio::test]
async fn a_name_with_a_dead_address_and_a_new_one_each_time() {
    let (one, other) = (Scripted::start().await, Scripted::start().await);
    let refusing = TcpListener::bind("127.0.0.7:0").await.unwrap().local_addr().unwrap();
    for protocol in BOTH {
        let answers = [vec![refusing, one.address()], vec![refusing, other.address()]];
        let address = Address::of_command(&mqtt("broker.example"), "test").resolved_by(resolver(answers));
        connects(&address, &one, protocol).await;
        connects(&address, &other, protocol).await;
    }
}

#[tokio::test]
async fn localhost_in_either_family() {
    for ip in ["127.0.0.1:0", "[::1]:0"] {
        let broker = Scripted(TcpListener::bind(ip).await.unwrap());
        let address = Address::of_command(&mqtt(&format!("localhost:{}", broker.address().port())), "test");
        connects(&address, &broker, Protocol::V3).await;
        connects(&broker.seen(), &broker, Protocol::V5).await;
    }
}

#[tokio::test]
async fn a_broker_that_cannot_be_reached_is_away_in_either_version() {
    let refusing = TcpListener::bind("127.0.0.7:0").await.unwrap().local_addr().unwrap();
    for protocol in BOTH {
        let address = Address::of_command(&mqtt(&refusing.to_string()), "test");
        let failure = end(&mut Session::open(&address, protocol).unwrap()).await;
        let says = format!("nothing listens at {refusing} (connection refused)");
        assert_eq!(failure, LinkFailure::Lost(says.into()));
    }
}

#[tokio::test]
async fn nobody_else_gets_through_the_line() {
    let broker = Scripted::start().await;
    let (line, _watch) = crate::mqtt::line::Line::bind().unwrap();
    let (port, key) = (line.port(), line.key().to_owned());
    let target = broker.seen().access().unwrap().target;
    let running = tokio::spawn(line.run(Resolver::System, target, Protocol::V3, 5));
    let asks = async |authorization: &str| {
        let mut near = TcpStream::connect(("127.0.0.1", port)).await.unwrap();
        let request = format!("CONNECT elsewhere.example:25 HTTP/1.1\r\n{authorization}\r\n");
        near.write_all(request.as_bytes()).await.unwrap();
        let mut first = [0; 12];
        // A refusal is an end, polite or not.
        within(near.read(&mut first))
            .await
            .map_or(String::new(), |n| String::from_utf8_lossy(&first[..n]).into_owned())
    };
    assert_eq!(asks("").await, "");
    assert_eq!(asks("Proxy-Authorization: Basic Zm9vOmJhcg==\r\n").await, "");
    use base64::Engine;
    let credentials = base64::engine::general_purpose::STANDARD.encode(format!("presence2mqtt:{key}"));
    assert_eq!(asks(&format!("Proxy-Authorization: Basic {credentials}\r\n")).await, "HTTP/1.1 200");
    // To the broker, whatever was asked for; and the line ends with its connection.
    drop(within(broker.0.accept()).await.unwrap());
    within(running).await.unwrap();
}

#[test]
fn nothing_that_is_shown_holds_the_password() {
    let address = Address::of_bridge(
        &mqtt("127.0.0.1:1"),
        crate::mqtt::address::Will { topic: "a".to_owned(), payload: "offline" },
    );
    let shown = format!("{address:?} {:?}", address.access().unwrap());
    assert!(shown.contains("bob"), "{shown}");
    assert!(!shown.contains("s3cr3t-marker"), "{shown}");
}
