//! The people of the tenant: invented, but the same ones for the same seed.

use crate::core::model::name::ObjectId;

use super::settings::Settings;

/// A person in the tenant's directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Person {
    /// The immutable object id.
    pub id: ObjectId,
    /// The name to sign in with, such as `alice@contoso.example`.
    pub principal_name: String,
    /// The name to show.
    pub display_name: String,
}

/// The id of the first tenant's Alice does not depend on the seed, so that examples can name it.
const ALICE: uuid::Uuid = uuid::uuid!("66825e03-7ef5-42da-9069-724602c31f6b");

const NAMES: [(&str, &str); 4] =
    [("alice", "Alice Adams"), ("bob", "Bob Brown"), ("carol", "Carol Clark"), ("dave", "Dave Dunn")];

/// The people of a tenant.
pub(super) fn invent(settings: &Settings) -> Vec<Person> {
    let mut random = fastrand::Rng::with_seed(settings.seed);
    let domain = settings.domain();
    (0..settings.users)
        .map(|index| {
            let id = random_guid(&mut random);
            let (local, display_name) = match NAMES.get(index) {
                Some((local, display)) => ((*local).to_owned(), (*display).to_owned()),
                None => (format!("user{:04}", index + 1), format!("User {:04}", index + 1)),
            };
            Person {
                id: if (settings.number, index) == (0, 0) { ALICE } else { id }.into(),
                principal_name: format!("{local}@{domain}"),
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
        let tenant = |users: usize, seed: u64| Settings { users, seed, ..Settings::default() };
        let few = invent(&tenant(3, 7));
        let many = invent(&tenant(700, 7));
        assert_eq!(few[..], many[..3]);
        assert_eq!(few[0].id.to_string(), "66825e03-7ef5-42da-9069-724602c31f6b");
        assert_eq!(few[2].principal_name, "carol@contoso.example");
        assert_eq!(many[4].principal_name, "user0005@contoso.example");
        assert_ne!(few[1].id, invent(&tenant(3, 8))[1].id);
        let distinct: std::collections::BTreeSet<_> = many.iter().map(|p| p.id).collect();
        assert_eq!(distinct.len(), many.len());
        let others = invent(&tenant(700, 7).nth(1));
        assert_eq!(others[0].principal_name, "alice@contoso2.example");
        assert!(!others.iter().any(|other| distinct.contains(&other.id)));
    }
}
