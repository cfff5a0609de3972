//! Which people a visitor wants to see, in the address of the page: `?q=ali&state=busy&page=2`.

use url::form_urlencoded::{Serializer, parse};

use crate::core::model::people_page::{PeopleQuery, Search, Standing};

/// People on one page: more is no page that anybody reads, and the loop should not copy them.
pub(super) const PEOPLE: usize = 100;

/// What an address asks for. What is not understood is as if it were not there.
pub(super) fn wanted(query: Option<&str>) -> PeopleQuery {
    let mut wanted = PeopleQuery::first(PEOPLE);
    for (key, value) in parse(query.unwrap_or_default().as_bytes()) {
        match &*key {
            "q" => wanted.search = Search::new(&value),
            "state" => wanted.standing = Standing::from_word(&value),
            "page" => wanted.page = value.parse().unwrap_or(1),
            _ => {}
        }
    }
    wanted
}

/// Whether not everybody is wanted.
pub(super) fn is_filtered(wanted: &PeopleQuery) -> bool {
    wanted.standing.is_some() || !wanted.search.as_str().is_empty()
}

/// The address of a page of those who are searched for.
pub(super) fn link(search: &Search, standing: Option<Standing>, page: usize) -> String {
    let mut query = Serializer::for_suffix(String::from("?"), 1);
    if !search.as_str().is_empty() {
        query.append_pair("q", search.as_str());
    }
    if let Some(standing) = standing {
        query.append_pair("state", standing.as_str());
    }
    if page > 1 {
        query.append_pair("page", &page.to_string());
    }
    query.finish()
}

/// The address of the same page with a sentence for its visitor, given the query that it had. Relative, as a
/// proxy may serve it below a path.
pub(super) fn back(query: Option<&str>, told: &str) -> String {
    let PeopleQuery { search, standing, page, .. } = wanted(query);
    let page = link(&search, standing, page);
    let more = if page == "?" { "" } else { "&" };
    format!("{page}{more}told={told}")
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_is_asked_for_a_link_asks_for_the_same(query in "(q=|state=|page=|[ -~]|\\PC|&){0,30}") {
            let PeopleQuery { search, standing, page, size } = wanted(Some(&query));
            let again = wanted(link(&search, standing, page).strip_prefix('?'));
            prop_assert_eq!(again, PeopleQuery { search, standing, page: page.max(1), size });
        }
    }

    #[test]
    fn an_address_is_understood_as_far_as_it_goes() {
        for (query, search, standing, page) in [
            ("", "", None, 1),
            ("q=Mia+R%C3%B6ssi", "Mia Rössi", None, 1),
            ("q=&state=&page=", "", None, 1),
            ("state=do_not_disturb&page=3", "", Some(Standing::DoNotDisturb), 3),
            ("state=Busy&page=-1&x=y&q", "", None, 1),
            ("state=busy&page=99999999999999999999999", "", Some(Standing::Busy), 1),
            ("q=%00%1b%5B2J%e2%80%ae&q=second", "second", None, 1),
            ("q=%1b%5B2J", "\u{fffd}[2J", None, 1),
            ("%%%", "", None, 1),
        ] {
            let wanted = wanted(Some(query));
            assert_eq!(
                (wanted.search.as_str(), wanted.standing, wanted.page),
                (search, standing, page),
                "{query}"
            );
            assert_eq!(wanted.size, PEOPLE);
        }
        assert_eq!(wanted(None), PeopleQuery::first(PEOPLE));
        let long = wanted(Some(&format!("q={}", "x".repeat(10_000))));
        assert_eq!(long.search.as_str(), format!("{}…", "x".repeat(100)), "no name is longer");
    }

    #[test]
    fn a_link_leads_to_what_it_was_made_of() {
        for (search, standing, page, expected) in [
            ("", None, 1, "?"),
            ("", None, 2, "?page=2"),
            ("a&b \"c\"", Some(Standing::Trouble), 1, "?q=a%26b+%22c%22&state=trouble"),
        ] {
            let search = Search::new(search);
            let link = link(&search, standing, page);
            assert_eq!(link, expected);
            let wanted = wanted(link.strip_prefix('?'));
            assert_eq!(wanted, PeopleQuery { search, standing, page, size: PEOPLE });
        }
    }

    #[test]
    fn who_did_something_sees_the_same_page_again() {
        for (query, expected) in [
            (None, "?told=7"),
            (Some("told=6"), "?told=7"),
            (Some("q=ali&state=busy&page=2&told=6"), "?q=ali&state=busy&page=2&told=7"),
            (Some("q=%0d%0aset-cookie:x"), "?q=set-cookie%3Ax&told=7"),
        ] {
            assert_eq!(back(query, "7"), expected, "{query:?}");
        }
    }
}
