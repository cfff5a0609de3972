//! Which read is due when.
//!
//! A *round* is a read that comes again every interval; each keeps its own place in the interval, so that many
//! rounds are spread evenly. A *job* is one read: of a round, or wanted once (a part of a refused bulk read, a
//! person missing from an answer or just set).

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use crate::core::budget::Budget;
use crate::core::model::request::BULK_LIMIT;
use crate::core::model::time::Tick;

/// A person's place in the core's list.
pub(super) type Place = usize;

/// What a read is about, before names are filled in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Target {
    Me(Place),
    User(Place),
    Communications(Place),
    Bulk(Vec<Place>),
    Resolve(Place),
    /// The next page of the members of the group with this number.
    Members(usize),
}

/// Names a round for as long as it exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct RoundId(usize);

/// One read to be done now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Job {
    pub target: Target,
    pub round: Option<RoundId>,
    /// It is a repeat with a new token; a second refusal is final.
    pub retried: bool,
}

/// When a round comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Again {
    /// In its place of the next interval.
    Regular,
    /// After this wait.
    After(Duration),
}

#[derive(Debug)]
struct Round {
    target: Target,
    due: Option<Tick>,
    /// Jobs of this round under way beside one: a refused bulk read goes on in parts.
    parts: usize,
}

/// All reads there are to do.
#[derive(Debug)]
pub(super) struct Schedule {
    poll_interval: Duration,
    achieved: Duration,
    anchor: Tick,
    rounds: Vec<Option<Round>>,
    /// How many of them come again every interval.
    repeating: usize,
    due: BTreeSet<(Tick, RoundId)>,
    once: VecDeque<Job>,
    /// People missing from an answer: every other read may be about one of them, so that many of them do not
    /// hold up everybody else.
    missing: VecDeque<Place>,
    /// Those, and those of them who are being read.
    looked_for: BTreeSet<Place>,
    missing_next: bool,
}

impl Target {
    /// The people the read is about.
    pub(super) fn places(&self) -> &[Place] {
        match self {
            Self::Me(place) | Self::User(place) | Self::Communications(place) | Self::Resolve(place) => {
                std::slice::from_ref(place)
            }
            Self::Bulk(places) => places,
            Self::Members(_) => &[],
        }
    }

    /// Whether it is read every interval: names are resolved once, and groups read rarely.
    fn repeats(&self) -> bool {
        !matches!(self, Self::Resolve(_) | Self::Members(_))
    }
}

impl Schedule {
    pub(super) fn new(poll_interval: Duration, now: Tick) -> Self {
        Self {
            poll_interval,
            achieved: poll_interval,
            anchor: now,
            rounds: Vec::new(),
            repeating: 0,
            due: BTreeSet::new(),
            once: VecDeque::new(),
            missing: VecDeque::new(),
            looked_for: BTreeSet::new(),
            missing_next: false,
        }
    }

    /// A schedule of nothing yet that goes on in the same intervals.
    pub(super) fn emptied(&self) -> Self {
        Self { achieved: self.achieved, ..Self::new(self.poll_interval, self.anchor) }
    }

    /// The interval in which everybody is read once.
    pub(super) fn achieved(&self) -> Duration {
        self.achieved
    }

    /// Begins a round, due at once.
    pub(super) fn begin(&mut self, target: Target, now: Tick) {
        let id = RoundId(self.rounds.len());
        self.repeating += usize::from(target.repeats());
        self.rounds.push(Some(Round { target, due: Some(now), parts: 0 }));
        self.due.insert((now, id));
    }

    /// Puts a person into a bulk round with room, or begins one.
    pub(super) fn join_bulk(&mut self, place: Place, now: Tick) {
        let with_room = self.rounds.iter_mut().rev().flatten().find_map(|round| match &mut round.target {
            Target::Bulk(places) if places.len() < BULK_LIMIT => Some(places),
            Target::Bulk(_)
            | Target::Me(_)
            | Target::User(_)
            | Target::Communications(_)
            | Target::Resolve(_)
            | Target::Members(_) => None,
        });
        match with_room {
            Some(places) => {
                // Up to the limit and no further: there is one such list for every request.
                if places.len() == places.capacity() {
                    places.reserve_exact(places.len().min(BULK_LIMIT - places.len()));
                }
                places.push(place);
            }
            None => self.begin(Target::Bulk(vec![place]), now),
        }
    }

    /// Takes a person out of the bulk rounds; `true` if they were in one.
    pub(super) fn leave_bulk(&mut self, place: Place) -> bool {
        let mut left = false;
        for index in 0..self.rounds.len() {
            let Some(Round { target: Target::Bulk(places), .. }) = &mut self.rounds[index] else { continue };
            let before = places.len();
            places.retain(|&other| other != place);
            left |= places.len() < before;
            if places.is_empty() {
                self.end(RoundId(index));
            }
        }
        left
    }

    /// Ends a round for good.
    pub(super) fn end(&mut self, id: RoundId) {
        let Some(round) = self.rounds[id.0].take() else { return };
        self.repeating -= usize::from(round.target.repeats());
        if let Some(due) = round.due {
            self.due.remove(&(due, id));
        }
    }

    /// Goes on with a refused bulk read in two halves, at once. The round comes again when all its parts are done.
    pub(super) fn halve(&mut self, job: &Job) {
        let places = job.target.places();
        let (left, right) = places.split_at(places.len() / 2);
        for half in [left, right] {
            self.once.push_back(Job {
                target: Target::Bulk(half.to_vec()),
                round: job.round,
                retried: false,
            });
        }
        if let Some(round) = job.round.and_then(|id| self.rounds[id.0].as_mut()) {
            round.parts += 1;
        }
    }

    /// Adds a person who was missing from an answer, to be read alone.
    pub(super) fn missing(&mut self, place: Place) {
        if self.looked_for.insert(place) {
            self.missing.push_back(place);
        }
    }

    /// A person who was missing has been read alone.
    pub(super) fn looked_at(&mut self, place: Place) {
        self.looked_for.remove(&place);
    }

    /// Repeats a job at once, for the last time.
    pub(super) fn retry(&mut self, job: Job) {
        self.once.push_front(Job { retried: true, ..job });
    }

    /// Reads somebody alone at once, whatever their round.
    pub(super) fn look(&mut self, target: Target) {
        let job = Job { target, round: None, retried: false };
        if !self.once.contains(&job) {
            self.once.push_back(job);
        }
    }

    /// Makes every round due at once.
    pub(super) fn all_now(&mut self, now: Tick) {
        self.now_if(now, |_| true);
    }

    /// Makes the rounds about these due at once.
    pub(super) fn now_if(&mut self, now: Tick, about: impl Fn(&Target) -> bool) {
        for index in 0..self.rounds.len() {
            let id = RoundId(index);
            let waits = |round: &Round| round.due.is_some() && about(&round.target);
            if self.rounds[index].as_ref().is_some_and(waits) {
                self.set_due(id, now);
            }
        }
    }

    /// Lets rounds that are due wait for their places in the interval, if everybody in them may wait.
    pub(super) fn spread(&mut self, now: Tick, may_wait: impl Fn(Place) -> bool) {
        for index in 0..self.rounds.len() {
            let waits = self.rounds[index].as_ref().is_some_and(|round| {
                let places = round.target.places();
                !places.is_empty()
                    && round.due.is_some_and(|due| due <= now)
                    && places.iter().all(|&place| may_wait(place))
            });
            if waits {
                let id = RoundId(index);
                self.set_due(id, self.next_place(id, now));
            }
        }
    }

    /// When the earliest job is due.
    pub(super) fn next_due(&self) -> Option<Tick> {
        if self.once.is_empty() && self.missing.is_empty() {
            self.due.first().map(|&(due, _)| due)
        } else {
            Some(Tick::default())
        }
    }

    /// The earliest job, if one is due; a round is not due again until it is [`done`](Self::done).
    pub(super) fn take(&mut self, now: Tick) -> Option<Job> {
        if let Some(job) = self.once.pop_front() {
            return Some(job);
        }
        let due = self.due.first().copied().filter(|&(due, _)| due <= now);
        self.missing_next = !self.missing_next || due.is_none();
        if self.missing_next
            && let Some(place) = self.missing.pop_front()
        {
            return Some(Job { target: Target::User(place), round: None, retried: false });
        }
        let (due, id) = due?;
        self.due.remove(&(due, id));
        let round = self.rounds[id.0].as_mut()?;
        round.due = None;
        Some(Job { target: round.target.clone(), round: Some(id), retried: false })
    }

    /// A round's read, or one of its parts, is over.
    pub(super) fn done(&mut self, id: RoundId, now: Tick, again: Again) {
        let Some(round) = self.rounds[id.0].as_mut() else { return };
        if round.parts > 0 {
            round.parts -= 1;
            return;
        }
        let due = match again {
            Again::Regular => self.next_place(id, now),
            Again::After(wait) => now + wait,
        };
        self.set_due(id, due);
    }

    /// Fits the interval to the budget and returns whether it changed.
    pub(super) fn fit(&mut self, budget: &Budget) -> bool {
        let before = self.achieved;
        let needed = budget.time_for(self.repeating).as_millis();
        let needed = Duration::from_millis(u64::try_from(needed).unwrap_or(u64::MAX));
        self.achieved = self.poll_interval.max(needed);
        self.achieved != before
    }

    /// The first time after `now` that is the round's own place in an interval.
    fn next_place(&self, id: RoundId, now: Tick) -> Tick {
        let offset = self.achieved.mul_f64(id.0 as f64 / self.rounds.len().max(1) as f64);
        let passed = now.since(self.anchor + offset);
        let intervals =
            passed.as_nanos() / self.achieved.as_nanos().max(1) + u128::from(now >= self.anchor + offset);
        let intervals = u32::try_from(intervals).unwrap_or(u32::MAX);
        self.anchor + offset + self.achieved.saturating_mul(intervals)
    }

    fn set_due(&mut self, id: RoundId, due: Tick) {
        let Some(round) = self.rounds[id.0].as_mut() else { return };
        if let Some(before) = round.due.replace(due) {
            self.due.remove(&(before, id));
        }
        self.due.insert((due, id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(seconds: f64) -> Tick {
        Tick(Duration::from_secs_f64(seconds))
    }

    #[test]
    fn rounds_keep_their_places_in_the_interval() {
        let mut schedule = Schedule::new(Duration::from_secs(6), at(100.0));
        for place in 0..3 {
            schedule.begin(Target::User(place), at(100.0));
        }
        let mut reads = Vec::new();
        for _ in 0..9 {
            let now = schedule.next_due().unwrap();
            let job = schedule.take(now).unwrap();
            reads.push((now.0.as_secs(), job.target.places()[0]));
            schedule.done(job.round.unwrap(), now + Duration::from_millis(30), Again::Regular);
        }
        let first_then_spread =
            [(100, 0), (100, 1), (100, 2), (102, 1), (104, 2), (106, 0), (108, 1), (110, 2), (112, 0)];
        assert_eq!(reads, first_then_spread);
    }

    #[test]
    fn a_slow_read_skips_the_places_it_missed() {
        let mut schedule = Schedule::new(Duration::from_secs(5), at(0.0));
        schedule.begin(Target::Me(0), at(0.0));
        let job = schedule.take(at(0.0)).unwrap();
        assert_eq!(schedule.next_due(), None);
        schedule.done(job.round.unwrap(), at(12.0), Again::Regular);
        assert_eq!(schedule.next_due(), Some(at(15.0)));
        schedule.done(job.round.unwrap(), at(12.0), Again::After(Duration::from_secs(1)));
        assert_eq!(schedule.next_due(), Some(at(13.0)));
    }

    #[test]
    fn whoever_is_known_waits_for_their_place_when_all_get_others() {
        let mut before = Schedule::new(Duration::from_secs(6), at(100.0));
        before.begin(Target::User(0), at(100.0));
        let mut schedule = before.emptied();
        for place in 0..3 {
            schedule.begin(Target::User(place), at(107.0));
        }
        schedule.begin(Target::Members(0), at(107.0));
        schedule.spread(at(107.0), |place| place != 1);
        let times: Vec<(u64, usize)> = schedule.due.iter().map(|(due, id)| (due.0.as_secs(), id.0)).collect();
        assert_eq!(times, [(107, 1), (107, 3), (109, 2), (112, 0)]);
    }

    #[test]
    fn bulk_rounds_fill_and_empty() {
        let mut schedule = Schedule::new(Duration::from_secs(5), at(0.0));
        for place in 0..=BULK_LIMIT {
            schedule.join_bulk(place, at(0.0));
        }
        let sizes: Vec<usize> =
            std::iter::from_fn(|| schedule.take(at(0.0))).map(|job| job.target.places().len()).collect();
        assert_eq!(sizes, [BULK_LIMIT, 1]);
        schedule.leave_bulk(BULK_LIMIT);
        schedule.done(RoundId(0), at(1.0), Again::Regular);
        schedule.done(RoundId(1), at(1.0), Again::Regular);
        assert_eq!(schedule.next_due(), Some(at(5.0)));
        schedule.take(at(5.0)).unwrap();
        assert_eq!(schedule.next_due(), None, "the emptied round has ended");
    }

    #[test]
    fn the_interval_stretches_to_the_budget() {
        let budget = Budget::new(10);
        let mut schedule = Schedule::new(Duration::from_secs(5), at(0.0));
        schedule.begin(Target::User(0), at(0.0));
        assert!(!schedule.fit(&budget));
        for place in 1..10 {
            schedule.begin(Target::User(place), at(0.0));
        }
        assert!(schedule.fit(&budget));
        assert_eq!(schedule.achieved().as_secs(), 30);
    }
}
