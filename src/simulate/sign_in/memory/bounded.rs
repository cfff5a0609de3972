//! Lists that remember the newest and forget the oldest.

use std::collections::VecDeque;

/// Adds to the end of the list, which never becomes longer than `limit`.
pub(super) fn keep<T>(list: &mut VecDeque<T>, limit: usize, item: T) {
    if list.len() >= limit {
        list.pop_front();
    }
    list.push_back(item);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_newest_are_kept() {
        let mut list = VecDeque::new();
        for number in 0..10 {
            keep(&mut list, 3, number);
        }
        assert_eq!(list, [7, 8, 9]);
    }
}
