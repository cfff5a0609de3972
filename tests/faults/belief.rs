//! What a consumer may rely on at every moment, also while everything is broken, checked on all that was
//! heard.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use presence2mqtt::config::Config;
use presence2mqtt::core::model::settings::OnStale;
use presence2mqtt::simulate::{Endpoint, Request, ledger};
use serde_json::Value;

use crate::observer::{Note, Noted};
use crate::people::{People, Told, overdue};
use crate::script::Script;
use crate::setup::{REQUEST_TIMEOUT, Setup};
use crate::stage::{LEFTOVER, Stage};
use crate::truth::place;

/// What a machine that is busy with many scenarios may add.
const MARGIN: Duration = Duration::from_millis(1_500);

/// The tenant's clock is known only so well.
const CLOCKS: Duration = Duration::from_millis(20);

/// What is on the topics of one user.
#[derive(Debug, Clone, Default)]
struct Shown {
    availability: String,
    activity: String,
    health: String,
    /// Both words as the state has them.
    state: (String, String),
    /// Since when the words are shown and believed; nothing while they are not.
    believed_from: Option<Instant>,
}

/// All that is checked, and against what.
pub(crate) struct Belief<'a> {
    people: &'a People,
    setup: &'a Setup,
    quiet: bool,
    /// A word may be believed for this long after it was last true.
    lives: Duration,
    /// Somebody may be believed for this long after Graph fell silent.
    outlives: Duration,
    runs: Vec<Instant>,
    silences: Vec<(Instant, Instant)>,
    answers: Vec<(Instant, Request)>,
    places: BTreeMap<String, usize>,
    /// Who is followed in every run.
    always: BTreeSet<String>,
    shown: BTreeMap<String, Shown>,
    online: bool,
    /// Whose health was heard since the last `online`.
    told_health: BTreeSet<String>,
    /// How many silences were long enough to show something.
    pub(crate) bites: usize,
    pub(crate) violations: Vec<String>,
}

impl<'a> Belief<'a> {
    pub(crate) async fn new(stage: &'a Stage, setup: &'a Setup, script: &Script, first: &Config) -> Self {
        let bridge = stage.bridge.lock().await;
        let requests = stage.people.tenant.requests();
        assert!(requests.total < ledger::REMEMBERED as u64, "the ledger is too short for this scenario");
        // A request that was left hanging counts as unanswered, but is answered when the fault ends.
        let is_answer = |request: &Request| matches!(request.status, Some(200) | None);
        let answers = requests.log.into_iter().filter(is_answer);
        // What stands between bridge and broker is noticed by silence: by the bridge after two pings, by the
        // broker after one and a half, which it looks for now and then.
        let by_silence = if script.troubles_the_broker() { setup.keep_alive() * 4 } else { Duration::ZERO };
        let silences = stage.silences.lock().unwrap().clone();
        Self {
            people: &stage.people,
            setup,
            quiet: !script.troubles_the_broker(),
            lives: setup.stale_after + REQUEST_TIMEOUT + MARGIN + by_silence,
            outlives: setup.stale_after + MARGIN + by_silence,
            runs: bridge.runs.clone(),
            answers: answers.map(|request| (stage.began + request.at, request)).collect(),
            places: first
                .users
                .iter()
                .map(|user| (user.name.to_string(), place(&stage.people, &user.id)))
                .collect(),
            always: bridge.config.users.iter().map(|user| user.name.to_string()).collect(),
            shown: BTreeMap::new(),
            online: false,
            told_health: BTreeSet::new(),
            bites: 0,
            violations: Vec::new(),
            silences,
        }
    }

    /// Checks everything that was heard, in order.
    pub(crate) fn check(&mut self, notes: &[Note]) {
        for note in notes {
            match &note.what {
                Noted::Connected | Noted::Lost => {
                    self.disbelieve_all(note.at);
                    self.online = false;
                    self.shown.clear();
                    self.told_health.clear();
                }
                Noted::Heard { topic, payload, retained } => self.heard(note.at, topic, payload, !retained),
            }
        }
        let end = notes.last().map_or_else(Instant::now, |note| note.at);
        self.disbelieve_all(end);
        self.bites = self.silences.iter().filter(|(from, until)| *from + self.outlives < *until).count();
    }

    fn heard(&mut self, at: Instant, topic: &str, payload: &str, live: bool) {
        let Some((name, field)) = topic.strip_prefix("presence/").and_then(|rest| rest.split_once('/'))
        else {
            return self.violated(at, format!("{topic} is no topic of the bridge's"));
        };
        if name == "bridge" && field == "state" {
            return self.heard_of_bridge(at, payload, live);
        }
        if name == "bridge" || name == LEFTOVER {
            return;
        }
        let Some(&place) = self.places.get(name) else {
            return self.violated(at, format!("{topic} is about nobody who is followed"));
        };
        self.disbelieve(at, name);
        let shown = self.shown.entry(name.to_owned()).or_default();
        match field {
            "availability" => payload.clone_into(&mut shown.availability),
            "activity" => payload.clone_into(&mut shown.activity),
            "health" => payload.clone_into(&mut shown.health),
            "state" if payload.is_empty() => shown.state = (String::new(), String::new()),
            "state" => {
                let state: Value = serde_json::from_str(payload).unwrap();
                let word = |member| state[member].as_str().unwrap().to_owned();
                shown.state = (word("availability"), word("activity"));
            }
            _ => return,
        }
        let shown = shown.clone();
        if live && !payload.is_empty() {
            match field {
                "availability" => self.check_order(at, name, &shown),
                "health" => self.check_health(at, name, place, payload),
                "state" => self.check_told(at, name, place, &shown),
                _ => {}
            }
        }
        self.believe(at, name);
    }

    fn heard_of_bridge(&mut self, at: Instant, payload: &str, live: bool) {
        self.disbelieve_all(at);
        self.online = payload == "online";
        if self.online && live {
            let missing: Vec<&String> = self.always.difference(&self.told_health).collect();
            if !missing.is_empty() {
                self.violated(at, format!("online before the health of {missing:?}"));
            }
            self.told_health.clear();
        }
        let names: Vec<String> = self.shown.keys().cloned().collect();
        names.iter().for_each(|name| self.believe(at, name));
    }

    /// Whoever acts upon availability finds the rest already new.
    fn check_order(&mut self, at: Instant, name: &str, shown: &Shown) {
        let faded = self.setup.on_stale == OnStale::Unknown && shown.availability == "PresenceUnknown";
        let together = (shown.availability.clone(), shown.activity.clone());
        if !faded && together != shown.state {
            self.violated(at, format!("{name} is {together:?} while the state says {:?}", shown.state));
        }
    }

    /// Nothing is invented, and nothing is known before it is true.
    fn check_told(&mut self, at: Instant, name: &str, place: usize, shown: &Shown) {
        let (availability, activity) = &shown.state;
        let told = |told: &Told| told.from <= at && told.words == (availability.as_str(), activity.as_str());
        if !self.people.diary(place).iter().any(told) {
            self.violated(at, format!("{name} was never {:?} before", shown.state));
        }
    }

    fn check_health(&mut self, at: Instant, name: &str, place: usize, health: &str) {
        self.told_health.insert(name.to_owned());
        // What was under way while a line was broken may come after the run has ended.
        let run = if self.quiet { self.runs.iter().rev().find(|run| **run <= at) } else { self.runs.first() };
        let run = *run.expect("nobody speaks before the first run");
        let id = self.people.person(place).id.to_string();
        let about = |request: &Request| match request.endpoint {
            Endpoint::PresencesByUserId => true,
            Endpoint::UserPresence | Endpoint::CommunicationsPresence => request.path.contains(&id),
            _ => false,
        };
        let mut answers = self.answers.iter();
        if health == "ok"
            && !answers.any(|(when, request)| run <= *when && *when <= at + CLOCKS && about(request))
        {
            let after: Vec<Duration> =
                self.answers.iter().take(3).map(|(when, _)| when.saturating_duration_since(run)).collect();
            self.violated(at, format!("{name} is ok before the first answer of the run, see {after:?}"));
        }
    }

    fn believe(&mut self, at: Instant, name: &str) {
        let online = self.online;
        if let Some(shown) = self.shown.get_mut(name).filter(|shown| online && shown.health == "ok") {
            shown.believed_from.get_or_insert(at);
        }
    }

    fn disbelieve_all(&mut self, at: Instant) {
        let names: Vec<String> = self.shown.keys().cloned().collect();
        names.iter().for_each(|name| self.disbelieve(at, name));
    }

    /// The end of a time in which the same words were believed: they must have been true, or have been a
    /// moment ago.
    fn disbelieve(&mut self, until: Instant, name: &str) {
        let Some(shown) = self.shown.get_mut(name) else { return };
        let Some(from) = shown.believed_from.take() else { return };
        let shown = shown.clone();
        let lives = self.lives;
        for (silent, heard_again) in self.silences.clone() {
            let (from, until) = (from.max(silent + self.outlives), until.min(heard_again));
            if from < until {
                let text = format!("{name} was still believed {:?} after Graph fell silent", until - silent);
                self.violated(until, text);
            }
        }
        // Somebody who never lasts for the debounce time is shown as they last were for so long.
        if self.setup.debounce.is_zero() {
            let told = self.people.diary(self.places[name]);
            let availability = overdue(&told, |words| words.0 == shown.availability, from..until, lives);
            let activity = overdue(&told, |words| words.1 == shown.activity, from..until, lives);
            let too_long = availability.max(activity);
            if !too_long.is_zero() {
                let words = (&shown.availability, &shown.activity);
                self.violated(
                    until,
                    format!("{name} was believed to be {words:?} for {too_long:?} too long"),
                );
            }
        }
    }

    fn violated(&mut self, at: Instant, text: String) {
        let since = self.runs.first().map_or(Duration::ZERO, |first| at.saturating_duration_since(*first));
        self.violations.push(format!("at {since:.3?}: {text}"));
    }
}
