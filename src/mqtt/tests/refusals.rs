//! How a connection does not come about.

use super::*;
use crate::mqtt::one_shot::OneShot;

#[derive(Debug, PartialEq)]
enum Kind {
    Lost,
    Refused,
    NotUnderstood,
}

fn kind(failure: &LinkFailure) -> Kind {
    match failure {
        LinkFailure::Lost(_) | LinkFailure::NotLetIn => Kind::Lost,
        LinkFailure::Refused(_) => Kind::Refused,
        LinkFailure::NotUnderstood(_) => Kind::NotUnderstood,
        LinkFailure::Closed | LinkFailure::TakenOver => panic!("was never open"),
    }
}

/// What comes of this answer to CONNECT, after which the broker hangs up.
async fn answered(protocol: Protocol, answer: &[u8]) -> LinkFailure {
    let broker = Scripted::start().await;
    let mut session = Session::open(&broker.seen(), protocol).unwrap();
    let scripted = async {
        broker.taken().await.says(answer).await;
    };
    let (failure, ()) = tokio::join!(end(&mut session), scripted);
    session.cut().await;
    failure
}

#[tokio::test]
async fn a_broker_that_knows_only_3_1_1_is_told_from_one_that_is_away() {
    #[rustfmt::skip]
    let rows: [(&str, Protocol, &[u8], Kind); 7] = [
        ("hangs up on 5", Protocol::V5, &[], Kind::NotUnderstood),
        ("refuses 5 in 3.1.1", Protocol::V5, &[0x20, 2, 0, 1], Kind::NotUnderstood),
        ("refuses 5 in 5", Protocol::V5, &[0x20, 3, 0, 0x84, 0], Kind::NotUnderstood),
        ("is no broker", Protocol::V5, b"HTTP/1.1 400 Bad Request\r\n\r\n", Kind::NotUnderstood),
        ("takes nothing at all", Protocol::V5, &[0x20, 6, 0, 0, 3, 0x21, 0, 0], Kind::NotUnderstood),
        ("hangs up on 3.1.1", Protocol::V3, &[], Kind::Lost),
        ("refuses 3.1.1", Protocol::V3, &[0x20, 2, 0, 1], Kind::Refused),
    ];
    for (what, protocol, answer, expected) in rows {
        let failure = answered(protocol, answer).await;
        assert_eq!(kind(&failure), expected, "{what}: {failure}");
    }
}

#[tokio::test]
async fn a_broker_that_says_nothing_may_be_waiting_for_the_rest_of_a_packet_it_does_not_know() {
    let silent = async |protocol| {
        let broker = Scripted::start().await;
        let mut session = Session::open(&broker.seen(), protocol).unwrap();
        let _taken = broker.taken().await;
        end(&mut session).await
    };
    let (v3, v5) = tokio::join!(silent(Protocol::V3), silent(Protocol::V5));
    assert_eq!(v3, LinkFailure::Lost("no answer in time".into()));
    assert_eq!(v5, LinkFailure::NotUnderstood("the broker does not answer to MQTT 5".into()));
}

#[tokio::test]
async fn each_reason_says_what_to_do() {
    #[rustfmt::skip]
    let rows = [
        (0x80, Kind::Refused, "its log may"),
        (0x82, Kind::NotUnderstood, "does not understand"),
        (0x85, Kind::Refused, "mqtt.client_id"),
        (0x86, Kind::Refused, "mqtt.username and mqtt.password_file"),
        (0x87, Kind::Refused, "access list"),
        (0x88, Kind::Lost, "not available now"),
        (0x89, Kind::Lost, "busy"),
        (0x8a, Kind::Refused, "banned"),
        (0x90, Kind::Refused, "mqtt.base_topic"),
        (0x95, Kind::Refused, "too large"),
        (0x97, Kind::Refused, "quota"),
        (0x9a, Kind::Refused, "keeps no retained messages"),
        (0x9b, Kind::Refused, "quality of service 1"),
        (0x9c, Kind::Refused, "mqtt.url"),
        (0x9f, Kind::Refused, "too often"),
    ];
    for (code, expected, says) in rows {
        let failure = answered(Protocol::V5, &[0x20, 3, 0, code, 0]).await;
        assert_eq!(kind(&failure), expected, "{code:#x}: {failure}");
        assert!(failure.to_string().contains(says), "{code:#x}: {failure}");
    }
}

#[tokio::test]
async fn a_broker_that_keeps_nothing_is_refused_at_once() {
    // Retain Available = 0, section 3.2.2.3.5.
    let failure = answered(Protocol::V5, &[0x20, 5, 0, 0, 2, 0x25, 0]).await;
    assert_eq!(kind(&failure), Kind::Refused);
    assert!(failure.to_string().contains("keeps no retained messages"), "{failure}");
}

#[tokio::test]
async fn a_command_falls_back_by_itself() {
    let broker = Scripted::start().await;
    let mut mqtt = mqtt(&broker.address().to_string());
    mqtt.settings.protocol = Protocol::V5;
    let address = Address::of_command(&mqtt, "test");
    let level = async || {
        let mut end = End(within(broker.0.accept()).await.unwrap().0);
        let (_, packet) = end.packet().await;
        // The protocol's level, section 3.1.2.2.
        (end, packet[6])
    };
    let scripted = async {
        let (first, asked_first) = level().await;
        drop(first);
        let (mut second, asked_then) = level().await;
        second.says(ACCEPTED_V3).await;
        assert_eq!([asked_first, asked_then], [5, 4]);
        second
    };
    let (connected, end) = tokio::join!(OneShot::connect(&address), scripted);
    let connected = connected.unwrap_or_else(|error| panic!("{error}"));
    drop(end);
    connected.close().await;
}
