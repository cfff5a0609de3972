//! Whether the bridge does what it is for.

use crate::core::model::report::words;
use crate::core::model::snapshot::{AccountSnapshot, BrokerState, Snapshot};

/// What is missing, one sentence each; nothing if the bridge is ready.
///
/// Anybody may ask this, so the reasons, which may name people and machines, are left to the page and the
/// log.
pub(super) fn trouble(snapshot: &Snapshot) -> Vec<String> {
    let Snapshot { accounts, broker, .. } = snapshot;
    let mut trouble = Vec::new();
    match broker.state {
        BrokerState::Connected => {}
        BrokerState::ReadingBack => {
            trouble.push("the bridge connected to the broker a moment ago".to_owned())
        }
        BrokerState::Waiting => return trouble,
        BrokerState::Connecting => {
            trouble.push("the broker is not connected; the status page and the log say why".to_owned());
        }
        BrokerState::Stopping => trouble.push("the bridge is stopping".to_owned()),
    }
    // One of several may be down without the others.
    if accounts.iter().all(|account| !account.graph.is_fresh) {
        trouble.extend(accounts.iter().map(|AccountSnapshot { graph, .. }| {
            let (within, state) = (words(graph.stale_after), graph.state.as_str());
            format!(
                "Graph returned no presence within {within}, its state is {state}; the status page and the \
                log say why"
            )
        }));
        trouble.dedup();
    }
    trouble
}
