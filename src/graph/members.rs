//! The members of a group, page by page: the request, and what an answer to it holds.
//!
//! Strict where the presence answers are lenient: whoever is missing from a list of members is taken off the broker.

use reqwest::RequestBuilder;
use serde::Deserialize;
use serde_json::Value;
use url::Url;

use super::lenient::lenient;
use crate::core::model::foreign::is_obeyed;
use crate::core::model::members::{Member, MembersPage, PageLink};
use crate::core::model::name::ObjectId;

/// What is asked of the first page; links to others carry it on. 999 is the most that Graph gives at once, and the type in
/// the path needs `$count` and the header (Graph: `group-list-transitivemembers`).
const FIRST_PAGE: &str = "?$select=id,userPrincipalName,displayName&$top=999&$count=true";

/// Characters of a link behind the address of the first page.
const LONGEST_LINK: usize = 8192;

/// Characters of a user principal name, and of a name to show.
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
    /// The link to the next page leads elsewhere; it is not followed.
    #[error("the link to the next page leads elsewhere than to Graph's list of the group's members")]
    StrangeLink,
    /// Nobody has a name: Graph hides what the permissions do not reach (Graph: `permissions-overview`).
    #[error("Graph tells the members without their names")]
    Nameless,
}

/// The path below the root and the version.
#[must_use]
pub fn path(group: ObjectId) -> [String; 4] {
    [
        "groups".to_owned(),
        group.to_string(),
        "transitiveMembers".to_owned(),
        "microsoft.graph.user".to_owned(),
    ]
}

/// Where a page is, the first one unless `page` says which. `first` is the address of the first page, without a query.
#[must_use]
pub fn address(first: &Url, page: Option<&PageLink>) -> Url {
    let rest = page.map_or(FIRST_PAGE, |PageLink(rest)| rest);
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut url = first.clone();
    url.set_path(&format!("{}{path}", first.path()));
    url.set_query(Some(query));
    url
}

/// The request for a page, out of one for its address.
pub(super) fn request(get: RequestBuilder) -> RequestBuilder {
    get.header("ConsistencyLevel", "eventual")
}

/// Reads a page. `first` is the address of the first page, without a query.
///
/// # Errors
///
/// If anything about it makes it less than a page: nobody may be missed because of it.
pub fn page(body: &[u8], first: &Url) -> Result<MembersPage, NotMembers> {
    let mut body: Value = serde_json::from_slice(body).map_err(|_| NotMembers::NotJson)?;
    let Some(Value::Array(list)) = body.get_mut("value").map(Value::take) else {
        return Err(NotMembers::NotAList);
    };
    let members: Option<Vec<Member>> = list.into_iter().map(member).collect();
    let members = members.ok_or(NotMembers::NotAList)?;
    if !members.is_empty() && members.iter().all(|member| member.principal_name.is_none()) {
        return Err(NotMembers::Nameless);
    }
    let next = match body.get("@odata.nextLink") {
        None | Some(Value::Null) => None,
        Some(Value::String(link)) => Some(checked(link, first).ok_or(NotMembers::StrangeLink)?),
        Some(Value::Bool(_) | Value::Number(_) | Value::Array(_) | Value::Object(_)) => {
            return Err(NotMembers::StrangeLink);
        }
    };
    let counted = body.get("@odata.count").and_then(Value::as_u64);
    Ok(MembersPage { members, counted: counted.and_then(|count| usize::try_from(count).ok()), next })
}

/// What follows the address of the first page in a link to another, which must lead to the same host and below the same
/// path.
fn checked(link: &str, first: &Url) -> Option<PageLink> {
    let url = Url::parse(link).ok().filter(|url| url.origin() == first.origin())?;
    let (same, below) = url.path().split_at_checked(first.path().len())?;
    let is_below = below.is_empty() || below.starts_with('/');
    let rest = format!("{below}?{}", url.query()?);
    let is_good = same.eq_ignore_ascii_case(first.path()) && is_below && rest.len() <= LONGEST_LINK;
    is_good.then(|| PageLink(rest.into()))
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct WireMember {
    id: ObjectId,
    #[serde(default, deserialize_with = "lenient")]
    user_principal_name: Option<String>,
    #[serde(default, deserialize_with = "lenient")]
    display_name: Option<String>,
}

fn member(value: Value) -> Option<Member> {
    // A list would be taken for the members in their order.
    let wire = WireMember::deserialize(Some(value).filter(Value::is_object)?).ok()?;
    let name = |text: Option<String>, longest| {
        let text = text?;
        let readable = |c: char| if is_obeyed(c) { ' ' } else { c };
        let clean: String = text.trim().chars().map(readable).take(longest).collect();
        (!clean.trim().is_empty()).then(|| clean.into())
    };
    Some(Member {
        id: wire.id,
        principal_name: name(wire.user_principal_name, LONGEST_NAMES.0),
        display_name: name(wire.display_name, LONGEST_NAMES.1),
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

    fn next(link: &str) -> Result<Option<String>, NotMembers> {
        let body = serde_json::json!({"value": [], "@odata.nextLink": link}).to_string();
        page(body.as_bytes(), &first()).map(|page| page.next.map(|PageLink(rest)| rest.into()))
    }

    #[test]
    fn only_links_to_the_same_list_are_followed() {
        let here = first();
        for (link, rest) in [
            (format!("{here}?$skiptoken=RFNw&$top=999"), "?$skiptoken=RFNw&$top=999"),
            (format!("{here}/delta?x=%2F"), "/delta?x=%2F"),
            (format!("{}?x", here.as_str().replace("02bd", "02BD")), "?x"),
            (format!("https://user:pass@{}?x#part", &here.as_str()[8..]), "?x"),
        ] {
            assert_eq!(next(&link), Ok(Some(rest.to_owned())), "{link}");
        }
        for link in [
            "",
            "/v1.0/groups",
            "?$skiptoken=x",
            here.as_str(),
            &format!("{here}x?a"),
            &format!("{here}/../../../users?a"),
            &format!("{here}/%2e%2e/x?a"),
            &format!("{}?a", here.as_str().replace("https:", "http:")),
            &format!("{}?a", here.as_str().replace(".com", ".com.example")),
            &format!("{}?a", here.as_str().replace(".com/", ".com:444/")),
            &format!("{}?a", here.as_str().replace("v1.0", "beta")),
            &format!("{here}?{}", "x".repeat(LONGEST_LINK)),
        ] {
            assert_eq!(next(link), Err(NotMembers::StrangeLink), "{link}");
        }
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
        let hidden = format!(r#"{{"value":[{{"id":"{id}","userPrincipalName":null}}]}}"#);
        assert_eq!(page(&hidden).unwrap_err(), NotMembers::Nameless);
        assert_eq!(page(r#"{"value":[],"@odata.nextLink":7}"#).unwrap_err(), NotMembers::StrangeLink);
    }
}
