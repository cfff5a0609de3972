//! Visitors of the status page who wait for what they asked for.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use crate::core::model::act::{ActId, Acted};

/// Who waits, by their act.
#[derive(Debug, Default)]
pub(super) struct Acts {
    next: u64,
    waiting: BTreeMap<ActId, oneshot::Sender<Acted>>,
}

impl Acts {
    /// Somebody waits from now on. Who waits no more is forgotten.
    pub(super) fn begin(&mut self, visitor: oneshot::Sender<Acted>) -> ActId {
        self.waiting.retain(|_, visitor| !visitor.is_closed());
        let id = ActId::new(self.next);
        self.next += 1;
        self.waiting.insert(id, visitor);
        id
    }

    /// It is done, or not.
    pub(super) fn end(&mut self, id: ActId, acted: Acted) {
        if let Some(visitor) = self.waiting.remove(&id) {
            // If they went away just now they look at the page instead.
            let _gone = visitor.send(acted);
        }
    }
}
