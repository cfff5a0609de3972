//! The link from one page of a list to the next. It must not lead a token to another place.

use url::Url;

use crate::core::model::members::PageLink;

/// The longest link, in characters after the address of the list.
const LONGEST_LINK: usize = 8192;

/// The query in a link to a page of a list. The link must lead to the same host, and to the list's path.
pub(super) fn checked(link: &str, list: &Url) -> Option<PageLink> {
    let url = Url::parse(link).ok().filter(|url| url.origin() == list.origin())?;
    let (same, below) = url.path().split_at_checked(list.path().len())?;
    let is_below = below.is_empty() || below.starts_with('/');
    let rest = format!("{below}?{}", url.query()?);
    let is_good = same.eq_ignore_ascii_case(list.path()) && is_below && rest.len() <= LONGEST_LINK;
    is_good.then(|| PageLink(rest.into()))
}

/// The address of a page. `list` is the address of the list, without a query.
pub(super) fn address(list: &Url, PageLink(rest): &PageLink) -> Url {
    let (path, query) = rest.split_once('?').unwrap_or((rest, ""));
    let mut url = list.clone();
    url.set_path(&format!("{}{path}", list.path()));
    url.set_query(Some(query));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_links_to_the_same_list_are_followed() {
        let group = "02bd9fd6-8f93-4758-87c3-1fb73740a315";
        let path = format!("/v1.0/groups/{group}/transitiveMembers/microsoft.graph.user");
        let here: Url = format!("https://graph.microsoft.com{path}").parse().unwrap();
        for (link, rest) in [
            (format!("{here}?$skiptoken=RFNw&$top=999"), "?$skiptoken=RFNw&$top=999"),
            (format!("{here}/delta?x=%2F"), "/delta?x=%2F"),
            (format!("{}?x", here.as_str().replace("02bd", "02BD")), "?x"),
            (format!("https://user:pass@{}?x#part", &here.as_str()[8..]), "?x"),
        ] {
            let page = checked(&link, &here).expect(&link);
            assert_eq!(page, PageLink(rest.into()));
            assert_eq!(address(&here, &page).as_str(), format!("{here}{rest}"));
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
            assert_eq!(checked(link, &here), None, "{link}");
        }
    }
}
