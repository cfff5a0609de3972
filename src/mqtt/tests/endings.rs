//! How a connection ends that was open.

use tokio::sync::mpsc;

use super::*;
use crate::core::model::effect::{BrokerOrder, ConnectAs};
use crate::core::model::event::Event;
use crate::mqtt::publisher;

async fn open(broker: &Scripted, protocol: Protocol) -> (Session, End) {
    let mut session = Session::open(&broker.seen(), protocol).unwrap();
    let mut seen = VecDeque::new();
    let (event, end) = tokio::join!(next(&mut session, &mut seen), broker.accepted(protocol));
    assert!(matches!(event, SessionEvent::Connected), "{event:?}");
    (session, end)
}

#[tokio::test]
async fn a_broker_that_hangs_up_without_a_word_leaves_a_suspicion() {
    let broker = Scripted::start().await;
    for protocol in BOTH {
        let (mut session, end_of_broker) = open(&broker, protocol).await;
        drop(end_of_broker);
        assert_eq!(end(&mut session).await, LinkFailure::Closed, "{protocol:?}");

        // What it has not read makes the system send a reset.
        let (mut session, mut end_of_broker) = open(&broker, protocol).await;
        session.ask(Request::Publish(message("a", "x".repeat(10_000), Qos::AtLeastOnce))).unwrap();
        assert_ne!(end_of_broker.0.read_u8().await.unwrap(), 0);
        drop(end_of_broker);
        assert_eq!(end(&mut session).await, LinkFailure::Closed, "{protocol:?}");
    }
}

#[tokio::test]
async fn a_reason_is_said_where_it_can_be_read() {
    let broker = Scripted::start().await;
    let says = |text: &[u8]| {
        [&[0xe0, (5 + text.len()) as u8, 0x98, (3 + text.len()) as u8, 0x1f, 0, text.len() as u8], text]
            .concat()
    };
    #[rustfmt::skip]
    let rows: [(&[u8], LinkFailure); 5] = [
        (&[0xe0, 2, 0x8e, 0], LinkFailure::TakenOver),
        (&[0xe0, 2, 0x8b, 0], LinkFailure::Lost("the broker is shutting down".into())),
        (&says(b"Maintenance\n"), LinkFailure::Refused(r#"an administrator closed the connection at the broker ("Maintenance\n")"#.into())),
        // A reason without the length of properties (Mosquitto), and none at all (section 3.14.2).
        (&[0xe0, 1, 0x8e], LinkFailure::TakenOver),
        (&[0xe0, 0], LinkFailure::Closed),
    ];
    for (goodbye, expected) in rows {
        let (mut session, mut end_of_broker) = open(&broker, Protocol::V5).await;
        end_of_broker.says(goodbye).await;
        drop(end_of_broker);
        assert_eq!(end(&mut session).await, expected, "{goodbye:x?}");
    }
}

/// Otherwise the broker publishes the will, behind the `offline` that was meant.
#[tokio::test]
async fn a_goodbye_arrives_whatever_the_broker_says_meanwhile() {
    let broker = Scripted::start().await;
    for protocol in [BOTH; 20].concat() {
        let (mut session, mut end_of_broker) = open(&broker, protocol).await;
        let message: &[u8] = match protocol {
            Protocol::V3 => &[0x30, 4, 0, 1, b'a', b'x'],
            Protocol::V5 => &[0x30, 5, 0, 1, b'a', 0, b'x'],
        };
        session.ask(Request::Disconnect).unwrap();
        let broker_ends = async {
            end_of_broker.says(&message.repeat(50)).await;
            let (kind, _) = end_of_broker.packet().await;
            drop(end_of_broker);
            kind
        };
        let (_, kind) = tokio::join!(end(&mut session), broker_ends);
        assert_eq!(kind, 0xe0, "DISCONNECT, {protocol:?}");
    }
}

#[tokio::test]
async fn a_broker_that_takes_no_more_data_is_noticed() {
    const MESSAGES: usize = 200;
    let broker = Scripted::start().await;
    let (mut session, _end_of_broker) = open(&broker, Protocol::V5).await;
    // Twice the keep-alive and five seconds, in earnest; rumqttc alone would wait for ever.
    assert_eq!(session.silence, Duration::from_secs(15));
    session.silence = Duration::from_secs(1);
    for _ in 0..MESSAGES {
        session.ask(Request::Publish(message("a", "x".repeat(250_000), Qos::AtMostOnce))).unwrap();
    }
    let (mut seen, mut written) = (VecDeque::new(), 0);
    let failure = loop {
        match next(&mut session, &mut seen).await {
            SessionEvent::Acknowledged { .. } => written += 1,
            SessionEvent::Closed(failure) => break failure,
            other => panic!("{other:?}"),
        }
    };
    assert_eq!(failure, LinkFailure::Lost("the broker is silent".into()));
    assert!(written < MESSAGES, "it took everything");
    within(session.cut()).await;
}

#[tokio::test]
async fn a_broker_that_no_longer_answers_is_noticed() {
    let frozen = async |protocol| {
        let broker = Scripted::start().await;
        let (mut session, _end_of_broker) = open(&broker, protocol).await;
        end(&mut session).await
    };
    let (v3, v5) = tokio::join!(frozen(Protocol::V3), frozen(Protocol::V5));
    for failure in [v3, v5] {
        assert_eq!(failure, LinkFailure::Lost("the broker no longer answers".into()));
    }
}

#[tokio::test]
async fn a_goodbye_reaches_the_broker() {
    let broker = Scripted::start().await;
    for (protocol, goodbye) in [(Protocol::V3, [0xe0, 0]), (Protocol::V5, [0xe0, 0])] {
        let (mut session, mut end_of_broker) = open(&broker, protocol).await;
        session.ask(Request::Disconnect).unwrap();
        let broker_hears = async {
            let heard = end_of_broker.hung_up().await;
            drop(end_of_broker);
            heard
        };
        let (failure, heard) = tokio::join!(end(&mut session), broker_hears);
        assert_eq!(failure, LinkFailure::Lost("closed as asked".into()));
        assert_eq!(heard, goodbye, "{protocol:?}");
        // Nobody connects again (rumqttc would).
        assert!(timeout(Duration::from_millis(50), broker.0.accept()).await.is_err());
    }
}

#[tokio::test]
async fn a_new_connection_takes_the_place_of_the_old_which_is_reported_no_more() {
    let broker = Scripted::start().await;
    // So much as the core gives and takes at once.
    let (orders, taken) = mpsc::channel(8);
    let (reports, mut reported) = mpsc::channel(8);
    let publisher = tokio::spawn(publisher::run(broker.seen(), taken, reports));
    let mut report = async || within(reported.recv()).await.unwrap();

    orders.send(BrokerOrder::Connect(ConnectAs::Holder, Protocol::V5)).await.unwrap();
    let mut first = broker.accepted(Protocol::V5).await;
    assert!(matches!(report().await, Event::Connected));
    orders.send(BrokerOrder::Connect(ConnectAs::Holder, Protocol::V3)).await.unwrap();
    // Cut before the next one begins, and without a goodbye.
    assert_eq!(first.hung_up().await, b"");
    let _second = broker.accepted(Protocol::V3).await;
    assert!(matches!(report().await, Event::Connected));
    orders.send(BrokerOrder::Disconnect).await.unwrap();
    assert!(matches!(report().await, Event::Disconnected(LinkFailure::Lost(_))));
    drop(orders);
    within(publisher).await.unwrap();
    assert!(within(reported.recv()).await.is_none());
}
