//! Lists that are returned page by page, and the links between the pages.

use std::collections::VecDeque;

use url::form_urlencoded;

use crate::core::model::name::ObjectId;

use super::message::Asked;
use super::switches::StrangeLink;

/// How many rests of bulk answers are kept.
const REMEMBERED: usize = 256;

/// The rests of bulk answers that were not requested yet, oldest first.
#[derive(Debug, Default)]
pub(super) struct Pages {
    rests: VecDeque<(u64, Vec<ObjectId>)>,
    given: u64,
}

impl Pages {
    /// Keeps the ids of the following pages, and returns their name.
    pub(super) fn keep(&mut self, rest: Vec<ObjectId>) -> String {
        self.given += 1;
        if self.rests.len() == REMEMBERED {
            self.rests.pop_front();
        }
        self.rests.push_back((self.given, rest));
        self.given.to_string()
    }

    /// The ids of the pages with this name.
    pub(super) fn rest(&self, name: &str) -> Option<Vec<ObjectId>> {
        let name: u64 = name.parse().ok()?;
        self.rests.iter().find(|(given, _)| *given == name).map(|(_, rest)| rest.clone())
    }
}

/// The name of the page in a request; `None` for the first one.
pub(super) fn asked_for(asked: &Asked) -> Option<String> {
    let mut parameters = form_urlencoded::parse(asked.query.as_bytes());
    let (_, token) = parameters.find(|(key, _)| key == "$skiptoken")?;
    Some(token.strip_prefix("simulated-").unwrap_or_default().to_owned())
}

/// The link to the page of this name, the rest as it was asked for. `same` is the name of the page that it
/// stands on.
pub(super) fn link(asked: &Asked, next: &str, same: &str, strange: Option<StrangeLink>) -> String {
    let (host, path) = (&asked.host, &asked.path);
    let query = |page: &str| {
        let rest = form_urlencoded::parse(asked.query.as_bytes());
        let rest = rest.filter(|(key, _)| key != "$skiptoken").map(|(key, value)| format!("{key}={value}"));
        rest.chain([format!("$skiptoken=simulated-{page}")]).collect::<Vec<_>>().join("&")
    };
    match strange {
        None => format!("http://{host}{path}?{}", query(next)),
        Some(StrangeLink::OtherHost) => format!("http://elsewhere.example{path}?{}", query(next)),
        Some(StrangeLink::OtherPath) => format!("http://{host}/v1.0/users?{}", query(next)),
        Some(StrangeLink::Same) => format!("http://{host}{path}?{}", query(same)),
    }
}
