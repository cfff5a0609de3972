//! Whether the broker lets this user listen to what `run` listens to.

use std::collections::BTreeSet;

use super::checklist::Outcome;
use crate::cli::exit;
use crate::mqtt::one_shot::{OneShot, OneShotError};

/// Refused filters that are named.
const NAMED: usize = 3;

/// Subscribes to each filter. Whatever comes is nobody's.
pub(super) async fn try_all(
    filters: &BTreeSet<String>,
    broker: &mut OneShot,
) -> Result<Outcome, OneShotError> {
    let mut refused = Vec::new();
    for filter in filters {
        match broker.subscribe(filter).await {
            Ok(()) => {}
            Err(OneShotError::Refused(filter)) => refused.push(filter),
            Err(error) => return Err(error),
        }
    }
    let more = refused.len().saturating_sub(NAMED);
    let more = if more == 0 { String::new() } else { format!(" and {more} more") };
    refused.truncate(NAMED);
    Ok(if refused.is_empty() {
        Outcome::Ok("the broker grants every subscription that `run` asks for".to_owned())
    } else {
        let why = format!(
            "the broker refuses the subscription to {}{more}; allow it in its access list",
            refused.join(", ")
        );
        Outcome::Failed(exit::UNREACHABLE, why)
    })
}
