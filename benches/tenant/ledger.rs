//! What the tenant under load remembers: requests, refusals, gaps, and when each change went out.

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Mutex;
use std::time::{Duration, Instant, SystemTime};

/// Graph's documented limit of requests in [`WINDOW`].
pub(crate) const LIMIT: usize = 1_500;

/// See [`LIMIT`].
pub(crate) const WINDOW: Duration = Duration::from_secs(30);

/// What was asked so far.
pub(crate) struct Ledger(Mutex<Book>);

struct Book {
    began: Instant,
    /// Requests of the last [`WINDOW`], refused ones included.
    window: VecDeque<Instant>,
    requests: usize,
    refused: usize,
    /// People read in each [`WINDOW`] since `began`.
    read: Vec<usize>,
    /// The place of the first person.
    first: usize,
    /// How often each person was read since `began`, and when last.
    last: Vec<(u32, Option<Instant>)>,
    longest_gap: Duration,
    /// Who changed, how often so far, and when the answer that says so had gone out: nanoseconds of the wall
    /// clock.
    changes: Vec<(usize, u32, u128)>,
}

impl Ledger {
    pub(crate) fn new(people: Range<usize>) -> Self {
        Self(Mutex::new(Book {
            began: Instant::now(),
            window: VecDeque::new(),
            requests: 0,
            refused: 0,
            read: Vec::new(),
            first: people.start,
            last: vec![(0, None); people.len()],
            longest_gap: Duration::ZERO,
            changes: Vec::new(),
        }))
    }

    /// Counts a request; `false` if there were too many.
    pub(crate) fn count(&self) -> bool {
        let mut book = self.book();
        let now = Instant::now();
        while book.window.front().is_some_and(|&asked| now - asked >= WINDOW) {
            book.window.pop_front();
        }
        book.requests += 1;
        book.window.push_back(now);
        let allowed = book.window.len() <= LIMIT;
        book.refused += usize::from(!allowed);
        allowed
    }

    /// An answer about these people has gone out, with these changes in it.
    pub(crate) fn answered(&self, people: &[usize], changes: &[(usize, u32)]) {
        let (now, wall) = (Instant::now(), wall());
        let mut book = self.book();
        let window = ((now - book.began).as_nanos() / WINDOW.as_nanos()) as usize;
        if book.read.len() <= window {
            book.read.resize(window + 1, 0);
        }
        book.read[window] += people.len();
        for &place in people {
            let inside = place - book.first;
            let (times, last) = &mut book.last[inside];
            *times += 1;
            if let Some(last) = last.replace(now) {
                book.longest_gap = book.longest_gap.max(now - last);
            }
        }
        book.changes.extend(changes.iter().map(|&(place, count)| (place, count, wall)));
    }

    /// Forgets everything that was counted, and begins its windows now.
    pub(crate) fn begin(&self) {
        let mut book = self.book();
        book.began = Instant::now();
        (book.requests, book.refused) = (0, 0);
        book.read.clear();
        book.last.fill((0, None));
        book.longest_gap = Duration::ZERO;
        book.changes.clear();
    }

    /// Everything that was counted, in lines of `name value`.
    pub(crate) fn text(&self) -> String {
        let book = self.book();
        let read: Vec<String> = book.read.iter().map(usize::to_string).collect();
        format!(
            "requests {}\nrefused {}\ncycles {}\nlongest_gap_ms {}\nread {}\n",
            book.requests,
            book.refused,
            // Whoever was read least.
            book.last.iter().map(|(times, _)| times).min().unwrap_or(&0),
            book.longest_gap.as_millis(),
            read.join(","),
        )
    }

    /// The changes that were told, in lines of `place count nanoseconds`, and forgets them.
    pub(crate) fn changes(&self) -> String {
        let changes = std::mem::take(&mut self.book().changes);
        changes.iter().map(|(place, count, at)| format!("{place} {count} {at}\n")).collect()
    }

    fn book(&self) -> std::sync::MutexGuard<'_, Book> {
        self.0.lock().unwrap()
    }
}

/// The wall clock, which all processes of this machine share, in nanoseconds.
pub(crate) fn wall() -> u128 {
    SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap().as_nanos()
}
