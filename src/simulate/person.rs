//! The people of the tenant: invented, but the same ones for the same seed.

use crate::core::model::name::ObjectId;

/// Somebody in the tenant's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The immutable object id.
    pub id: ObjectId,
    /// The name to sign in with, such as `alice@contoso.example`.
    pub principal_name: String,
    /// The name to show.
    pub display_name: String,
}

/// Alice's id does not depend on the seed, so that examples can name it.
const ALICE: uuid::Uuid = uuid::uuid!("66825e03-7ef5-42da-9069-724602c31f6b");

const NAMES: [(&str, &str); 4] =
    [("alice", "Alice Adams"), ("bob", "Bob Brown"), ("carol", "Carol Clark"), ("dave", "Dave Dunn")];

/// The first `count` people of the tenant with this seed.
pub(super) fn invent(count: usize, seed: u64) -> Vec<Person> {
    let mut random = fastrand::Rng::with_seed(seed);
    (0..count)
        .map(|index| {
            let id = random_guid(&mut random);
            let (local, display_name) = match NAMES.get(index) {
                Some((local, display)) => ((*local).to_owned(), (*display).to_owned()),
                None => (format!("user{:04}", index + 1), format!("User {:04}", index + 1)),
            };
            Person {
                id: if index == 0 { ALICE } else { id }.into(),
                principal_name: format!("{local}@contoso.example"),
                display_name,
            }
        })
        .collect()
}

/// A version 4 GUID from the given randomness.
pub(super) fn random_guid(random: &mut fastrand::Rng) -> uuid::Uuid {
    uuid::Builder::from_random_bytes(random.u128(..).to_be_bytes()).into_uuid()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_are_stable_for_a_seed_and_do_not_depend_on_how_many_there_are() {
        let few = invent(3, 7);
        let many = invent(700, 7);
        assert_eq!(few[..], many[..3]);
        assert_eq!(few[0].id.to_string(), "66825e03-7ef5-42da-9069-724602c31f6b");
        assert_eq!(few[2].principal_name, "carol@contoso.example");
        assert_eq!(many[4].principal_name, "user0005@contoso.example");
        assert_ne!(few[1].id, invent(3, 8)[1].id);
        let distinct: std::collections::BTreeSet<_> = many.iter().map(|p| p.id).collect();
        assert_eq!(distinct.len(), many.len());
    }
}
