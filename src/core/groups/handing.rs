//! The members of a complete reading, handed out one after the other.

use super::member_pages::Named;

/// Members whose room is given back at once.
const GIVEN_BACK: usize = 16_384;

/// Those who are still to be handed out. A whole tenant may join at once: the room that it took in the
/// reading is given back while it takes room among the people.
#[derive(Debug)]
pub(super) struct Handing {
    /// The next one is the last.
    left: Vec<Named>,
    /// How many there were.
    count: usize,
}

impl Handing {
    pub(super) fn new(mut named: Vec<Named>) -> Self {
        named.reverse();
        Self { count: named.len(), left: named }
    }

    /// The member with this index, which must be above the one before.
    pub(super) fn take(&mut self, index: usize) -> Option<Named> {
        self.left.truncate(self.count.checked_sub(index)?);
        let next = (self.left.len() + index == self.count).then(|| self.left.pop()).flatten();
        if self.left.capacity() - self.left.len() >= GIVEN_BACK {
            self.left.shrink_to_fit();
        }
        next
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn named(n: usize) -> Named {
        let id = uuid::Uuid::from_u128(n as u128).into();
        Named { id, name: format!("u{n}").parse().unwrap(), display_name: "x".into(), configured: false }
    }

    proptest! {
        #[test]
        fn whoever_is_asked_for_in_order_comes(
            count in prop_oneof![0_usize..40, 32_000_usize..33_000],
            asked in prop::collection::btree_set(0_usize..33_000, 0..30),
        ) {
            let mut handing = Handing::new((0..count).map(named).collect());
            for index in asked {
                prop_assert_eq!(handing.take(index), (index < count).then(|| named(index)));
            }
        }
    }
}
