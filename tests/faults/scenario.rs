//! One scenario from its beginning to the moment in which everything is right again.

use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::belief::Belief;
use crate::observer::Noted;
use crate::play::{REFRESH, play};
use crate::script::Script;
use crate::setup::Setup;
use crate::stage::Stage;
use crate::truth::{Retained, differences};

/// The longest that a bridge waits before it tries Graph again is 30 s; then everything is right in a moment.
const LIMIT: Duration = Duration::from_secs(35);

/// Whoever Graph refused is looked at again by itself only after minutes: from now on somebody asks.
const PATIENCE: Duration = Duration::from_secs(3);

/// Between two requests for a refresh.
const ASK_EVERY: Duration = Duration::from_secs(2);

/// Messages of the record that a failure shows.
const SHOWN: usize = 60;

/// How a scenario ended well.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Outcome {
    /// From the end of the last fault until all was right.
    pub(crate) after: Duration,
    /// Graph had refused somebody, and somebody asked for a refresh.
    pub(crate) asked: bool,
    /// Silences of Graph that were long enough to prove that nobody was believed meanwhile.
    pub(crate) bites: usize,
    /// Messages heard.
    pub(crate) heard: usize,
}

/// Plays a scenario. An error is what was wrong.
pub(crate) async fn run(setup: &Setup, script: &Script, seed: u64) -> Result<Outcome, String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let stage = Stage::set(setup, None, &mut random).await;
    if setup.leftover {
        stage.leave_somebody().await;
    }
    let first = stage.bridge.lock().await.config.clone();
    stage.bridge.lock().await.start();
    play(&stage, script, &mut random).await;
    for place in 0..stage.people.count() {
        if setup.include_messages {
            stage.people.move_on_with_message(place, &mut random);
        } else {
            stage.people.move_on(place, &mut random);
        }
    }
    let settled = settle(&stage, script).await;
    let mut belief = Belief::new(&stage, setup, script, &first).await;
    belief.check(&stage.observer.record().notes);
    let (bites, violations) = (belief.bites, belief.violations);
    let heard = stage.observer.record().notes.len();
    let mut failure = violations.join("\n  ");
    if let Err(difference) = &settled {
        write!(failure, "{difference}\n  the last that was heard:\n{}", tail(&stage)).unwrap();
    }
    goodbye(&stage).await;
    stage.strike().await;
    match settled {
        Ok((after, asked)) if failure.is_empty() => Ok(Outcome { after, asked, bites, heard }),
        Ok(_) | Err(_) => Err(failure),
    }
}

/// Waits until somebody who comes late finds the truth; says how long it took, and whether somebody had to
/// ask.
pub(crate) async fn settle(stage: &Stage, script: &Script) -> Result<(Duration, bool), String> {
    let config = stage.bridge.lock().await.config.clone();
    let wrong = |found: &Retained| differences(found, &stage.people, &config);
    let over = Instant::now();
    let mut ask_at = script.denies().then_some(over + PATIENCE);
    let mut asked = false;
    loop {
        let seen = stage.observer.record().notes.len();
        let mut difference = wrong(&stage.observer.record().now);
        if difference.is_empty() {
            let after = over.elapsed();
            let found = stage.observer.found_by_a_latecomer().await;
            difference = wrong(&found?);
            if difference.is_empty() {
                return Ok((after, asked));
            }
        }
        let now = Instant::now();
        if now >= over + LIMIT {
            return Err(format!("not right after {LIMIT:?}:\n  {}", difference.join("\n  ")));
        }
        if let Some(due) = ask_at.filter(|due| *due <= now) {
            ask_at = Some(due + ASK_EVERY);
            // Nobody could know that there is something to ask for, did health not say so.
            if somebody_is_refused(&stage.observer.record().now) {
                asked = true;
                stage.observer.publish(REFRESH, "", false).await?;
            }
        }
        let next = ask_at.unwrap_or(over + LIMIT).min(over + LIMIT);
        stage.observer.hears_by(seen, next).await;
    }
}

fn somebody_is_refused(now: &Retained) -> bool {
    now.iter().any(|(topic, health)| {
        topic.ends_with("/health") && matches!(health.as_str(), "forbidden" | "not_found")
    })
}

/// The last word of a bridge that is stopped while all is well is that it is gone.
async fn goodbye(stage: &Stage) {
    stage.bridge.lock().await.stop().await;
    let offline = |now: &Retained| now.get("presence/bridge/state").is_some_and(|state| state == "offline");
    stage.observer.until("offline, as the last word", |record| offline(&record.now)).await;
}

fn tail(stage: &Stage) -> String {
    let record = stage.observer.record();
    let from = record.notes.len().saturating_sub(SHOWN);
    let mut text = String::new();
    for note in &record.notes[from..] {
        let at = note.at.duration_since(stage.began);
        match &note.what {
            Noted::Heard { topic, payload, retained } => {
                let kept = if *retained { " (retained)" } else { "" };
                writeln!(text, "    {at:.3?} {topic} {payload}{kept}").unwrap();
            }
            other @ (Noted::Connected | Noted::Lost) => writeln!(text, "    {at:.3?} {other:?}").unwrap(),
        }
    }
    text
}
