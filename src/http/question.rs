//! Asking the loop what is known.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::core::model::people_page::PeopleQuery;
use crate::core::model::snapshot::Snapshot;

/// Questions that wait for the loop. When it is full, whoever asks is told that the bridge is busy; nobody waits.
const WAITING: usize = 16;

/// How long an answer is waited for. The loop answers between two events, so only a stuck one takes longer.
const PATIENCE: Duration = Duration::from_secs(2);

/// Somebody wants to know how everything is.
#[derive(Debug)]
pub struct Question {
    wanted: PeopleQuery,
    answer: oneshot::Sender<Snapshot>,
}

/// Whoever may ask.
#[derive(Debug, Clone)]
pub struct Asker(mpsc::Sender<Question>);

/// A way to ask, and where the questions come out.
#[must_use]
pub fn questions() -> (Asker, mpsc::Receiver<Question>) {
    let (asker, asked) = mpsc::channel(WAITING);
    (Asker(asker), asked)
}

impl Asker {
    /// What is known, with the people who are wanted in it; nothing from a loop that is busy, or between two turns.
    pub(super) async fn ask(&self, wanted: PeopleQuery) -> Option<Snapshot> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Question { wanted, answer }).ok()?;
        timeout(PATIENCE, answered).await.ok()?.ok()
    }
}

impl Question {
    /// Answers with what `snapshot` makes for whoever is wanted.
    pub fn answer(self, snapshot: impl FnOnce(&PeopleQuery) -> Snapshot) {
        // Nobody pays for an answer that nobody waits for any more.
        if !self.answer.is_closed() {
            // If they went away just now they do not need it either.
            let _gone = self.answer.send(snapshot(&self.wanted));
        }
    }
}
