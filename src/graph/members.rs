//! The members of a group, page by page: the request, and reading the answer.
//!
//! Presence answers are read leniently, but this is strict: a person who is missing from a list of members is
//! removed from the broker. An unreadable entry affects only itself and is counted; the core then adds
//! members and removes none.

use reqwest::RequestBuilder;
use serde_json::value::RawValue;
use url::Url;

use super::lenient::{self, Object};
use super::next_page;
use super::text::readable;
use crate::core::model::foreign::is_obeyed;
use crate::core::model::members::{Member, MembersPage, PageLink};
use crate::core::model::name::ObjectId;

/// The query of the first page; links to later pages repeat it. 999 is Graph's maximum, and the type in the
/// path requires `$count` and the header (Graph: `group-list-transitivemembers`).
const FIRST_PAGE: &str = "$select=id,userPrincipalName,displayName&$top=999&$count=true";

/// The longest user principal name, and display name, in characters.
const LONGEST_NAMES: (usize, usize) = (320, 128);

/// Why a body is not a page of members.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NotMembers {
    /// Not JSON: a captive portal, a proxy, or a body that was cut.
    #[error("the answer is not JSON, so it is not from Graph, or was cut on the way")]
    NotJson,
    /// JSON, but not a list of people with their object ids.
    #[error("the answer is JSON, but not a list of members with their ids")]
    NotAList,
    /// The link to the next page leads to another place; it is not followed.
    #[error("the link to the next page does not lead to Graph's list of the group's members")]
    StrangeLink,
    /// No member has a name: Graph hides what the permissions do not cover (Graph: `permissions-overview`).
    #[error("Graph returns the members without their names")]
    Nameless,
}

/// The path below the root address and the version.
#[must_use]
pub fn path(group: ObjectId) -> [String; 4] {
    [
        "groups".to_owned(),
        group.to_string(),
        "transitiveMembers".to_owned(),
        "microsoft.graph.user".to_owned(),
    ]
}

/// The address of a page: the first one, or the one in `page`. `first` is the address of the first page,
/// without a query.
#[must_use]
pub fn address(first: &Url, page: Option<&PageLink>) -> Url {
    page.map_or_else(
        || {
            let mut url = first.clone();
            url.set_query(Some(FIRST_PAGE));
            url
        },
        |page| next_page::address(first, page),
    )
}

/// Makes a plain request into one for a page of members.
pub(super) fn request(get: RequestBuilder) -> RequestBuilder {
    get.header("ConsistencyLevel", "eventual")
}

/// Reads a page. `first` is the address of the first page, without a query.
///
/// # Errors
///
/// If it is no list, contains no readable member, or links to another place.
pub fn page(body: &[u8], first: &Url) -> Result<MembersPage, NotMembers> {
    let text = readable(body);
    let body = Object::of(&text).ok_or_else(|| match lenient::is_json(&text) {
        true => NotMembers::NotAList,
        false => NotMembers::NotJson,
    })?;
    let list: Vec<&RawValue> = body.get("value").ok_or(NotMembers::NotAList)?;
    let members: Vec<Member> = list.iter().filter_map(|entry| member(entry.get())).collect();
    if members.is_empty() && !list.is_empty() {
        return Err(NotMembers::NotAList);
    }
    if !members.is_empty() && members.iter().all(|member| member.principal_name.is_none()) {
        return Err(NotMembers::Nameless);
    }
    let next = body.raw("@odata.nextLink").map(|link| {
        let link: Option<String> = lenient::of(link);
        link.and_then(|link| next_page::checked(&link, first)).ok_or(NotMembers::StrangeLink)
    });
    let counted = body.get("@odata.count");
    let unreadable = list.len() - members.len();
    Ok(MembersPage { members, counted, unreadable, next: next.transpose()? })
}

fn member(entry: &str) -> Option<Member> {
    let entry = Object::of(entry)?;
    let name = |name, longest| {
        let text: String = entry.get(name)?;
        let readable = |c: char| if is_obeyed(c) { ' ' } else { c };
        let clean: String = text.trim().chars().map(readable).take(longest).collect();
        (!clean.trim().is_empty()).then(|| clean.into())
    };
    Some(Member {
        id: entry.get::<String>("id")?.parse().ok()?,
        principal_name: name("userPrincipalName", LONGEST_NAMES.0),
        display_name: name("displayName", LONGEST_NAMES.1),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const GROUP: &str = "02bd9fd6-8f93-4758-87c3-1fb73740a315";

    fn first() -> Url {
        let path = path(GROUP.parse().unwrap()).join("/");
        format!("https://graph.microsoft.com/v1.0/{path}").parse().unwrap()
    }

    #[test]
    fn a_link_that_leads_elsewhere_is_an_error() {
        let next = |link: &str| {
            let body = serde_json::json!({"value": [], "@odata.nextLink": link}).to_string();
            page(body.as_bytes(), &first()).map(|page| page.next)
        };
        let here = first();
        assert_eq!(next(&format!("{here}?a")), Ok(Some(PageLink("?a".into()))));
        assert_eq!(next("https://graph.microsoft.com/v1.0/users?a"), Err(NotMembers::StrangeLink));
        let asked = address(&here, None);
        assert_eq!(asked.query(), Some(FIRST_PAGE));
    }

    #[test]
    fn a_page_is_whole_or_none() {
        let id = "66825e03-7ef5-42da-9069-724602c31f6b";
        let page = |body: &str| page(body.as_bytes(), &first());
        let whole = page(&format!(
            r#"{{"@odata.count":2,"value":[{{"id":"{id}","userPrincipalName":"alice@x","displayName":" A\nB "}},
               {{"@odata.type":"x","id":"02bd9fd6-8f93-4758-87c3-1fb73740a315","displayName":7}}]}}"#
        ))
        .unwrap();
        assert_eq!((whole.counted, whole.next, whole.members.len()), (Some(2), None, 2));
        assert_eq!(whole.members[0].display_name.as_deref(), Some("A B"));
        assert_eq!(whole.members[1].principal_name, None);
        assert_eq!(page("<html>").unwrap_err(), NotMembers::NotJson);
        for body in [
            "[]",
            "{}",
            r#"{"value":{}}"#,
            r#"{"value":[{}]}"#,
            r#"{"value":[null]}"#,
            r#"{"value":[["66825e03-7ef5-42da-9069-724602c31f6b"]]}"#,
            r#"{"value":[{"id":"alice","userPrincipalName":"alice@x"}]}"#,
        ] {
            assert_eq!(page(body).unwrap_err(), NotMembers::NotAList, "{body}");
        }
        for (entry, is_read) in [
            (r#"{"id":"ID","displayName":"B\ud83d"}"#, true),
            (r#"{"id":"ID","displayName":1e999,"future":"\ud83d"}"#, true),
            (r#"{"id":7}"#, false),
            (r#"{"id":1e999}"#, false),
            ("null", false),
        ] {
            let entry = entry.replace("ID", GROUP);
            let alice = format!(r#"{{"id":"{id}","userPrincipalName":"alice@x"}}"#);
            let page = page(&format!(r#"{{"@odata.count":2,"value":[{alice},{entry}]}}"#)).unwrap();
            assert_eq!(page.members[0].id.to_string(), id);
            // Graph's own count shows that a member is missing.
            assert_eq!((page.members.len(), page.counted), (if is_read { 2 } else { 1 }, Some(2)), "{entry}");
        }
        let hidden = format!(r#"{{"value":[{{"id":"{id}","userPrincipalName":null}}]}}"#);
        assert_eq!(page(&hidden).unwrap_err(), NotMembers::Nameless);
        assert_eq!(page(r#"{"value":[],"@odata.nextLink":7}"#).unwrap_err(), NotMembers::StrangeLink);
    }
}
