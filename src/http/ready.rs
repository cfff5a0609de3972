//! Whether the bridge does what it is for.

use crate::core::overview::{BrokerState, Overview};
use crate::core::report::words;

/// What is missing, one sentence each; nothing if all is well.
pub(super) fn trouble(overview: &Overview) -> Vec<String> {
    let Overview { graph, broker, .. } = overview;
    let mut trouble = Vec::new();
    let because = |why: &Option<String>| why.as_ref().map(|why| format!(": {why}")).unwrap_or_default();
    match broker.state {
        BrokerState::Connected => {}
        BrokerState::ReadingBack => trouble.push("the broker has just been connected to".to_owned()),
        BrokerState::Connecting => {
            trouble.push(format!("the broker is not connected{}", because(&broker.trouble)));
        }
        BrokerState::Stopping => trouble.push("the bridge is stopping".to_owned()),
    }
    if !graph.is_fresh {
        let within = words(graph.stale_after);
        trouble.push(format!("Graph told nothing within {within}{}", because(&graph.detail)));
    }
    trouble
}
