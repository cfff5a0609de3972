//! Where a connection goes, and what may be said of it.

use tokio::net::UnixStream;

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

/// Tells a copy of the next test, in another process, where the socket is.
const SOCKET: &str = "PRESENCE2MQTT_TEST_SOCKET";

#[tokio::test]
async fn nobody_else_gets_through_the_line() {
    if let Ok(name) = std::env::var(SOCKET) {
        let path = name.strip_prefix('@').map_or(name.clone(), |name| format!("\0{name}"));
        let mut near = UnixStream::connect(path).await.unwrap();
        assert_eq!(within(near.read(&mut [0])).await.unwrap(), 0);
        return;
    }
    let broker = Scripted::start().await;
    let (line, _watch) = crate::mqtt::line::Line::bind().unwrap();
    let name = line.path();
    let target = broker.seen().access().unwrap().target;
    let running = tokio::spawn(line.run(Resolver::System, target, Protocol::V3, 5));
    let another = tokio::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "mqtt::tests::names::nobody_else_gets_through_the_line"])
        .env(SOCKET, name.replace('\0', "@"))
        .output();
    let another = within(another).await.unwrap();
    let printed = String::from_utf8_lossy(&another.stdout);
    assert!(another.status.success() && printed.contains("1 passed"), "{printed}");
    let mut near = UnixStream::connect(name).await.unwrap();
    near.write_all(b"hello").await.unwrap();
    // The line ends with the broker's connection.
    let (mut end, mut heard) = (within(broker.0.accept()).await.unwrap().0, [0; 5]);
    within(end.read_exact(&mut heard)).await.unwrap();
    assert_eq!(&heard, b"hello");
    drop(end);
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
