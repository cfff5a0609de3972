//! A request to Graph and its end. Each operation names the type of its answer, and an id belongs to one
//! operation, so that an answer of another kind cannot be written.

use std::cmp::Ordering;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use super::foreign::Legible;
use super::members::{MembersPage, PageLink};
use super::name::{ObjectId, PrincipalName};
use super::presence::Presence;
use super::presence_change::PresenceChange;

/// Ids that one bulk request may carry (Graph: `cloudcommunications-getpresencesbyuserid`).
pub const BULK_LIMIT: usize = 650;

/// What Graph refused, such as to read a person, is tried again this often.
pub(in crate::core) const DENIED_RETRY: Duration = Duration::from_secs(300);

/// What a request does at Graph.
pub trait Operation {
    /// What a complete answer holds.
    type Answer;
}

/// Reads presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ReadPresence {
    /// `GET /me/presence`
    Me,
    /// `GET /users/{id}/presence`
    User(ObjectId),
    /// `GET /communications/presences/{id}`
    Communications(ObjectId),
    /// `POST /communications/getPresencesByUserId`, at most [`BULK_LIMIT`] ids.
    Bulk(Vec<ObjectId>),
}

/// The people in the answer, in any order, some perhaps missing, repeated or not asked for.
impl Operation for ReadPresence {
    type Answer = Vec<Reading>;
}

/// `GET /users/{upn}?$select=id,userPrincipalName,displayName`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResolveName(pub PrincipalName);

/// The object id that belongs to the name.
impl Operation for ResolveName {
    type Answer = ObjectId;
}

/// `GET /groups/{id}/transitiveMembers/microsoft.graph.user?…`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReadMembers {
    /// Whose members.
    pub group: ObjectId,
    /// Which page; nothing for the first one.
    pub page: Option<PageLink>,
}

impl Operation for ReadMembers {
    type Answer = MembersPage;
}

/// Sets somebody's presence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SetPresence {
    /// Whose presence.
    pub whom: Whom,
    /// What to set.
    pub change: PresenceChange,
    /// The app, whose own the session is.
    pub session_id: Option<Box<str>>,
}

/// That it is done is all that Graph answers.
impl Operation for SetPresence {
    type Answer = ();
}

/// Whose presence is set.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Whom {
    /// `/me/presence`
    Me,
    /// `/users/{id}/presence`
    User(ObjectId),
}

/// One person of an answer.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reading {
    /// Who it is about.
    pub id: ObjectId,
    /// Nothing where the answer holds no usable availability for them.
    pub presence: Option<Presence>,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request<O> {
    /// Names the request in its end.
    pub id: RequestId<O>,
    /// What is asked.
    pub operation: O,
    /// An access token older than this is used only if no other is to be had now: after a refusal a new one
    /// may carry new permissions.
    pub token_max_age: Option<Duration>,
    /// One older than this is somebody else's: it is not used even if there is no other.
    pub own_token_age: Option<Duration>,
}

/// The end of one request.
#[derive(Debug)]
pub struct Ended<O: Operation> {
    /// Which request this is the end of.
    pub request: RequestId<O>,
    /// How many more requests than one it took, for the further pages of its answer.
    pub further: u32,
    /// What came of it.
    pub outcome: Result<O::Answer, ReadFailure>,
}

/// Ties the end of a request to its beginning; never used twice in a run.
pub struct RequestId<O> {
    number: u64,
    operation: PhantomData<fn() -> O>,
}

impl<O> RequestId<O> {
    /// The id with this number.
    #[must_use]
    pub const fn new(number: u64) -> Self {
        Self { number, operation: PhantomData }
    }

    /// Counts all requests of a run, whatever they do.
    #[must_use]
    pub const fn number(self) -> u64 {
        self.number
    }
}

impl<O> Clone for RequestId<O> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<O> Copy for RequestId<O> {}

impl<O> PartialEq for RequestId<O> {
    fn eq(&self, other: &Self) -> bool {
        self.number == other.number
    }
}

impl<O> Eq for RequestId<O> {}

impl<O> PartialOrd for RequestId<O> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl<O> Ord for RequestId<O> {
    fn cmp(&self, other: &Self) -> Ordering {
        self.number.cmp(&other.number)
    }
}

impl<O> fmt::Debug for RequestId<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{}", self.number)
    }
}

/// Why a read brought nothing, or a write set nothing. Each kind answers "again, or stop?" in its own way.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ReadFailure {
    /// Again soon: timeouts, resets, 5xx, answers that are not Graph's.
    #[error("{why}")]
    Passing {
        /// What happened, as a fragment.
        why: Legible,
        /// How long Graph asked to wait.
        retry_after: Option<Duration>,
    },
    /// Again when Graph says: 429.
    #[error("Graph asks for fewer requests")]
    Throttled {
        /// How long Graph asked to wait; nothing if it did not say.
        retry_after: Option<Duration>,
    },
    /// Again once with a new token: 401.
    #[error("Graph refused the token: {why}")]
    TokenRefused {
        /// Graph's reason and what to do, as a sentence.
        why: Legible,
    },
    /// Not before somebody acts: the sign-in service refused the sign-in itself.
    #[error("{advice}")]
    SignInRequired {
        /// What to do, as a sentence.
        advice: Legible,
    },
    /// Not before somebody grants a permission: 403.
    #[error("{advice}")]
    Forbidden {
        /// What to do, as a sentence.
        advice: Legible,
    },
    /// Not before somebody creates the person: 404.
    #[error("not found in this tenant; check the id under [[users]], and that the account uses Teams")]
    NotFound,
    /// Not in this form: 400. Among many ids one may be at fault.
    #[error("Graph refused the request: {why}")]
    Refused {
        /// Graph's reason, as a fragment.
        why: Legible,
    },
}
