//! The people of the page, in words.

use jiff::Timestamp;
use minijinja::{Value, context};

use super::filter::{is_filtered, link};
use super::words::{Moment, spaced};
use crate::core::model::health::Health;
use crate::core::model::people_page::{PeopleQuery, Standing};
use crate::core::model::snapshot::{PeoplePage, PersonSnapshot, Snapshot};
use crate::core::model::word::KnownActivity;

/// So many people are seen at a glance. More can be searched and counted.
const AT_A_GLANCE: usize = 8;

/// Whether there are so many people that a visitor may want to search, or searches already.
pub(super) fn is_searchable(snapshot: &Snapshot, wanted: &PeopleQuery) -> bool {
    snapshot.people > AT_A_GLANCE || is_filtered(wanted)
}

/// How many there are of each kind, with the addresses of their pages.
pub(super) fn counts(page: &PeoplePage, wanted: &PeopleQuery) -> Vec<Value> {
    let count = |standing: Option<Standing>, count: usize| {
        context! {
            state => standing.map(Standing::as_str),
            says => standing.map_or("All", says),
            count,
            link => link(&wanted.search, standing, 1),
        }
    };
    let all = page.counts.iter().map(|(_, count)| count).sum();
    let is_empty = |standing: &Standing| page.counts.iter().all(|(other, _)| other != standing);
    (std::iter::once(count(None, all)))
        .chain(page.counts.iter().map(|&(standing, n)| count(Some(standing), n)))
        .chain(wanted.standing.filter(is_empty).map(|standing| count(Some(standing), 0)))
        .collect()
}

fn says(standing: Standing) -> &'static str {
    match standing {
        Standing::Trouble => "Trouble",
        Standing::Available => "Available",
        Standing::Busy => "Busy",
        Standing::DoNotDisturb => "Do not disturb",
        Standing::Away => "Away",
        Standing::Offline => "Offline",
        Standing::Unknown => "Unknown",
        Standing::Waiting => "Not read yet",
    }
}

/// The ways to the other pages; nothing if there is only one.
pub(super) fn pages(page: &PeoplePage, wanted: &PeopleQuery) -> Option<Value> {
    let PeoplePage { found, page: at, pages, persons, .. } = page;
    let to = |page: usize| link(&wanted.search, wanted.standing, page);
    let from = (at - 1) * wanted.size + 1;
    (*pages > 1).then(|| {
        context! {
            found,
            from,
            to => from + persons.len() - 1,
            first => to(1),
            previous => (*at > 1).then(|| to(at - 1)),
            next => (at < pages).then(|| to(at + 1)),
            last => to(*pages),
            is_cut => *found > pages * wanted.size,
        }
    })
}

/// Why there is nobody to be seen, or nothing of anybody, and what happens next.
pub(super) fn next(snapshot: &Snapshot, wanted: &PeopleQuery) -> Option<&'static str> {
    let page = &snapshot.people_page;
    let is_waiting = page.counts.iter().all(|(standing, _)| *standing == Standing::Waiting);
    let sign_in = snapshot.accounts.iter().any(|account| account.begins() && account.sign_in.is_some());
    if snapshot.people == 0 {
        Some("No people yet. Members of a group appear here when Microsoft Graph has listed them.")
    } else if page.found == 0 && is_filtered(wanted) {
        Some("No one matches this search.")
    } else if snapshot.is_waiting() {
        Some("This instance waits in standby. The active one reads presence.")
    } else if sign_in {
        Some("Presence appears here a few seconds after the sign-in.")
    } else {
        is_waiting.then_some("Waiting for the first answer from Microsoft Graph. This takes a few seconds.")
    }
}

/// One row.
pub(super) fn of_person(person: &PersonSnapshot, now: Timestamp) -> Value {
    let says = match &person.words {
        Some((availability, activity)) if availability == activity => spaced(activity),
        Some((availability, activity)) => format!("{} · {}", spaced(activity), spaced(availability)),
        None if person.is_awaited => "Not read yet".to_owned(),
        None => "Not known".to_owned(),
    };
    let trouble = match (person.health, &person.words) {
        (Health::Ok, _) => None,
        (Health::Stale, _) if person.is_awaited => None,
        (Health::Stale, None) => Some("no answer"),
        (Health::Stale, Some(_)) => Some("out of date"),
        (Health::SignInRequired, _) => Some("sign-in required"),
        (Health::Forbidden, _) => Some("not allowed to read"),
        (Health::NotFound, _) => Some("not in this tenant"),
    };
    let says_so = |(_, activity): &(String, String)| *activity == KnownActivity::OutOfOffice.to_string();
    context! {
        name => person.name.as_str(),
        display_name => person.display_name.as_str(),
        // A word of a closed list, which the style knows.
        availability => person.words.as_ref().map(|(availability, _)| availability.as_str()),
        says,
        is_settable => person.is_settable,
        is_out_of_office => person.is_out_of_office && !person.words.as_ref().is_some_and(says_so),
        since => person.since.map(|since| Moment::new(since, now).value()),
        trouble,
    }
}
