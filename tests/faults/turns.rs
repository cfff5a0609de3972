//! Who held the place, and when: seen from the broker, where whoever holds it answers pings.

use std::time::{Duration, Instant};

use serde_json::Value;

use crate::observer::{Note, Noted};

/// How often a holder says by itself that it lives. Two may seem to hold the place for as long as that, and
/// nobody.
pub(crate) const PING: Duration = Duration::from_secs(2);

/// Somebody who holds the place says so.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) at: Instant,
    pub(crate) instance: String,
    pub(crate) process: String,
}

/// A time in which one process held the place.
#[derive(Debug)]
struct Turn {
    process: String,
    from: Instant,
    until: Instant,
}

/// The word of a holder, if it is one.
pub(crate) fn word(note: &Note) -> Option<Word> {
    let Noted::Heard { topic, payload, retained: false } = &note.what else { return None };
    let pong: Value =
        serde_json::from_str(payload).ok().filter(|_| topic == "presence/bridge/standby/pong")?;
    let member = |name: &str| pong[name].as_str().map(str::to_owned);
    Some(Word { at: note.at, instance: member("instance")?, process: member("process")? })
}

/// The longest that two held the place together, and when that began.
pub(crate) fn together(words: &[Word]) -> Option<(Duration, Instant)> {
    let mut turns: Vec<Turn> = Vec::new();
    for Word { at, process, .. } in words {
        let mut own = turns.iter_mut().rev().filter(|turn| turn.process == *process);
        match own.next().filter(|turn| *at <= turn.until + PING) {
            Some(turn) => turn.until = *at,
            None => turns.push(Turn { process: process.clone(), from: *at, until: *at }),
        }
    }
    let pairs =
        turns.iter().enumerate().flat_map(|(n, one)| turns[n + 1..].iter().map(move |two| (one, two)));
    let shared = pairs.filter(|(one, two)| one.process != two.process).map(|(one, two)| {
        let from = one.from.max(two.from);
        (one.until.min(two.until).saturating_duration_since(from), from)
    });
    shared.max_by_key(|(long, _)| *long)
}

/// Whose turn it was in this time, one after another. Two that claim the place within a moment take it one
/// after the other: that is one turn, of the second one. Who `held` it before had a turn of its own.
pub(crate) fn turns<'w>(words: &'w [Word], from: Instant, until: Instant, held: &str) -> Vec<&'w str> {
    let mut turns: Vec<(&str, Instant)> = Vec::new();
    for Word { at, process, .. } in words.iter().filter(|word| (from..until).contains(&word.at)) {
        match turns.last() {
            Some((same, _)) if same == process => continue,
            Some((before, since)) if (turns.len() > 1 || *before != held) && *at < *since + PING => {
                turns.truncate(turns.len() - 1);
            }
            Some(_) | None => {}
        }
        turns.push((process.as_str(), *at));
    }
    let mut processes: Vec<&str> = turns.into_iter().map(|(process, _)| process).collect();
    processes.dedup();
    processes
}

/// The longest that nobody held the place between the first word in this time and its end.
pub(crate) fn alone(words: &[Word], from: Instant, until: Instant) -> Duration {
    let within = words.iter().map(|word| word.at).filter(|at| (from..until).contains(at));
    let ats: Vec<Instant> = std::iter::once(from).chain(within).chain([until]).collect();
    ats.windows(2).map(|pair| pair[1] - pair[0]).max().unwrap_or_default()
}

#[test]
fn two_hold_the_place_together_while_both_say_so() {
    let start = Instant::now();
    let at = |millis| start + Duration::from_millis(millis);
    let word = |process: &str, millis| Word {
        at: at(millis),
        instance: "any".to_owned(),
        process: process.to_owned(),
    };
    let long = |words: &[Word]| together(words).map_or(0, |(long, _)| long.as_millis());
    assert_eq!(long(&[word("a", 0), word("a", 1_000), word("b", 1_500), word("b", 3_000)]), 0);
    assert_eq!(long(&[word("a", 0), word("b", 1_000), word("a", 1_900), word("b", 2_500)]), 900);
    // One that comes back later took its turn again.
    assert_eq!(long(&[word("a", 0), word("b", 1_000), word("b", 2_500), word("a", 2_600)]), 0);
    let one_after_another = [word("a", 0), word("b", 1_000), word("c", 1_100), word("b", 4_000)];
    assert_eq!(turns(&one_after_another, at(0), at(5_000), "a"), ["a", "c", "b"]);
    assert_eq!(turns(&one_after_another[1..], at(0), at(5_000), "a"), ["c", "b"]);
    let words = [word("a", 500), word("b", 4_000)];
    assert_eq!(alone(&words, at(0), at(5_000)).as_millis(), 3_500);
}
