//! Asking the loop what is known, and to do something.

use std::time::Duration;

use tokio::sync::{mpsc, oneshot};
use tokio::time::timeout;

use crate::core::model::act::{Act, Acted};
use crate::core::model::people_page::PeopleQuery;
use crate::core::model::snapshot::Snapshot;

/// Questions that wait for the loop. When it is full, whoever asks is told that the bridge is busy; nobody
/// waits.
const WAITING: usize = 20;

/// How long an answer is waited for. The loop answers between two events, so only a stuck one takes longer.
pub(super) const PATIENCE: Duration = Duration::from_secs(2);

/// How long the end of an act is waited for; what takes longer shows on the page.
const ACT_PATIENCE: Duration = Duration::from_secs(10);

/// What somebody wants of the loop.
#[derive(Debug)]
pub enum Asked {
    /// To know something.
    Question(Question),
    /// Something to be done, and to know how it went.
    Act(Act, oneshot::Sender<Acted>),
}

/// Somebody wants to know how everything is.
#[derive(Debug)]
pub struct Question {
    wanted: PeopleQuery,
    answer: oneshot::Sender<Snapshot>,
}

/// Whoever may ask.
#[derive(Debug, Clone)]
pub struct Asker(mpsc::Sender<Asked>);

/// A way to ask, and where the questions come out.
#[must_use]
pub fn questions() -> (Asker, mpsc::Receiver<Asked>) {
    let (asker, asked) = mpsc::channel(WAITING);
    (Asker(asker), asked)
}

impl Asker {
    /// What is known, with the people who are wanted in it; nothing from a loop that is busy, or between two
    /// turns.
    pub(super) async fn ask(&self, wanted: PeopleQuery) -> Option<Snapshot> {
        let (answer, answered) = oneshot::channel();
        self.0.try_send(Asked::Question(Question { wanted, answer })).ok()?;
        timeout(PATIENCE, answered).await.ok()?.ok()
    }

    /// How it went.
    pub(super) async fn act(&self, act: Act) -> Acted {
        let (answer, answered) = oneshot::channel();
        if self.0.try_send(Asked::Act(act, answer)).is_err() {
            return Err("the bridge is busy; try again".into());
        }
        match timeout(ACT_PATIENCE, answered).await {
            Ok(Ok(acted)) => acted,
            Ok(Err(_)) => Err("the bridge restarts; try again in a few seconds".into()),
            Err(_) => Ok("This takes longer; this page will show the result."),
        }
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
