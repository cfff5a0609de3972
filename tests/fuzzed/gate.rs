//! What a broker sends, through the gate: rumqttc gets whole packets of a size that it takes, and nothing
//! that it was not offered.

use presence2mqtt::core::model::mqtt::Protocol;
use presence2mqtt::mqtt::gate::{Gate, LARGEST};

/// The first byte of `input` chooses the version of MQTT and where the rest is cut; the rest is what the
/// broker sends.
pub(super) fn check(input: &[u8]) {
    let Some((&choice, sent)) = input.split_first() else { return };
    let protocol = if choice & 1 == 0 { Protocol::V3 } else { Protocol::V5 };
    let (mut whole, mut near) = (Vec::new(), Vec::new());
    let verdict = Gate::new(protocol, 30).take(sent, &mut whole);
    let mut gate = Gate::new(protocol, 30);
    let cut = usize::from(choice / 2) + 1;
    let by_piece = sent.chunks(cut).try_for_each(|piece| gate.take(piece, &mut near));
    assert_eq!(verdict, by_piece, "it matters where the bytes are cut");
    assert!(whole == near, "it matters where the bytes are cut");
    // What takes the place of something small says a little more than it.
    assert!(near.len() <= 12 * sent.len() + 64, "{} bytes became {}", sent.len(), near.len());
    let mut is_first = true;
    let mut rest = &near[..];
    while let Some((&first, behind)) = rest.split_first() {
        assert_eq!(first >> 4 == 2, is_first, "a connection is accepted once, and first");
        is_first = false;
        let (length, digits) = length(behind).expect("a packet has a length");
        assert!(length <= LARGEST, "{length} bytes");
        let packet = behind.get(digits..digits + length).expect("only whole packets come through");
        if first >> 4 == 3 {
            text(packet);
        }
        rest = &behind[digits + length..];
    }
}

/// MQTT 5 section 1.5.5.
fn length(bytes: &[u8]) -> Option<(usize, usize)> {
    let digits = bytes.iter().take(4).position(|byte| byte & 0x80 == 0)? + 1;
    let value = bytes[..digits].iter().rev().fold(0, |value, byte| value << 7 | usize::from(byte & 0x7f));
    Some((value, digits))
}

/// The topic of a message is text, and none that is marked but by the gate, with a number for a payload.
fn text(packet: &[u8]) {
    let length = usize::from(u16::from_be_bytes([packet[0], packet[1]]));
    let topic = std::str::from_utf8(&packet[2..2 + length]).expect("a topic is text");
    if let Some(topic) = topic.strip_prefix('\0') {
        assert!(!topic.contains(char::is_control), "{topic:?}");
        assert!(packet.last().is_some_and(u8::is_ascii_digit));
    }
}
