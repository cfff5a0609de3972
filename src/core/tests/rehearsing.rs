//! What a run would ask of its broker, without one.

use super::*;
use crate::core::rehearsal::rehearse;

#[test]
fn a_rehearsal_names_what_a_run_listens_to_and_its_largest_message() {
    let plain = rehearse(settings(), at(0.0));
    let own = ["refresh", "standby/ping", "state"].map(|level| format!("presence/bridge/{level}"));
    assert_eq!(Vec::from_iter(plain.filters), own);
    let announced = rehearse(with_discovery(settings()), at(0.0));
    assert!(announced.filters.contains("homeassistant/status"), "{announced:?}");
    assert!(announced.largest > plain.largest + 1_000, "an announcement is the largest: {announced:?}");
}

#[test]
fn names_and_groups_are_rehearsed_with_made_up_people() {
    let users = vec![watched("alice", "alice@contoso.example")];
    let followed =
        Settings { users: users.into(), groups: vec![groups::group(100, "{upn_local}")], ..settings() };
    let by_name = rehearse(with_discovery(followed), at(0.0));
    assert!(by_name.largest > 1_000, "they are announced: {by_name:?}");
}
