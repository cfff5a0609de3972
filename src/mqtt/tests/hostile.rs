//! What brokers do that rumqttc cannot take, and what people do to it who may write a single topic.

use super::*;
use crate::mqtt::gate::Skipped;
use crate::mqtt::wire::Answer;

/// A PUBLISH of this many bytes of payload on a topic.
fn publish(protocol: Protocol, first: u8, topic: &str, payload: usize) -> Vec<u8> {
    let mut body = vec![0, topic.len() as u8];
    body.extend_from_slice(topic.as_bytes());
    if first & 0b110 != 0 {
        body.extend([0, 9]);
    }
    if protocol == Protocol::V5 {
        body.push(0);
    }
    body.resize(body.len() + payload, b'x');
    let length = body.len();
    let mut packet = vec![first];
    packet.extend([(length & 0x7f) as u8 | 0x80, (length >> 7 & 0x7f) as u8 | 0x80, (length >> 14) as u8]);
    packet.extend(body);
    packet
}

async fn open(broker: &Scripted, protocol: Protocol) -> (Session, End) {
    let mut session = Session::open(&broker.seen(), protocol).unwrap();
    let mut seen = VecDeque::new();
    let (event, end) = tokio::join!(next(&mut session, &mut seen), broker.accepted(protocol));
    assert!(matches!(event, SessionEvent::Connected), "{event:?}");
    (session, end)
}

#[tokio::test]
async fn a_message_that_is_too_large_costs_nothing_but_itself() {
    let broker = Scripted::start().await;
    for protocol in BOTH {
        let (mut session, mut end) = open(&broker, protocol).await;
        let mut seen = VecDeque::new();
        let large = publish(protocol, 0x33, "presence/x/state", 300_000);
        let small = publish(protocol, 0x31, "a", 3);
        let scripted = async {
            end.says(&large).await;
            end.says(&small).await;
            // Acknowledged, or the broker would wait for that.
            end.packet().await
        };
        let (skipped, acknowledged) = tokio::join!(next(&mut session, &mut seen), scripted);
        let bytes = large.len() - 4;
        let SessionEvent::Skipped(skipped) = skipped else { panic!("{skipped:?}") };
        assert_eq!(skipped, Skipped { topic: "presence/x/state".to_owned(), bytes });
        assert_eq!(acknowledged, (0x40, vec![0, 9]));
        let event = next(&mut session, &mut seen).await;
        assert!(matches!(&event, SessionEvent::Message(message) if message.topic == "a"), "{event:?}");
    }
}

#[tokio::test]
async fn any_code_refuses_that_message_or_filter_and_is_named() {
    let broker = Scripted::start().await;
    let (mut session, mut end) = open(&broker, Protocol::V5).await;
    let mut seen = VecDeque::new();
    #[rustfmt::skip]
    let rows = [
        (0x95, "a packet was too large for the broker; raise its limit (reason code 0x95)"),
        (0x8c, "the broker refuses it with reason code 0x8c"),
        (0x9b, "the broker does not accept this quality of service (reason code 0x9b)"),
        (0xff, "the broker refuses it with reason code 0xff"),
    ];
    for (code, says) in rows {
        session.ask(Request::Publish(message("a", "x".to_owned(), Qos::AtLeastOnce))).unwrap();
        let scripted = async {
            let (_, packet) = end.packet().await;
            end.says(&[0x40, 3, packet[3], packet[4], code]).await;
        };
        let (event, ()) = tokio::join!(next(&mut session, &mut seen), scripted);
        let SessionEvent::PublishRefused { why, .. } = event else { panic!("{event:?}") };
        assert_eq!(why, says);
        let event = next(&mut session, &mut seen).await;
        assert!(matches!(event, SessionEvent::Acknowledged { .. }), "{event:?}");
    }
    let filter = |name: &str| Subscription { filter: name.to_owned(), qos: Qos::AtLeastOnce };
    session.ask(Request::Subscribe(vec![filter("a"), filter("b")])).unwrap();
    let scripted = async {
        let (_, packet) = end.packet().await;
        end.says(&[0x90, 5, packet[0], packet[1], 0, 1, 0x8c]).await;
    };
    let (event, ()) = tokio::join!(next(&mut session, &mut seen), scripted);
    let SessionEvent::Subscribed(answers) = event else { panic!("{event:?}") };
    let why = "the broker refuses it with reason code 0x8c".to_owned();
    assert_eq!(answers, [Answer::Granted, Answer::Refused(Some(why))]);
}

#[tokio::test]
async fn the_first_ping_comes_within_the_shorter_keep_alive() {
    let broker = Scripted::start().await;
    // Server Keep Alive, section 3.2.2.3.14; ours is 5 s.
    for (asked, at_most) in [(300_u16, 5), (1, 1)] {
        let mut session = Session::open(&broker.seen(), Protocol::V5).unwrap();
        let mut seen = VecDeque::new();
        let mut end = broker.taken().await;
        let [high, low] = asked.to_be_bytes();
        end.says(&[0x20, 6, 0, 0, 3, 0x13, high, low]).await;
        let event = next(&mut session, &mut seen).await;
        assert!(matches!(event, SessionEvent::Connected), "{event:?}");
        let wait = Duration::from_millis(at_most * 1000 + 900);
        let (kind, _) = timeout(wait, end.packet()).await.expect("no ping in time");
        assert_eq!(kind, 0xc0, "PINGREQ");
    }
}

#[tokio::test]
async fn what_was_never_offered_ends_the_connection_and_says_so() {
    let broker = Scripted::start().await;
    let alias = [0x30, 7, 0, 1, b'a', 3, 0x23, 0, 1];
    #[rustfmt::skip]
    let rows: [(Protocol, &[u8], &str); 3] = [
        (Protocol::V5, &alias, "the broker uses topic aliases, which this client did not offer"),
        (Protocol::V5, ACCEPTED_V5, "the broker accepted the connection a second time"),
        (Protocol::V3, ACCEPTED_V3, "the broker accepted the connection a second time"),
    ];
    for (protocol, bytes, says) in rows {
        let (mut session, mut end_of_broker) = open(&broker, protocol).await;
        end_of_broker.says(bytes).await;
        assert_eq!(end(&mut session).await, LinkFailure::Refused(says.into()));
    }
}

#[tokio::test]
async fn a_port_that_speaks_something_else_is_named() {
    let broker = Scripted::start().await;
    #[rustfmt::skip]
    let rows: [(&[u8], &str); 2] = [
        (&[0x15, 3, 3, 0, 2, 2, 70], "this port uses TLS; write mqtts:// (or wss://) in mqtt.url"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "no MQTT broker answers there; check the host and port in mqtt.url"),
    ];
    for (bytes, says) in rows {
        for (protocol, failure) in [
            (Protocol::V3, LinkFailure::Refused(says.into())),
            (Protocol::V5, LinkFailure::NotUnderstood(says.into())),
        ] {
            let mut session = Session::open(&broker.seen(), protocol).unwrap();
            let scripted = async { broker.taken().await.says(bytes).await };
            assert_eq!(tokio::join!(end(&mut session), scripted).0, failure);
        }
    }
}
