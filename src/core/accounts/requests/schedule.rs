//! Which read is due when.
//!
//! A *round* is a read that comes again every interval; each keeps its own place in the interval, so that
//! many rounds are spread evenly. Where they fill most of the budget its pace spreads them, and each comes
//! again an interval later: on the way to places of their own many would be read twice in one interval, and
//! hold up the others. A *job* is one read: of a round, or wanted once (a part of a refused bulk read, a
//! person missing from an answer or just set).

use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

use super::bisection::{Bisection, Refused};
use super::target::{Job, ReadTarget, RoundId, Target};
use crate::core::model::budget::Budget;
use crate::core::model::place::Place;
use crate::core::model::request::BULK_LIMIT;
use crate::core::model::time::Tick;

/// When a round comes again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::core) enum Again {
    /// In its place of the next interval.
    Regular,
    /// After this wait.
    After(Duration),
}

#[derive(Debug)]
struct Round {
    target: Target,
    due: Option<Tick>,
    /// When its last job was taken.
    taken: Tick,
    /// Jobs of this round under way beside one: a refused bulk read goes on in parts.
    parts: usize,
    /// Somebody joined it while a job of it was under way.
    has_newcomers: bool,
    /// Tells it from an earlier round in the same slot, whose job may still be under way.
    birth: u64,
    /// Graph refused it as a whole.
    bisection: Option<Bisection>,
}

/// All reads there are to do.
#[derive(Debug)]
pub(super) struct Schedule {
    poll_interval: Duration,
    achieved: Duration,
    /// Reading everybody once takes more than half of the interval at the budget's pace.
    is_tight: bool,
    anchor: Tick,
    /// A round's slot is its place in the interval.
    rounds: Vec<Option<Round>>,
    vacant: Vec<usize>,
    births: u64,
    /// How many of the rounds come again every interval.
    repeating: usize,
    due: BTreeSet<(Tick, RoundId)>,
    once: VecDeque<Job<Target>>,
    /// People missing from an answer: every other read may be about one of them, so that many of them do not
    /// hold up everybody else.
    missing: VecDeque<Place>,
    /// Those, and those of them who are being read.
    looked_for: BTreeSet<Place>,
    missing_next: bool,
}

impl Schedule {
    pub(super) fn new(poll_interval: Duration, now: Tick) -> Self {
        Self {
            poll_interval,
            achieved: poll_interval,
            is_tight: false,
            anchor: now,
            rounds: Vec::new(),
            vacant: Vec::new(),
            births: 0,
            repeating: 0,
            due: BTreeSet::new(),
            once: VecDeque::new(),
            missing: VecDeque::new(),
            looked_for: BTreeSet::new(),
            missing_next: false,
        }
    }

    /// Forgets all rounds and begins with another interval. Jobs under way are of none of the new rounds.
    pub(super) fn begin_anew(&mut self, poll_interval: Duration, now: Tick) {
        *self = Self { births: self.births, ..Self::new(poll_interval, now) };
    }

    /// The interval in which everybody is read once.
    pub(super) fn achieved(&self) -> Duration {
        self.achieved
    }

    /// Begins a round, due at `due`.
    pub(super) fn begin(&mut self, target: Target, due: Tick) {
        self.repeating += usize::from(target.repeats());
        self.births += 1;
        let birth = self.births;
        let round = Some(Round {
            target,
            due: Some(due),
            taken: due,
            parts: 0,
            has_newcomers: false,
            birth,
            bisection: None,
        });
        let slot = self.vacant.pop().unwrap_or(self.rounds.len());
        match self.rounds.get_mut(slot) {
            Some(there) => *there = round,
            None => self.rounds.push(round),
        }
        self.due.insert((due, RoundId { slot, birth }));
    }

    /// Puts a person into a bulk round with room, which is due at once then, or begins one.
    pub(super) fn join_bulk(&mut self, place: Place, now: Tick) {
        let with_room = self.rounds.iter_mut().enumerate().rev().find_map(|(slot, round)| {
            let round = round.as_mut()?;
            match &mut round.target {
                Target::Read(ReadTarget::Bulk(places)) if places.len() < BULK_LIMIT => {
                    // Up to the limit and no further: there is one such list for every request.
                    if places.len() == places.capacity() {
                        places.reserve_exact(places.len().min(BULK_LIMIT - places.len()));
                    }
                    places.push(place);
                    round.has_newcomers = round.due.is_none();
                    let is_late = round.due.is_some_and(|due| due > now);
                    Some(is_late.then_some(RoundId { slot, birth: round.birth }))
                }
                Target::Read(_) | Target::Resolve(_) | Target::Members(_) => None,
            }
        });
        match with_room {
            Some(late) => late.into_iter().for_each(|id| self.set_due(id, now)),
            None => self.begin(Target::Read(ReadTarget::Bulk(vec![place])), now),
        }
    }

    /// Takes a person out of the bulk rounds; `true` if they were in one.
    pub(super) fn leave_bulk(&mut self, place: Place) -> bool {
        let mut left = false;
        for slot in 0..self.rounds.len() {
            let Some(Round { target: Target::Read(ReadTarget::Bulk(places)), .. }) = &mut self.rounds[slot]
            else {
                continue;
            };
            let before = places.len();
            places.retain(|&other| other != place);
            left |= places.len() < before;
            if places.is_empty() {
                self.end_slot(slot);
            }
        }
        left
    }

    /// Forgets people who left, who are in order. Rounds about nobody else end.
    pub(super) fn forget(&mut self, gone: &[Place]) {
        let is_gone = |place: &Place| gone.binary_search(place).is_ok();
        for slot in 0..self.rounds.len() {
            if self.rounds[slot].as_mut().is_some_and(|round| round.target.forget(gone)) {
                self.end_slot(slot);
            }
        }
        // A part of a bulk read is counted by its round, also if nobody is left in it.
        self.once.retain_mut(|job| !job.target.forget(gone) || job.round.is_some());
        self.missing.retain(|place| !is_gone(place));
        self.looked_for.retain(|place| !is_gone(place));
    }

    /// Forgets all groups.
    pub(super) fn forget_groups(&mut self) {
        let is_group = |target: &Target| matches!(target, Target::Members(_));
        for slot in 0..self.rounds.len() {
            if self.rounds[slot].as_ref().is_some_and(|round| is_group(&round.target)) {
                self.end_slot(slot);
            }
        }
        self.once.retain(|job| !is_group(&job.target));
    }

    /// Ends a round for good.
    pub(super) fn end(&mut self, id: RoundId) {
        if self.round(id).is_some() {
            self.end_slot(id.slot);
        }
    }

    /// Graph refused a bulk read, or a part of one. `answered_at` is when it last told anybody's presence.
    pub(super) fn refused(
        &mut self,
        places: Vec<Place>,
        id: RoundId,
        answered_at: Option<Tick>,
        now: Tick,
    ) -> Refused {
        let Some(round) = self.round(id) else { return Refused::Hold };
        let is_first = round.bisection.is_none();
        let bisection = round.bisection.get_or_insert_with(|| Bisection::new(now));
        if bisection.is_whole() {
            let is_well = answered_at.is_some_and(|at| at > bisection.since);
            bisection.whole(places, is_first, is_well)
        } else {
            bisection.part(places)
        }
    }

    /// A bulk read, or a part of one, was answered. Returns the parts that are to go on in halves now.
    pub(super) fn taken(&mut self, id: RoundId) -> Vec<Vec<Place>> {
        let Some(round) = self.round(id) else { return Vec::new() };
        match &mut round.bisection {
            Some(bisection) if !bisection.is_whole() => bisection.taken(),
            Some(_) | None => {
                round.bisection = None;
                Vec::new()
            }
        }
    }

    /// A bulk read, or a part of one, ended without saying anything about its ids. Returns how many parts
    /// that were refused before end with it.
    pub(super) fn part_ended(&mut self, id: RoundId) -> usize {
        let bisection = self.round(id).and_then(|round| round.bisection.as_mut());
        bisection.filter(|bisection| !bisection.is_whole()).map_or(0, Bisection::ended)
    }

    /// Goes on with a part in two halves, at once. The round comes again when all its parts are done.
    pub(super) fn halve(&mut self, places: &[Place], id: RoundId) {
        let (left, right) = places.split_at(places.len() / 2);
        for half in [left, right] {
            let target = Target::Read(ReadTarget::Bulk(half.to_vec()));
            self.once.push_back(Job { target, round: Some(id), refusals: 0 });
        }
        if let Some(round) = self.round(id) {
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

    /// Repeats a job at once.
    pub(super) fn retry(&mut self, job: Job<Target>) {
        self.once.push_front(Job { refusals: job.refusals.saturating_add(1), ..job });
    }

    /// Reads somebody alone at once, whatever their round.
    pub(super) fn look(&mut self, target: ReadTarget) {
        let job = Job { target: Target::Read(target), round: None, refusals: 0 };
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
        for slot in 0..self.rounds.len() {
            if let Some(round) =
                self.rounds[slot].as_ref().filter(|round| round.due.is_some() && about(&round.target))
            {
                self.set_due(RoundId { slot, birth: round.birth }, now);
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
    pub(super) fn take(&mut self, now: Tick) -> Option<Job<Target>> {
        if let Some(job) = self.once.pop_front() {
            return Some(job);
        }
        let due = self.due.first().copied().filter(|&(due, _)| due <= now);
        self.missing_next = !self.missing_next || due.is_none();
        if self.missing_next
            && let Some(place) = self.missing.pop_front()
        {
            return Some(Job { target: Target::Read(ReadTarget::User(place)), round: None, refusals: 0 });
        }
        let (due, id) = due?;
        self.due.remove(&(due, id));
        let round = self.round(id)?;
        (round.due, round.taken) = (None, now);
        Some(Job { target: round.target.clone(), round: Some(id), refusals: 0 })
    }

    /// A round's read, or one of its parts, is over.
    pub(super) fn done(&mut self, id: RoundId, now: Tick, again: Again) {
        let Some(round) = self.round(id) else { return };
        if round.parts > 0 {
            round.parts -= 1;
            return;
        }
        let taken = round.taken;
        let has_newcomers = std::mem::take(&mut round.has_newcomers);
        let due = match again {
            Again::Regular if has_newcomers => now,
            Again::Regular if self.is_tight => now.max(taken + self.achieved),
            Again::Regular => self.next_place(id, now),
            Again::After(wait) => now + wait,
        };
        self.set_due(id, due);
    }

    /// What part of the budget reading in the interval that is wanted takes.
    pub(super) fn load(&self, budget: &Budget) -> f64 {
        budget.time_for(self.repeating).as_secs_f64() / self.poll_interval.as_secs_f64()
    }

    /// Fits the interval to the budget, of which others want this part, and returns whether it changed. Who
    /// shares one reads as much more seldom as all of them together want too much.
    pub(super) fn fit(&mut self, budget: &Budget, of_others: f64) -> bool {
        let before = self.achieved;
        let mut needed = budget.time_for(self.repeating);
        if of_others > 0.0 {
            needed += self.poll_interval.mul_f64(of_others);
        }
        let needed = Duration::from_millis(u64::try_from(needed.as_millis()).unwrap_or(u64::MAX));
        self.achieved = self.poll_interval.max(needed);
        self.is_tight = needed * 2 > self.poll_interval;
        self.achieved != before
    }

    /// The first time after `now` that is the round's own place in an interval.
    fn next_place(&self, id: RoundId, now: Tick) -> Tick {
        let offset = self.achieved.mul_f64(id.slot as f64 / self.rounds.len().max(1) as f64);
        let passed = now.since(self.anchor + offset);
        let intervals =
            passed.as_nanos() / self.achieved.as_nanos().max(1) + u128::from(now >= self.anchor + offset);
        let intervals = u32::try_from(intervals).unwrap_or(u32::MAX);
        self.anchor + offset + self.achieved.saturating_mul(intervals)
    }

    fn set_due(&mut self, id: RoundId, due: Tick) {
        let Some(round) = self.round(id) else { return };
        if let Some(before) = round.due.replace(due) {
            self.due.remove(&(before, id));
        }
        self.due.insert((due, id));
    }

    fn end_slot(&mut self, slot: usize) {
        let Some(round) = self.rounds.get_mut(slot).and_then(Option::take) else { return };
        self.repeating -= usize::from(round.target.repeats());
        if let Some(due) = round.due {
            self.due.remove(&(due, RoundId { slot, birth: round.birth }));
        }
        self.vacant.push(slot);
    }

    fn round(&mut self, id: RoundId) -> Option<&mut Round> {
        self.rounds.get_mut(id.slot)?.as_mut().filter(|round| round.birth == id.birth)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn user(number: usize) -> Target {
        Target::Read(ReadTarget::User(Place::new(number)))
    }

    fn number(job: &Job<Target>) -> usize {
        job.target.places()[0].number()
    }

    fn at(seconds: f64) -> Tick {
        Tick(Duration::from_secs_f64(seconds))
    }

    #[test]
    fn rounds_keep_their_places_in_the_interval() {
        let mut schedule = Schedule::new(Duration::from_secs(6), at(100.0));
        for place in 0..3 {
            schedule.begin(user(place), at(100.0));
        }
        let mut reads = Vec::new();
        for _ in 0..9 {
            let now = schedule.next_due().unwrap();
            let job = schedule.take(now).unwrap();
            reads.push((now.0.as_secs(), number(&job)));
            schedule.done(job.round.unwrap(), now + Duration::from_millis(30), Again::Regular);
        }
        let first_then_spread =
            [(100, 0), (100, 1), (100, 2), (102, 1), (104, 2), (106, 0), (108, 1), (110, 2), (112, 0)];
        assert_eq!(reads, first_then_spread);
    }

    #[test]
    fn a_slow_read_skips_the_places_it_missed() {
        let mut schedule = Schedule::new(Duration::from_secs(5), at(0.0));
        schedule.begin(Target::Read(ReadTarget::Me(Place::new(0))), at(0.0));
        let job = schedule.take(at(0.0)).unwrap();
        assert_eq!(schedule.next_due(), None);
        schedule.done(job.round.unwrap(), at(12.0), Again::Regular);
        assert_eq!(schedule.next_due(), Some(at(15.0)));
        schedule.done(job.round.unwrap(), at(12.0), Again::After(Duration::from_secs(1)));
        assert_eq!(schedule.next_due(), Some(at(13.0)));
    }

    #[test]
    fn who_leaves_touches_no_round_of_anybody_else() {
        let mut schedule = Schedule::new(Duration::from_secs(6), at(100.0));
        for number in 0..3 {
            schedule.begin(user(number), at(100.0));
        }
        let jobs: Vec<_> = std::iter::from_fn(|| schedule.take(at(100.0))).collect();
        schedule.forget(&[Place::new(1)]);
        schedule.begin(user(7), at(101.0));
        for job in jobs {
            schedule.done(job.round.unwrap(), at(101.0), Again::Regular);
        }
        let times: Vec<(u64, usize)> =
            schedule.due.iter().map(|(due, id)| (due.0.as_secs(), id.slot)).collect();
        assert_eq!(
            times,
            [(101, 1), (104, 2), (106, 0)],
            "the newcomer took the slot, and not the end of the old job"
        );
    }

    #[test]
    fn bulk_rounds_fill_and_empty() {
        let mut schedule = Schedule::new(Duration::from_secs(5), at(0.0));
        for place in 0..=BULK_LIMIT {
            schedule.join_bulk(Place::new(place), at(0.0));
        }
        let jobs: Vec<_> = std::iter::from_fn(|| schedule.take(at(0.0))).collect();
        let sizes: Vec<usize> = jobs.iter().map(|job| job.target.places().len()).collect();
        assert_eq!(sizes, [BULK_LIMIT, 1]);
        schedule.leave_bulk(Place::new(BULK_LIMIT));
        for job in jobs {
            schedule.done(job.round.unwrap(), at(1.0), Again::Regular);
        }
        assert_eq!(schedule.next_due(), Some(at(5.0)));
        schedule.take(at(5.0)).unwrap();
        assert_eq!(schedule.next_due(), None, "the emptied round has ended");
    }

    #[test]
    fn whoever_joins_others_is_read_at_once() {
        let mut schedule = Schedule::new(Duration::from_secs(5), at(0.0));
        schedule.join_bulk(Place::new(0), at(0.0));
        let job = schedule.take(at(0.0)).unwrap();
        schedule.join_bulk(Place::new(1), at(0.1));
        assert_eq!(schedule.next_due(), None, "they are being read");
        schedule.done(job.round.unwrap(), at(0.2), Again::Regular);
        assert_eq!(schedule.next_due(), Some(at(0.2)));
        let job = schedule.take(at(0.2)).unwrap();
        schedule.done(job.round.unwrap(), at(0.3), Again::Regular);
        assert_eq!(schedule.next_due(), Some(at(5.0)));
        schedule.join_bulk(Place::new(2), at(1.0));
        assert_eq!(schedule.take(at(1.0)).unwrap().target.places().len(), 3);
    }

    #[test]
    fn the_interval_stretches_to_the_budget() {
        let budget = Budget::new(10);
        let mut schedule = Schedule::new(Duration::from_secs(5), at(0.0));
        schedule.begin(user(0), at(0.0));
        assert!(!schedule.fit(&budget, 0.0));
        for place in 1..10 {
            schedule.begin(user(place), at(0.0));
        }
        assert!(schedule.fit(&budget, 0.0));
        assert_eq!(schedule.achieved().as_secs(), 30);
    }

    #[test]
    fn near_the_budget_everybody_is_read_once_in_an_interval() {
        let mut budget = Budget::new(1500);
        let mut schedule = Schedule::new(Duration::from_secs(10), at(0.0));
        (0..462).for_each(|number| schedule.begin(user(number), at(57.0)));
        assert!(!schedule.fit(&budget, 0.0));
        let mut reads: Vec<Vec<Tick>> = vec![Vec::new(); 462];
        let mut now = at(57.0);
        while now < at(157.0) {
            now = budget.ready_at(now.max(schedule.next_due().unwrap()));
            let job = schedule.take(now).unwrap();
            budget.spend(now);
            reads[number(&job)].push(now);
            schedule.done(job.round.unwrap(), now + Duration::from_millis(60), Again::Regular);
        }
        let between =
            |from, to| reads.iter().flatten().filter(|read| (at(from)..at(to)).contains(read)).count();
        for from in [57.0, 67.0, 97.0, 127.0] {
            assert!(between(from, from + 30.0) <= 1400, "{} from {from}", between(from, from + 30.0));
        }
        let longest = reads.iter().flat_map(|reads| reads.windows(2)).map(|two| two[1].since(two[0])).max();
        assert!(longest.unwrap() < Duration::from_millis(10_100), "{longest:?}");
    }
}
