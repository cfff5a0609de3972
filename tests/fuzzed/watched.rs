//! What `watch` makes of messages: whoever may publish must not move the cursor of whoever watches, nor fill
//! the memory.

use std::collections::BTreeMap;

use presence2mqtt::core::model::foreign::is_obeyed;
use presence2mqtt::view::frame::{Around, Layout, frame};
use presence2mqtt::view::picture::Picture;

use super::retained::messages;

/// `input` is messages as for `retained`.
pub(super) fn check(input: &[u8]) {
    let mut picture = Picture::new(&"presence".parse().unwrap(), &"bridge".parse().unwrap());
    for message in messages(input) {
        for news in picture.take(&message) {
            harmless(&news);
        }
    }
    let mut layout = Layout::default();
    let (names, now) = (BTreeMap::new(), "2026-11-23T09:26:30Z".parse().unwrap());
    for (width, height) in [(None, None), (Some(1), Some(1)), (Some(40), Some(7)), (Some(200), Some(50))] {
        let around = Around { names: &names, lost: None, now, width, height, first: 3, turns: true };
        for line in frame(&picture, &around, &mut layout) {
            harmless(&line.render(width, false));
        }
    }
    assert!(picture.news(&picture).is_empty(), "nothing is new to itself");
}

fn harmless(line: &str) {
    assert!(!line.chars().any(is_obeyed), "{line:?}");
}
