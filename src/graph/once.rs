//! Reading people once, for commands: one after the other, each failure that person's own.

use super::client::GraphClient;
use super::operation::Ask;
use crate::core::model::members::{Member, MembersPage, PageLink};
use crate::core::model::name::{ObjectId, PrincipalName, UserId};
use crate::core::model::presence::Presence;
use crate::core::model::request::{
    BULK_LIMIT, ReadFailure, ReadMembers, ReadPresence, Reading, Request, RequestId, ResolveName,
};
use crate::core::model::settings::Endpoint;

/// Pages of one group, each of up to 999 members.
const MOST_PAGES: usize = 2_000;

/// What came of reading one person.
pub type Outcome = Result<(ObjectId, Presence), ReadFailure>;

/// Reads each of `people` and returns their outcomes in the same order.
pub async fn read(client: &GraphClient, endpoint: Endpoint, people: &[UserId]) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = Vec::new();
    let mut in_bulk: Vec<(usize, ObjectId)> = Vec::new();
    for (place, person) in people.iter().enumerate() {
        outcomes.push(None);
        // Who cannot be asked for one cannot be asked for the next.
        if let Some(failure) =
            place.checked_sub(1).and_then(|before| about_everybody(outcomes[before].as_ref()))
        {
            outcomes[place] = Some(Err(failure));
            continue;
        }
        let id = match person {
            UserId::Me => {
                outcomes[place] = Some(alone(client, ReadPresence::Me).await);
                continue;
            }
            UserId::Object(id) => Ok(*id),
            UserId::Principal(name) => resolve(client, name.clone()).await,
        };
        match (id, endpoint) {
            (Err(failure), _) => outcomes[place] = Some(Err(failure)),
            (Ok(id), Endpoint::Users) => outcomes[place] = Some(alone(client, ReadPresence::User(id)).await),
            (Ok(id), Endpoint::Communications) => {
                outcomes[place] = Some(alone(client, ReadPresence::Communications(id)).await);
            }
            (Ok(id), Endpoint::Auto | Endpoint::Bulk | Endpoint::Me) => in_bulk.push((place, id)),
        }
    }
    for part in in_bulk.chunks(BULK_LIMIT) {
        bulk(client, part, &mut outcomes).await;
    }
    outcomes.into_iter().map(|outcome| outcome.unwrap_or(Err(ReadFailure::NotFound))).collect()
}

async fn bulk(client: &GraphClient, part: &[(usize, ObjectId)], outcomes: &mut [Option<Outcome>]) {
    let ids = part.iter().map(|&(_, id)| id).collect();
    let people = match request(client, ReadPresence::Bulk(ids)).await {
        Ok(people) => people,
        Err(ReadFailure::Refused { .. }) => Vec::new(),
        Err(failure) => {
            for &(place, _) in part {
                outcomes[place] = Some(Err(failure.clone()));
            }
            return;
        }
    };
    for &(place, id) in part {
        outcomes[place] = Some(match of(&people, id) {
            Some(presence) => Ok((id, presence)),
            // Refused with the others, or missing among them: the reason shows when they are read alone.
            None => alone(client, ReadPresence::User(id)).await,
        });
    }
}

/// Reads all members of a group.
///
/// # Errors
///
/// Whatever keeps the list from being complete.
pub async fn members(client: &GraphClient, group: ObjectId) -> Result<Vec<Member>, ReadFailure> {
    let mut page = first_page(client, group).await?;
    let mut members = std::mem::take(&mut page.members);
    for _ in 0..MOST_PAGES {
        let Some(next) = page.next.take() else { return Ok(members) };
        page = a_page(client, group, Some(next)).await?;
        members.append(&mut page.members);
    }
    Err(ReadFailure::Passing { why: "the list of members does not end".to_owned(), retry_after: None })
}

/// Reads the first page of the members of a group.
///
/// # Errors
///
/// Whatever keeps it from being one.
pub async fn first_page(client: &GraphClient, group: ObjectId) -> Result<MembersPage, ReadFailure> {
    a_page(client, group, None).await
}

async fn a_page(
    client: &GraphClient,
    group: ObjectId,
    page: Option<PageLink>,
) -> Result<MembersPage, ReadFailure> {
    request(client, ReadMembers { group, page }).await
}

/// A failure that would meet everybody else as well.
fn about_everybody(outcome: Option<&Outcome>) -> Option<ReadFailure> {
    match outcome {
        Some(Err(
            failure @ (ReadFailure::Passing { .. }
            | ReadFailure::Throttled { .. }
            | ReadFailure::TokenRefused { .. }
            | ReadFailure::SignInRequired { .. }),
        )) => Some(failure.clone()),
        Some(
            Err(ReadFailure::Forbidden { .. } | ReadFailure::NotFound | ReadFailure::Refused { .. }) | Ok(_),
        )
        | None => None,
    }
}

async fn alone(client: &GraphClient, operation: ReadPresence) -> Outcome {
    let first = request(client, operation).await?.into_iter().next();
    match first {
        Some(Reading { id, presence: Some(presence) }) => Ok((id, presence)),
        Some(_) | None => {
            Err(ReadFailure::Passing { why: "the answer holds no presence".to_owned(), retry_after: None })
        }
    }
}

/// Looks up the object id that belongs to a user principal name.
///
/// # Errors
///
/// If there is none, or it may not be looked up, or Graph cannot be asked.
pub async fn resolve(client: &GraphClient, name: PrincipalName) -> Result<ObjectId, ReadFailure> {
    request(client, ResolveName(name)).await
}

async fn request<O: Ask>(client: &GraphClient, operation: O) -> Result<O::Answer, ReadFailure> {
    client.ask(&Request { id: RequestId::new(0), operation, token_max_age: None }).await
}

fn of(people: &[Reading], id: ObjectId) -> Option<Presence> {
    people.iter().find(|reading| reading.id == id).and_then(|reading| reading.presence.clone())
}
