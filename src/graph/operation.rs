//! How to ask Graph for each operation, and how to read the answer.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Client, RequestBuilder, StatusCode};
use url::Url;

use super::answer::Page;
use super::caller::Caller;
use super::refusal::Needs;
use super::{answer, members, next_page, refusal, set_presence};
use crate::core::model::members::MembersPage;
use crate::core::model::name::ObjectId;
use crate::core::model::presence_change::PresenceChange;
use crate::core::model::request::{
    Operation, ReadFailure, ReadMembers, ReadPresence, Reading, ResolveName, SetPresence, Whom,
};

/// The largest answer about one person, in bytes.
const LARGEST_SINGLE_ANSWER: usize = 1024 * 1024;

/// The largest answer about 650 people, in bytes: each may have an automatic reply of some kilobytes.
const LARGEST_BULK_ANSWER: usize = 16 * 1024 * 1024;

/// The largest answer about 999 members of a group, in bytes: each has two names in any script.
const LARGEST_MEMBERS_ANSWER: usize = 4 * 1024 * 1024;

/// Graph's address and a client.
#[derive(Debug)]
pub struct Graph<'a> {
    pub(super) root: &'a Url,
    pub(super) client: Client,
}

/// An answer that arrived, good or bad.
#[derive(Debug)]
pub struct Whole {
    pub(super) status: StatusCode,
    /// How long Graph asked to wait.
    pub(super) wait: Option<Duration>,
    pub(super) bytes: Vec<u8>,
}

/// The content of an answer.
#[derive(Debug)]
pub struct Said<A> {
    pub(super) answer: A,
    /// The link to the rest of it.
    pub(super) rest: Option<Url>,
}

impl<A> Said<A> {
    /// The whole content.
    fn whole(answer: A) -> Self {
        Self { answer, rest: None }
    }
}

/// An operation that can be asked of Graph.
pub trait Ask: Operation {
    /// The request, without a token.
    fn request(&self, graph: &Graph<'_>) -> RequestBuilder;

    /// The largest answer, in bytes.
    fn largest_answer(&self) -> usize {
        LARGEST_SINGLE_ANSWER
    }

    /// Reads an answer.
    ///
    /// # Errors
    ///
    /// If it is not usable. The kind says whether and when to retry.
    fn outcome(&self, whole: &Whole, root: &Url, caller: Caller) -> Result<Said<Self::Answer>, ReadFailure>;

    /// Adds a later page.
    fn add(_answer: &mut Self::Answer, _rest: Self::Answer) {}
}

impl Ask for ReadPresence {
    fn request(&self, graph: &Graph<'_>) -> RequestBuilder {
        match self {
            Self::Me => graph.get(&["me", "presence"]),
            Self::User(id) => graph.get(&["users", &id.to_string(), "presence"]),
            Self::Communications(id) => graph.get(&["communications", "presences", &id.to_string()]),
            Self::Bulk(ids) => {
                graph.post(&["communications", "getPresencesByUserId"]).json(&BTreeMap::from([("ids", ids)]))
            }
        }
    }

    fn largest_answer(&self) -> usize {
        match self {
            Self::Bulk(_) => LARGEST_BULK_ANSWER,
            Self::Me | Self::User(_) | Self::Communications(_) => LARGEST_SINGLE_ANSWER,
        }
    }

    fn outcome(&self, whole: &Whole, root: &Url, caller: Caller) -> Result<Said<Vec<Reading>>, ReadFailure> {
        let bytes = whole.accepted(&Needs::to_read(self), caller)?;
        match self {
            Self::Bulk(_) => answer::list(bytes).map(|Page { people, next }| {
                let rest = next.and_then(|link| {
                    let list = address(root, &["communications"]);
                    let page = next_page::checked(&link, &list);
                    if page.is_none() {
                        tracing::debug!("the link to the next page leads elsewhere, and is not followed");
                    }
                    page.map(|page| next_page::address(&list, &page))
                });
                Said { answer: people, rest }
            }),
            Self::Me | Self::User(_) | Self::Communications(_) => answer::single(bytes).map(Said::whole),
        }
        .map_err(|error| strange(&error))
    }

    fn add(people: &mut Vec<Reading>, rest: Vec<Reading>) {
        people.extend(rest);
    }
}

impl Ask for ResolveName {
    fn request(&self, graph: &Graph<'_>) -> RequestBuilder {
        let Self(name) = self;
        let mut url = address(graph.root, &["users", name.as_str()]);
        url.set_query(Some("$select=id,userPrincipalName,displayName"));
        graph.client.get(url)
    }

    fn outcome(&self, whole: &Whole, _root: &Url, caller: Caller) -> Result<Said<ObjectId>, ReadFailure> {
        let id = answer::user_id(whole.accepted(&Needs::TO_RESOLVE, caller)?);
        id.map(Said::whole).map_err(|error| strange(&error))
    }
}

impl Ask for ReadMembers {
    fn request(&self, graph: &Graph<'_>) -> RequestBuilder {
        let first = first_page(graph.root, self.group);
        members::request(graph.client.get(members::address(&first, self.page.as_ref())))
    }

    fn largest_answer(&self) -> usize {
        LARGEST_MEMBERS_ANSWER
    }

    fn outcome(&self, whole: &Whole, root: &Url, caller: Caller) -> Result<Said<MembersPage>, ReadFailure> {
        // The core itself orders each page of members.
        members::page(whole.accepted(&Needs::TO_READ_MEMBERS, caller)?, &first_page(root, self.group))
            .map(Said::whole)
            .map_err(|error| refusal::of_members(&error, caller))
    }
}

impl Ask for SetPresence {
    fn request(&self, graph: &Graph<'_>) -> RequestBuilder {
        let (action, body) = set_presence::request(self);
        let request = match self.whom {
            Whom::Me => graph.post(&["me", "presence", action]),
            Whom::User(id) => graph.post(&["users", &id.to_string(), "presence", action]),
        };
        request.json(&body)
    }

    fn outcome(&self, whole: &Whole, _root: &Url, caller: Caller) -> Result<Said<()>, ReadFailure> {
        if whole.status.is_success() {
            return Ok(Said::whole(()));
        }
        match (&self.change, refusal::of_write(whole.status, whole.wait, &whole.bytes, caller)) {
            // There is no session to end, so the command has succeeded.
            (PresenceChange::EndSession, ReadFailure::NotFound) => Ok(Said::whole(())),
            (_, failure) => Err(failure),
        }
    }
}

impl Whole {
    fn accepted(&self, needs: &Needs, caller: Caller) -> Result<&[u8], ReadFailure> {
        if self.status.is_success() {
            return Ok(&self.bytes);
        }
        Err(refusal::of_status(self.status, self.wait, &self.bytes, needs, caller))
    }
}

impl Graph<'_> {
    fn get(&self, path: &[&str]) -> RequestBuilder {
        self.client.get(address(self.root, path))
    }

    fn post(&self, path: &[&str]) -> RequestBuilder {
        self.client.post(address(self.root, path))
    }
}

fn address(root: &Url, path: &[&str]) -> Url {
    let mut url = root.clone();
    if let Ok(mut segments) = url.path_segments_mut() {
        segments.clear().push("v1.0").extend(path);
    }
    url
}

fn first_page(root: &Url, group: ObjectId) -> Url {
    address(root, &members::path(group).each_ref().map(String::as_str))
}

/// An unexpected answer comes from something in between, such as a proxy, and is temporary.
fn strange(error: &answer::NotAnAnswer) -> ReadFailure {
    ReadFailure::Passing { why: error.to_string().into(), retry_after: None }
}
