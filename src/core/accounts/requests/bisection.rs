//! A bulk request that Graph refuses as a whole: is one of its ids bad, or is the service unwell?
//!
//! One bad id refuses all of them, and is found by halving. A service that is unwell refuses every part
//! alike: then nothing is learned by halving further, and it would be a storm. So a refused part is halved
//! only when another part was taken, or somebody was read since.

use crate::core::model::place::Place;
use crate::core::model::time::Tick;

/// What is known about a round that was refused.
#[derive(Debug)]
pub(super) struct Bisection {
    /// When it was refused first.
    pub(super) since: Tick,
    /// Another part of it was taken: the ids differ.
    differs: bool,
    /// Refused parts that wait for that.
    held: Vec<Vec<Place>>,
    /// Parts that are under way.
    outstanding: usize,
}

/// What to do with a refused part.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Refused {
    /// Go on with these, each in two halves.
    Halve(Vec<Vec<Place>>),
    /// Wait for the other part.
    Hold,
    /// Both parts were refused alike: so many of them end here, and these people are in the first.
    Alike(usize, Vec<Place>),
}

impl Bisection {
    pub(super) fn new(since: Tick) -> Self {
        Self { since, differs: false, held: Vec::new(), outstanding: 0 }
    }

    /// Whether no part is under way, so that what ends is the whole.
    pub(super) fn is_whole(&self) -> bool {
        self.outstanding == 0
    }

    /// The whole was refused, again perhaps; `is_well` says that somebody was read since the first time.
    pub(super) fn whole(&mut self, places: Vec<Place>, is_first: bool, is_well: bool) -> Refused {
        self.differs |= is_well;
        if !is_first && !self.differs {
            return Refused::Alike(1, Vec::new());
        }
        self.held = vec![places];
        self.halve_held()
    }

    /// A part was refused.
    pub(super) fn part(&mut self, places: Vec<Place>) -> Refused {
        self.outstanding = self.outstanding.saturating_sub(1);
        self.held.push(places);
        if self.differs {
            return self.halve_held();
        }
        if self.outstanding > 0 {
            return Refused::Hold;
        }
        let held = std::mem::take(&mut self.held);
        Refused::Alike(held.len(), held.into_iter().next().unwrap_or_default())
    }

    /// A part was taken. The refused ones are to be halved now.
    pub(super) fn taken(&mut self) -> Vec<Vec<Place>> {
        self.outstanding = self.outstanding.saturating_sub(1);
        self.differs = true;
        match self.halve_held() {
            Refused::Halve(held) => held,
            Refused::Hold | Refused::Alike(..) => Vec::new(),
        }
    }

    /// A part ended otherwise, and says nothing about its ids. Returns how many refused parts end with it, as
    /// there is no other part to wait for.
    pub(super) fn ended(&mut self) -> usize {
        self.outstanding = self.outstanding.saturating_sub(1);
        if self.outstanding == 0 { std::mem::take(&mut self.held).len() } else { 0 }
    }

    fn halve_held(&mut self) -> Refused {
        let held = std::mem::take(&mut self.held);
        self.outstanding += 2 * held.iter().filter(|places| places.len() > 1).count();
        Refused::Halve(held)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn places(numbers: std::ops::Range<usize>) -> Vec<Place> {
        numbers.map(Place::new).collect()
    }

    #[test]
    fn a_part_is_halved_when_the_other_was_taken() {
        let mut bisection = Bisection::new(Tick::default());
        let whole = bisection.whole(places(0..8), true, false);
        assert_eq!((whole, bisection.is_whole()), (Refused::Halve(vec![places(0..8)]), false));
        assert_eq!(bisection.part(places(0..4)), Refused::Hold);
        assert_eq!(bisection.taken(), [places(0..4)]);
        assert_eq!(bisection.part(places(0..2)), Refused::Halve(vec![places(0..2)]), "the ids differ");
    }

    #[test]
    fn a_part_that_fails_otherwise_holds_nobody_up() {
        let mut bisection = Bisection::new(Tick::default());
        bisection.whole(places(0..8), true, false);
        assert_eq!(bisection.part(places(0..4)), Refused::Hold);
        assert_eq!((bisection.ended(), bisection.is_whole()), (1, true));
    }

    #[test]
    fn parts_that_are_refused_alike_end_it() {
        let mut bisection = Bisection::new(Tick::default());
        bisection.whole(places(0..8), true, false);
        assert_eq!(bisection.part(places(0..4)), Refused::Hold);
        assert_eq!(bisection.part(places(4..8)), Refused::Alike(2, places(0..4)));
        let again = bisection.whole(places(0..8), false, false);
        assert_eq!(again, Refused::Alike(1, vec![]), "nothing is learned by halving again");
        let again = bisection.whole(places(0..8), false, true);
        assert_eq!(again, Refused::Halve(vec![places(0..8)]), "but for somebody who was read since");
        assert_eq!(bisection.part(places(0..4)), Refused::Halve(vec![places(0..4)]));
    }
}
