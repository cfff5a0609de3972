//! The gate by itself: bytes in, bytes out.

use proptest::prelude::*;

use super::*;

const V3: Protocol = Protocol::V3;
const V5: Protocol = Protocol::V5;

const ACCEPTED_V3: &[u8] = &[0x20, 2, 0, 0];
const ACCEPTED_V5: &[u8] = &[0x20, 3, 0, 0, 0];

fn accepted(protocol: Protocol) -> &'static [u8] {
    if protocol == V5 { ACCEPTED_V5 } else { ACCEPTED_V3 }
}

/// What comes of `bytes` behind an accepted connection.
fn behind(protocol: Protocol, bytes: &[u8]) -> Result<Vec<u8>, Violation> {
    let mut gate = Gate::new(protocol, 30);
    gate.take(accepted(protocol), &mut Vec::new())?;
    let mut near = Vec::new();
    gate.take(bytes, &mut near).map(|()| near)
}

fn publish(protocol: Protocol, first: u8, topic: &[u8], payload: &[u8]) -> Vec<u8> {
    let mut body = codes::counted(topic);
    body.extend((id_length(first) > 0).then_some([0, 7]).into_iter().flatten());
    body.extend((protocol == V5).then_some(0));
    body.extend_from_slice(payload);
    let mut whole = Vec::new();
    codes::packet(first, &body, &mut whole);
    whole
}

/// A packet of the gate's, as rumqttc reads it.
fn topic_and_payload(protocol: Protocol, bytes: &[u8]) -> (String, Vec<u8>) {
    let (length, at) = (number(&bytes[1..]), 1 + number(&bytes[1..]).length);
    assert_eq!(at + length.value, bytes.len(), "{bytes:x?}");
    let (topic, rest) = properties::string(&bytes[at..]).unwrap();
    let rest = &rest[id_length(bytes[0]) + usize::from(protocol == V5)..];
    (String::from_utf8(topic.to_vec()).unwrap(), rest.to_vec())
}

fn number(bytes: &[u8]) -> properties::Number {
    properties::number(bytes).unwrap().unwrap()
}

#[test]
fn what_is_sound_comes_through_as_it_is() {
    #[rustfmt::skip]
    let rows: [(Protocol, &[u8]); 14] = [
        (V3, &[0xd0, 0]),
        (V5, &[0xd0, 0]),
        (V3, &[0x40, 2, 0, 1]),
        (V5, &[0x40, 2, 0, 1]),
        (V5, &[0x40, 3, 0, 1, 0x10]),
        (V5, &[0x40, 4, 0, 1, 0x87, 0]),
        (V5, &[0x40, 9, 0, 1, 0x97, 5, 0x1f, 0, 2, b'n', b'o']),
        (V3, &[0x90, 5, 0, 1, 0, 1, 0x80]),
        (V5, &[0x90, 6, 0, 1, 0, 0, 1, 0x87]),
        (V5, &[0xb0, 4, 0, 1, 0, 0x11]),
        (V3, &[0xb0, 2, 0, 1]),
        (V5, &[0xe0, 2, 0x8b, 0]),
        (V3, &[0x31, 4, 0, 1, b'a', b'x']),
        (V5, &[0x33, 8, 0, 1, b'a', 0, 1, 2, 1, 1]),
    ];
    for (protocol, bytes) in rows {
        assert_eq!(behind(protocol, bytes).as_deref(), Ok(bytes), "{protocol:?} {bytes:x?}");
    }
}

#[test]
fn an_oversized_message_is_read_over_and_named() {
    for protocol in [V3, V5] {
        for first in [0x30, 0x31, 0x33] {
            let payload = vec![b'x'; 300_000];
            let large = publish(protocol, first, b"presence/camera/state", &payload);
            let bytes = [&large[..], &[0xd0, 0], &large, &[0xd0, 0]].concat();
            let near = behind(protocol, &bytes).unwrap();
            let small = &near[..near.len() / 2];
            assert_eq!(near, small.repeat(2));
            let (small, ping) = small.split_at(small.len() - 2);
            assert_eq!(ping, [0xd0, 0]);
            assert_eq!(small[0], first);
            let (topic, payload) = topic_and_payload(protocol, small);
            let body = large.len() - 4;
            let skipped = Skipped { topic: "presence/camera/state".to_owned(), bytes: body };
            assert_eq!(Skipped::from_message(&topic, &payload), Some(skipped));
        }
    }
}

#[test]
fn what_others_may_write_costs_nothing_but_itself() {
    #[rustfmt::skip]
    let rows = [
        (V3, publish(V3, 0x30, b"a\xff/state", b"x"), "a\u{fffd}/state"),
        (V3, publish(V3, 0x30, b"\0forged", b"1"), "forged"),
        (V5, publish(V5, 0x30, b"a\xff", b"x"), "a\u{fffd}"),
        (V5, publish(V5, 0x30, "\x1b[2J\u{9b}a".as_bytes(), b"x"), ""),
        // A response topic, a content type, and a user property that are no text.
        (V5, vec![0x30, 9, 0, 1, b'a', 5, 8, 0, 2, 0xff, 0xfe], "a"),
        (V5, vec![0x30, 8, 0, 1, b'a', 4, 3, 0, 1, 0xff], "a"),
        (V5, vec![0x30, 11, 0, 1, b'a', 7, 38, 0, 1, b'k', 0, 1, 0xff], "a"),
    ];
    for (protocol, bytes, named) in rows {
        let near = behind(protocol, &bytes).unwrap();
        let (topic, payload) = topic_and_payload(protocol, &near);
        if named.is_empty() {
            // Control characters are legal, if unwise; whoever shows them makes them legible.
            assert_eq!(near, bytes);
        } else {
            assert_eq!(Skipped::from_message(&topic, &payload).unwrap().topic, named);
        }
    }
}

#[test]
fn codes_that_rumqttc_does_not_know_are_refusals_with_a_number() {
    let said = |code: &str| [&[3 + 16, 0x1f, 0, 16], format!("reason code 0x{code}").as_bytes()].concat();
    #[rustfmt::skip]
    let rows: [(Protocol, &[u8], Vec<u8>); 9] = [
        (V5, &[0x40, 4, 0, 1, 0x95, 0], [&[0x40, 23, 0, 1, 0x80], &said("95")[..]].concat()),
        (V5, &[0x40, 3, 0, 1, 0xff], [&[0x40, 23, 0, 1, 0x80], &said("ff")[..]].concat()),
        (V5, &[0x40, 3, 0, 1, 0x11], vec![0x40, 2, 0, 1]),
        (V5, &[0x90, 5, 0, 1, 0, 1, 0x8c], [&[0x90, 24, 0, 1], &said("8c")[..], &[1, 0x80]].concat()),
        (V3, &[0x90, 4, 0, 1, 1, 0x87], vec![0x90, 4, 0, 1, 1, 0x80]),
        (V5, &[0xb0, 4, 0, 1, 0, 0x97], vec![0xb0, 4, 0, 1, 0, 0x80]),
        (V5, &[0xe0, 0], vec![0xe0, 2, 0, 0]),
        (V5, &[0xe0, 1, 0x8e], vec![0xe0, 2, 0x8e, 0]),
        (V5, &[0xe0, 1, 0xc0], [&[0xe0, 21, 0x80], &said("c0")[..]].concat()),
    ];
    for (protocol, bytes, expected) in rows {
        assert_eq!(behind(protocol, bytes), Ok(expected), "{protocol:?} {bytes:x?}");
    }
    assert_eq!(unknown_code(Some("reason code 0x95")), Some(0x95));
    assert_eq!(unknown_code(Some("reason code 0xé")), None);
    assert_eq!(unknown_code(Some("no")), None);
}

#[test]
fn the_shorter_keep_alive_counts() {
    for (asked, agreed) in [(0_u16, 30_u16), (5, 5), (30, 30), (300, 30)] {
        let with = |keep_alive: u16| {
            let [high, low] = keep_alive.to_be_bytes();
            [0x20, 9, 0, 0, 6, 0x21, 0, 2, 0x13, high, low]
        };
        let mut near = Vec::new();
        Gate::new(V5, 30).take(&with(asked), &mut near).unwrap();
        assert_eq!(near, with(agreed));
    }
}

#[test]
fn what_no_broker_may_send_ends_the_connection() {
    let alias = [0x30, 7, 0, 1, b'a', 3, 0x23, 0, 1];
    #[rustfmt::skip]
    let rows: [(Protocol, &[u8], Violation); 12] = [
        (V3, ACCEPTED_V3, Violation::SecondConnack),
        (V5, ACCEPTED_V5, Violation::SecondConnack),
        (V5, &alias, Violation::TopicAlias),
        (V3, &[0x30, 0xff, 0xff, 0xff, 0xff], Violation::Malformed),
        (V3, &[0x30, 1, 0], Violation::Malformed),
        (V5, &[0x30, 5, 0, 1, b'a', 9, 1], Violation::Malformed),
        (V5, &[0x30, 6, 0, 1, b'a', 2, 0x7f, 1], Violation::Malformed),
        (V5, &[0x90, 1, 0], Violation::Malformed),
        (V5, &[0x40, 0xff, 0xff, 0x7f], Violation::TooLarge),
        (V5, &[0xf0, 0], Violation::NotAskedFor),
        (V3, &[0x62, 2, 0, 1], Violation::NotAskedFor),
        (V3, &[0xc0, 0], Violation::NotAskedFor),
    ];
    for (protocol, bytes, expected) in rows {
        assert_eq!(behind(protocol, bytes), Err(expected), "{protocol:?} {bytes:x?}");
    }
}

#[test]
fn a_port_that_is_no_brokers_is_told_by_its_first_byte() {
    #[rustfmt::skip]
    let rows: [(&[u8], Violation); 5] = [
        (&[0x15, 3, 1, 0, 2, 2, 70], Violation::SpeaksTls),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n", Violation::NoBroker),
        (b"SSH-2.0-OpenSSH_9.2p1\r\n", Violation::NoBroker),
        (&[0x40, 2, 0, 1], Violation::NoBroker),
        (&[0x20, 3, 0, 0xee, 0], Violation::Refused(0xee)),
    ];
    for (bytes, expected) in rows {
        assert_eq!(Gate::new(V5, 30).take(bytes, &mut Vec::new()), Err(expected), "{bytes:x?}");
    }
}

/// What rumqttc makes of it; that it does not panic is the point.
fn read_by_rumqttc(protocol: Protocol, near: &[u8]) {
    let mut stream = near.into();
    match protocol {
        V3 => while rumqttc::mqttbytes::v4::Packet::read(&mut stream, LARGEST).is_ok() {},
        V5 => while rumqttc::v5::mqttbytes::v5::Packet::read(&mut stream, Some(LARGEST as u32)).is_ok() {},
    }
}

fn anything() -> impl Strategy<Value = Vec<u8>> {
    let byte =
        || prop_oneof![any::<u8>(), prop::sample::select(vec![0_u8, 1, 2, 3, 8, 19, 31, 35, 38, 0x80, 0x95])];
    let packet = (
        prop::sample::select(vec![0x20_u8, 0x30, 0x31, 0x32, 0x40, 0x90, 0xb0, 0xd0, 0xe0]),
        prop::collection::vec(byte(), 0..40),
    )
        .prop_map(|(first, body)| {
            let mut whole = Vec::new();
            codes::packet(first, &body, &mut whole);
            whole
        });
    let large =
        (prop::sample::select(vec![0x30_u8, 0x32]), LARGEST + 1..LARGEST + 9).prop_map(|(first, length)| {
            let mut whole = Vec::new();
            codes::packet(first, &vec![1; length], &mut whole);
            whole
        });
    let piece = prop_oneof![8 => packet, 1 => large, 1 => prop::collection::vec(byte(), 0..6)];
    prop::collection::vec(piece, 0..8).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn however_it_is_cut_it_is_the_same(bytes in anything(), is_5 in any::<bool>(), cut in 1_usize..5000) {
        let protocol = if is_5 { V5 } else { V3 };
        let bytes = [accepted(protocol), &bytes].concat();
        let (mut whole, mut pieces) = (Vec::new(), Vec::new());
        let (mut gate, mut same) = (Gate::new(protocol, 30), Gate::new(protocol, 30));
        let verdict = gate.take(&bytes, &mut whole);
        let by_piece = bytes.chunks(cut).try_for_each(|piece| same.take(piece, &mut pieces));
        prop_assert_eq!(verdict, by_piece);
        prop_assert!(whole == pieces);
        prop_assert!(same.packet.capacity() <= 2 * LARGEST);
        read_by_rumqttc(protocol, &whole);
    }
}
