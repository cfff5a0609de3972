//! One sentence for each way in which the sign-in service says no, by AADSTS number.
//!
//! The numbers are for wording only; what to do is decided by the `error` word (Microsoft identity platform:
//! `reference-error-codes`).

/// AADSTS numbers that pass by themselves.
pub(super) const TRANSIENT: [u32; 8] = [50033, 50087, 90006, 90012, 90024, 90033, 90055, 90090];

/// What to do and where to click.
const SENTENCES: [(u32, &str); 9] = [
    (
        7000215,
        "the client secret is wrong: copy the secret's value, not its id, from App registrations > Certificates & secrets",
    ),
    (
        7000222,
        "the client secret has expired: make a new one under App registrations > Certificates & secrets",
    ),
    (
        700016,
        "this tenant does not know graph.client_id: check it, and that graph.tenant_id is the app's tenant",
    ),
    (90002, "graph.tenant_id is no tenant: check it under Entra admin center > Overview"),
    (90038, "this tenant is in another cloud: set graph.cloud"),
    (
        7000112,
        "the app is disabled: an administrator must enable it under Enterprise applications > Properties",
    ),
    (70001, "the app is disabled or not installed in this tenant: ask an administrator"),
    (500011, "the app may not use Microsoft Graph in this cloud: check graph.cloud and graph.graph_url"),
    (70011, "the requested scope is not valid in this cloud: check graph.cloud and graph.graph_url"),
];

/// The sentence for the first number that has one.
pub(super) fn sentence(numbers: &[u32]) -> Option<&'static str> {
    numbers
        .iter()
        .find_map(|number| SENTENCES.iter().find(|(known, _)| known == number))
        .map(|(_, words)| *words)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_number_has_one_sentence_of_its_own() {
        for (number, words) in SENTENCES {
            assert_eq!(sentence(&[1, number]), Some(words));
            assert!(!TRANSIENT.contains(&number), "{number}");
            assert!(!words.ends_with('.') && words.contains(':'), "says what to do: {words}");
            assert_eq!(SENTENCES.iter().filter(|(other, _)| *other == number).count(), 1);
        }
        assert_eq!(sentence(&[1]), None);
    }
}
