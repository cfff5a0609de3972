//! Reads people once, for commands: one after the other, each with their own error.

use super::client::GraphClient;
use super::operation::Ask;
use crate::core::model::members::{Member, MembersPage, PageLink};
use crate::core::model::name::{ObjectId, PrincipalName, UserId};
use crate::core::model::presence::Presence;
use crate::core::model::request::{
    BULK_LIMIT, ReadFailure, ReadMembers, ReadPresence, Reading, Request, RequestId, ResolveName,
};
use crate::core::model::settings::Endpoint;

/// The most pages of one group, each with up to 999 members.
const MOST_PAGES: usize = 2_000;

/// The most memory for all members of a group. A million people with ordinary names take half of it. Without
/// a limit, endless pages would fill the memory.
const MOST_BYTES: usize = 256 * 1024 * 1024;

/// The result for one person.
pub type Outcome = Result<(ObjectId, Presence), ReadFailure>;

/// Reads each of `people`, and returns the results in the same order.
pub async fn read(client: &GraphClient, endpoint: Endpoint, people: &[UserId]) -> Vec<Outcome> {
    let mut outcomes: Vec<Option<Outcome>> = Vec::new();
    let mut in_bulk: Vec<(usize, ObjectId)> = Vec::new();
    for (place, person) in people.iter().enumerate() {
        outcomes.push(None);
        // After a failure that concerns all people, the next ones are not tried.
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
            // Refused together with others, or missing in the answer: reading them one by one gives the
            // reason.
            None => alone(client, ReadPresence::User(id)).await,
        });
    }
}

/// Reads all members of a group.
///
/// # Errors
///
/// If the list is not complete.
pub async fn members(client: &GraphClient, group: ObjectId) -> Result<Vec<Member>, ReadFailure> {
    let mut gathered = Gathered::up_to(MOST_BYTES);
    let mut page = first_page(client, group).await?;
    for _ in 0..MOST_PAGES {
        let next = page.next.take();
        if !gathered.take(page) {
            break;
        }
        let Some(next) = next else { return Ok(gathered.members) };
        page = a_page(client, group, Some(next)).await?;
    }
    Err(ReadFailure::Passing { why: "the list of members does not end".into(), retry_after: None })
}

/// Collects members of a group, up to the limit.
struct Gathered {
    members: Vec<Member>,
    room: usize,
}

impl Gathered {
    fn up_to(bytes: usize) -> Self {
        Self { members: Vec::new(), room: bytes }
    }

    /// Whether there was room for them.
    fn take(&mut self, page: MembersPage) -> bool {
        let room = self.room.checked_sub(page.members.iter().map(size).sum());
        self.room = room.unwrap_or_default();
        self.members.extend(page.members.into_iter().filter(|_| room.is_some()));
        room.is_some()
    }
}

/// The memory that a member needs.
fn size(member: &Member) -> usize {
    let names = [&member.principal_name, &member.display_name];
    size_of::<Member>() + names.into_iter().flatten().map(|name| name.len()).sum::<usize>()
}

/// Reads the first page of the members of a group.
///
/// # Errors
///
/// If it is not usable.
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

/// Whether a failure concerns all other people too.
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
            Err(ReadFailure::Passing { why: "the answer holds no presence".into(), retry_after: None })
        }
    }
}

/// Looks up the object id of a user principal name.
///
/// # Errors
///
/// If there is no such person, the lookup is not allowed, or Graph cannot be reached.
pub async fn resolve(client: &GraphClient, name: PrincipalName) -> Result<ObjectId, ReadFailure> {
    request(client, ResolveName(name)).await
}

async fn request<O: Ask>(client: &GraphClient, operation: O) -> Result<O::Answer, ReadFailure> {
    client.ask(&Request { id: RequestId::new(0), operation, token_max_age: None, own_token_age: None }).await
}

fn of(people: &[Reading], id: ObjectId) -> Option<Presence> {
    people.iter().find(|reading| reading.id == id).and_then(|reading| reading.presence.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pages_without_end_do_not_fill_the_memory() {
        let member = |length: usize| Member {
            id: "66825e03-7ef5-42da-9069-724602c31f6b".parse().unwrap(),
            principal_name: Some("x".repeat(length).into()),
            display_name: Some("ä".into()),
        };
        let page =
            |length| MembersPage { members: vec![member(length)], counted: None, unreadable: 0, next: None };
        let mut gathered = Gathered::up_to(10_000);
        let taken = (0..1_000).take_while(|_| gathered.take(page(998))).count();
        assert_eq!(
            (taken, gathered.members.len()),
            (9, 9),
            "1,000 bytes of names and the member itself each"
        );
    }
}
