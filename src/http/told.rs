//! What visitors are told about what they did: a sentence that stands on the page for a while, for those who
//! know its number.
//!
//! The address of the page holds only the number, so no link can make the page say something.

use std::collections::VecDeque;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use crate::core::model::act::Acted;

/// How long it stands.
const STANDS: Duration = Duration::from_secs(60);

/// Sentences at once. One more takes the place of the oldest.
const SENTENCES: usize = 32;

/// The sentences that stand.
#[derive(Debug, Default)]
pub(super) struct Told(Mutex<VecDeque<Sentence>>);

#[derive(Debug, Clone)]
struct Sentence {
    number: String,
    until: Instant,
    is_good: bool,
    text: String,
}

impl Told {
    /// Keeps a sentence, and returns its number.
    pub(super) fn keep(&self, acted: Acted, now: Instant) -> String {
        let (is_good, text) = match acted {
            Ok(text) => (true, text.to_owned()),
            Err(why) => (false, why.to_string()),
        };
        let number = uuid::Uuid::new_v4().simple().to_string();
        let mut told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        told.retain(|sentence| sentence.until > now);
        if told.len() >= SENTENCES {
            told.pop_front();
        }
        told.push_back(Sentence { number: number.clone(), until: now + STANDS, is_good, text });
        number
    }

    /// The sentence of this number, if it still stands, and whether it is good news.
    pub(super) fn get(&self, number: &str, now: Instant) -> Option<(bool, String)> {
        let told = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let sentence = told.iter().find(|sentence| sentence.number == number && sentence.until > now)?;
        Some((sentence.is_good, sentence.text.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sentence_stands_for_a_minute_for_those_who_know_its_number() {
        let (told, now) = (Told::default(), Instant::now());
        let number = told.keep(Err("no".into()), now);
        assert_eq!(told.get(&number, now + STANDS / 2), Some((false, "no".to_owned())));
        assert_eq!(told.get(&number, now + STANDS), None);
        assert_eq!(told.get("no", now), None);
        for _ in 0..SENTENCES {
            told.keep(Ok("yes"), now);
        }
        assert_eq!(told.get(&number, now), None, "there is no end of visitors");
        assert_eq!(told.0.lock().unwrap().len(), SENTENCES);
    }
}
