//! What goes over an open connection, where the broker sets limits.

use super::*;
use crate::mqtt::address::Will;
use crate::mqtt::wire::Answer;

/// An MQTT 5 broker that accepts with these properties.
async fn limited(broker: &Scripted, properties: &[u8]) -> (Session, End, VecDeque<SessionEvent>) {
    let mut session = Session::open(&broker.seen(), Protocol::V5).unwrap();
    let mut seen = VecDeque::new();
    let length = properties.len() as u8;
    let accept = async {
        let mut end = broker.taken().await;
        end.says(&[&[0x20, 3 + length, 0, 0, length], properties].concat()).await;
        end
    };
    let (event, end) = tokio::join!(next(&mut session, &mut seen), accept);
    assert!(matches!(event, SessionEvent::Connected), "{event:?}");
    (session, end, seen)
}

/// The packet id of a PUBLISH at quality 1 on a topic of one letter, or of a SUBSCRIBE.
fn id(kind: u8, packet: &[u8]) -> [u8; 2] {
    let at = if kind == 0x82 { 0 } else { 3 };
    [packet[at], packet[at + 1]]
}

#[tokio::test]
async fn a_broker_that_refuses_everything_it_takes_two_at_a_time_stops_nothing() {
    const MESSAGES: usize = 30;
    let broker = Scripted::start().await;
    // Receive Maximum = 2, section 3.2.2.3.3.
    let (mut session, mut end, mut seen) = limited(&broker, &[0x21, 0, 2]).await;
    for n in 0..MESSAGES {
        if n % 5 == 1 {
            // Takes a packet id as well, between those of messages.
            let subscription = Subscription { filter: "x".to_owned(), qos: Qos::AtLeastOnce };
            session.ask(Request::Subscribe(vec![subscription])).unwrap();
        }
        session.ask(Request::Publish(message("a", n.to_string(), Qos::AtLeastOnce))).unwrap();
    }
    let refuse = async {
        let mut taken = 0;
        let mut payloads = Vec::new();
        while taken < MESSAGES {
            let (kind, packet) = end.packet().await;
            let [high, low] = id(kind, &packet);
            if kind == 0x82 {
                end.says(&[0x90, 4, high, low, 0, 0x87]).await;
            } else {
                taken += 1;
                payloads.push(String::from_utf8(packet[6..].to_vec()).unwrap());
                // Not authorized, and why.
                end.says(&[0x40, 9, high, low, 0x87, 5, 0x1f, 0, 2, b'n', b'o']).await;
            }
        }
        payloads
    };
    let listen = async {
        let (mut acknowledged, mut refused, mut subscribed) = (0, 0, 0);
        while acknowledged < MESSAGES {
            match next(&mut session, &mut seen).await {
                SessionEvent::Acknowledged { .. } => acknowledged += 1,
                SessionEvent::PublishRefused { topic, why } => {
                    assert_eq!(topic, "a");
                    assert_eq!(why, "not authorized; allow writing it in the broker's access list (\"no\")");
                    refused += 1;
                }
                SessionEvent::Subscribed(granted) => {
                    assert_eq!(granted, [Answer::Refused(Some("not authorized".to_owned()))]);
                    subscribed += 1;
                }
                other => panic!("{other:?}"),
            }
        }
        (refused, subscribed)
    };
    let (payloads, counted) = tokio::join!(refuse, listen);
    assert_eq!(counted, (MESSAGES, 6));
    let in_order: Vec<_> = (0..MESSAGES).map(|n| n.to_string()).collect();
    assert_eq!(payloads, in_order);
}

#[tokio::test]
async fn what_the_broker_finds_too_large_is_not_sent() {
    let broker = Scripted::start().await;
    // Maximum Packet Size = 100, section 3.2.2.3.6.
    let (mut session, mut end, mut seen) = limited(&broker, &[0x27, 0, 0, 0, 100]).await;
    session.ask(Request::Publish(message("a", "x".repeat(100), Qos::AtMostOnce))).unwrap();
    session.ask(Request::Publish(message("b", "small".to_owned(), Qos::AtMostOnce))).unwrap();
    let event = next(&mut session, &mut seen).await;
    let SessionEvent::PublishRefused { topic, why } = event else { panic!("{event:?}") };
    assert_eq!(topic, "a");
    assert_eq!(why, "its 100 bytes do not fit into a packet of 100 bytes; raise the broker's limit");
    for _ in 0..2 {
        let event = next(&mut session, &mut seen).await;
        assert!(matches!(event, SessionEvent::Acknowledged { .. }), "{event:?}");
    }
    let (_, packet) = end.packet().await;
    assert!(packet.ends_with(b"small"), "{packet:?}");
}

#[tokio::test]
async fn what_no_packet_may_be_does_not_cost_the_connection() {
    let broker = Scripted::start().await;
    for protocol in BOTH {
        let mut session = Session::open(&broker.seen(), protocol).unwrap();
        let mut seen = VecDeque::new();
        session.ask(Request::Publish(message("a", "x".repeat(300_000), Qos::AtLeastOnce))).unwrap();
        let (event, _end) = tokio::join!(next(&mut session, &mut seen), broker.accepted(protocol));
        assert!(matches!(event, SessionEvent::Connected), "{event:?}");
        let event = next(&mut session, &mut seen).await;
        assert!(matches!(event, SessionEvent::PublishRefused { .. }), "{event:?}");
    }
}

#[tokio::test]
async fn a_broker_without_acknowledgements_gets_messages_that_want_none() {
    let broker = Scripted::start().await;
    // Maximum QoS = 0, section 3.2.2.3.4.
    let (mut session, mut end, mut seen) = limited(&broker, &[0x24, 0]).await;
    session.ask(Request::Publish(message("a", "x".to_owned(), Qos::AtLeastOnce))).unwrap();
    let (event, (kind, _)) = tokio::join!(next(&mut session, &mut seen), end.packet());
    assert!(matches!(event, SessionEvent::Acknowledged { .. }), "{event:?}");
    assert_eq!(kind, 0x31, "PUBLISH, retained, quality 0");
}

#[tokio::test]
async fn a_broker_that_wants_no_proof_of_life_is_not_flooded_with_it() {
    let broker = Scripted::start().await;
    // Server Keep Alive = 0, section 3.2.2.3.14.
    let (mut session, mut end, mut seen) = limited(&broker, &[0x13, 0, 0]).await;
    let scripted = async {
        let (kind, _) = end.packet().await;
        assert_eq!(kind, 0xc0, "PINGREQ");
        // Not answered: were there a second one at once, the client would give up.
        end.says(&[0x30, 5, 0, 1, b'a', 0, b'x']).await;
    };
    let (event, ()) = tokio::join!(next(&mut session, &mut seen), scripted);
    assert!(matches!(&event, SessionEvent::Message(message) if message.topic == "a"), "{event:?}");
}

#[tokio::test]
async fn messages_carry_their_expiry() {
    let broker = Scripted::start().await;
    let (mut session, mut end, _seen) = limited(&broker, &[]).await;
    let expires = Some(Duration::from_secs(0x0102));
    let with_expiry = Message { expires, ..message("a", "x".to_owned(), Qos::AtMostOnce) };
    session.ask(Request::Publish(with_expiry)).unwrap();
    session.ask(Request::Publish(message("a", "y".to_owned(), Qos::AtMostOnce))).unwrap();
    // The properties' length, then the one of section 3.3.2.3.3.
    assert_eq!(end.packet().await.1, [0, 1, b'a', 5, 2, 0, 0, 1, 2, b'x']);
    assert_eq!(end.packet().await.1, [0, 1, b'a', 0, b'y']);
}

#[tokio::test]
async fn the_will_is_retained_and_never_expires() {
    let broker = Scripted::start().await;
    let will = Will { topic: "a".to_owned(), payload: "offline" };
    let address = Address::of_bridge(&mqtt(&broker.address().to_string()), will);
    for (protocol, expected) in [
        (Protocol::V3, &[0, 1, b'a', 0, 7, b'o', b'f', b'f', b'l', b'i', b'n', b'e'][..]),
        // Properties first: none.
        (Protocol::V5, &[0, 0, 1, b'a', 0, 7, b'o', b'f', b'f', b'l', b'i', b'n', b'e']),
    ] {
        let _session = Session::open(&address, protocol).unwrap();
        let mut end = End(within(broker.0.accept()).await.unwrap().0);
        let (_, packet) = end.packet().await;
        // After the client id, before the user name.
        let at = packet.windows(3).position(|three| three == b"qtt").unwrap() + 3;
        assert!(packet[at..].starts_with(expected), "{packet:x?}");
        // User name, password, will retained at quality 1, clean (section 3.1.2.3).
        assert_eq!(packet[7], 0b1110_1110, "{packet:x?}");
    }
}
