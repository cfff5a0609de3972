//! Visitors of the status page who wait for the result of a form.

use std::collections::BTreeMap;

use tokio::sync::oneshot;

use crate::core::model::act::{ActId, Acted};

/// The waiting visitors, by their act.
#[derive(Debug, Default)]
pub(super) struct Acts {
    next: u64,
    waiting: BTreeMap<ActId, oneshot::Sender<Acted>>,
}

impl Acts {
    /// A visitor begins to wait. Forgets visitors who have closed their connection.
    pub(super) fn begin(&mut self, visitor: oneshot::Sender<Acted>) -> ActId {
        self.waiting.retain(|_, visitor| !visitor.is_closed());
        let id = ActId::new(self.next);
        self.next += 1;
        self.waiting.insert(id, visitor);
        id
    }

    /// An act has succeeded or failed: tells the visitor who waits for it.
    pub(super) fn end(&mut self, id: ActId, acted: Acted) {
        if let Some(visitor) = self.waiting.remove(&id) {
            // A visitor who has just left sees the result on the page.
            let _gone = visitor.send(acted);
        }
    }
}
