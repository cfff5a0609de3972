//! Groups of people: what is known of their members, and how members are named.
//!
//! [`page`] is what Graph tells of members, [`pattern`] makes names of them, `collecting` puts the pages of one reading
//! together, [`clash`] is what happens when two have one name, `membership` is all that is known of one group, `handing`
//! hands out who joins, and `left_behind` is what earlier runs left of members who are not known yet.

pub(super) mod collecting;
pub(super) mod handing;
pub(super) mod left_behind;
pub(super) mod membership;
