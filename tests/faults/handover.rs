//! One scenario with two instances, from their start to their end, and what must hold all the time.

use std::collections::BTreeSet;
use std::fmt::Write;
use std::time::{Duration, Instant};

use presence2mqtt::simulate::Endpoint;
use tokio::time::{sleep, timeout};

use crate::condition::Condition;
use crate::observer::{Note, Noted};
use crate::pair::{BUDGET, NAMES, Pair, STANDBY};
use crate::stage::within;
use crate::takeover::{Plan, Trouble, Upset, Who};
use crate::truth::Retained;
use crate::turns::{PING, Word, alone, together, turns, word};

/// Between two pings of somebody who wants to know it exactly: of five in a second all are answered.
const ASK_EVERY: Duration = Duration::from_millis(300);

/// At the beginning, and after a trouble until both are in their places again: the waits of the start, and
/// the 12 s in which one must say that it waits.
const WHOLE_WITHIN: Duration = Duration::from_secs(15);

/// Longer than any scenario takes.
const LIMIT: Duration = Duration::from_secs(150);

/// Words may be published for so long after they were last true: read once a second, in at most 2 s, on a
/// busy machine.
const LIVES: Duration = Duration::from_millis(3_500);

/// What a machine that is busy with many scenarios may add; the figures show what it did add.
const MARGIN: Duration = Duration::from_secs(1);

/// What came of a trouble.
#[derive(Debug, Clone)]
pub(crate) struct Outcome {
    pub(crate) kind: String,
    /// Until somebody held the place and all was right.
    pub(crate) after: Duration,
    pub(crate) bound: Duration,
    /// The longest that two seemed to hold the place, in all of the scenario.
    pub(crate) together: Duration,
    /// Values that a next holder said again though they stood there already, in all of the scenario.
    pub(crate) repeated: usize,
    /// The most requests in 30 s, in all of the scenario.
    pub(crate) requests: usize,
}

/// When a trouble was there.
struct Span {
    from: Instant,
    right: Instant,
    until: Instant,
    holder: Word,
}

/// Plays a plan. An error is what was wrong.
pub(crate) async fn run(plan: &Plan, seed: u64) -> Result<Vec<Outcome>, String> {
    let mut random = fastrand::Rng::with_seed(seed);
    let pair = Pair::set(plan, &mut random).await;
    let result = tokio::select! {
        result = timeout(LIMIT, play(&pair, plan, &mut random)) => result.unwrap_or_else(|_| Err("it does not end".to_owned())),
        () = ask(&pair) => unreachable!(),
    };
    let result = match result {
        Ok(outcomes) => Ok(outcomes),
        Err(failure) => Err(format!("{failure}{}", told(&pair).await)),
    };
    pair.strike().await;
    result
}

/// Asks again and again whether anybody holds the place.
async fn ask(pair: &Pair) {
    loop {
        pair.observer.repeat(&format!("{STANDBY}ping"), "\"anybody\"", ASK_EVERY).await;
    }
}

async fn play(pair: &Pair, plan: &Plan, random: &mut fastrand::Rng) -> Result<Vec<Outcome>, String> {
    pair.instances[0].lock().await.start();
    sleep(plan.apart).await;
    pair.instances[1].lock().await.start();
    let mut holder = whole(pair, "at the start").await?;
    let (mut spans, mut outcomes) = (Vec::new(), Vec::new());
    for upset in &plan.upsets {
        let (span, next) = trouble(pair, upset, &holder, random).await?;
        let handed_over = next.process != holder.process;
        if handed_over && upset.trouble.leaves_the_holder_alone() {
            return Err(format!("{}: {} took over from {holder:?}", upset.trouble, next.instance));
        }
        let began = if upset.trouble.is_for_everybody() { span.until } else { span.from };
        outcomes.push(Outcome {
            kind: format!("{}{}", upset.trouble, if handed_over { "" } else { ", who stays the holder" }),
            after: span.right.saturating_duration_since(began),
            bound: upset.trouble.bound(),
            together: Duration::ZERO,
            repeated: 0,
            requests: 0,
        });
        spans.push(span);
        holder = next;
    }
    let mut failures = goodbye(pair, &holder).await?;
    let (most, denied) = requests(pair);
    if denied > 0 || most > BUDGET {
        failures.push(format!("{most} requests in 30 s, {denied} of them denied"));
    }
    let notes = pair.observer.record().notes.clone();
    let words: Vec<Word> = notes.iter().filter_map(word).collect();
    let (long, at) = together(&words).unwrap_or((Duration::ZERO, pair.began));
    if long > PING {
        failures.push(format!("two hold the place for {long:.1?} from {:.1?} on", at - pair.began));
    }
    for (n, span) in spans.iter().enumerate() {
        let until = spans.get(n + 1).map_or_else(|| words.last().unwrap().at, |next| next.from);
        let turns = turns(&words, span.from, until, &span.holder.process);
        if turns.len() > 1 + usize::from(turns.first() == Some(&span.holder.process.as_str())) {
            failures
                .push(format!("the place went from one to the next during and after trouble {n}: {turns:?}"));
        }
        let long = alone(&words, span.right.max(span.until), until);
        if long > PING + MARGIN {
            failures.push(format!("nobody holds the place for {long:.1?} after trouble {n}"));
        }
    }
    let (repeated, wrong) = values(pair, &notes, &spans);
    failures.extend(wrong);
    for Outcome { kind, after, bound, .. } in
        outcomes.iter().filter(|outcome| outcome.after > outcome.bound + MARGIN)
    {
        failures.push(format!("{kind}: right after {after:.2?}, must be within {bound:?}"));
    }
    for outcome in &mut outcomes {
        (outcome.together, outcome.repeated, outcome.requests) = (long, repeated, most);
    }
    if failures.is_empty() { Ok(outcomes) } else { Err(failures.join("\n  ")) }
}

/// Plays one trouble to its end, and until both are in their places again; returns who holds the place then.
async fn trouble(
    pair: &Pair,
    upset: &Upset,
    holder: &Word,
    random: &mut fastrand::Rng,
) -> Result<(Span, Word), String> {
    let Upset { trouble, lasts } = *upset;
    let held = which(holder);
    let somebody =
        |random: &mut fastrand::Rng| pair.people.move_on(random.usize(0..pair.people.count()), random);
    // Who goes at once has read it, or the next one does.
    somebody(random);
    let from = Instant::now();
    let over = tokio::sync::watch::Sender::new(None);
    let right = async {
        loop {
            let since = if trouble.is_for_everybody() { *over.borrow() } else { Some(from) };
            let other = |word: &Word| {
                let is_over = over.borrow().is_some_and(|over| word.at > over);
                is_over || !trouble.takes_away_the_holder() || word.process != holder.process
            };
            if since.and_then(|since| pair.holder(since)).is_some_and(|word| other(&word))
                && pair.wrong(&pair.observer.record().now).is_empty()
            {
                return Instant::now();
            }
            pair.moment().await;
        }
    };
    let upset = async {
        let mut kept = None;
        begin(pair, trouble, held, &mut kept).await;
        let more = lasts.min(Duration::from_millis(random.u64(0..2_500)));
        sleep(more).await;
        if !matches!(trouble, Trouble::Stopped(_)) {
            somebody(random);
        }
        sleep(lasts - more).await;
        end(pair, trouble, held, kept.unwrap_or_default()).await;
        over.send_replace(Some(Instant::now()));
    };
    let limit = lasts + trouble.bound() + WHOLE_WITHIN;
    let both = async { tokio::join!(right, upset).0 };
    let Ok(right) = timeout(limit, both).await else {
        let wrong = pair.wrong(&pair.observer.record().now).join("\n  ");
        return Err(format!("{trouble}: not right after {limit:.1?}:\n  {wrong}"));
    };
    somebody(random);
    let until = over.borrow().unwrap();
    let next = whole(pair, &format!("after {trouble}")).await?;
    Ok((Span { from, right, until, holder: holder.clone() }, next))
}

async fn begin(pair: &Pair, trouble: Trouble, held: usize, kept: &mut Option<Retained>) {
    let of = |who| if who == Who::Holder { held } else { 1 - held };
    match trouble {
        Trouble::Killed(who) => pair.instances[of(who)].lock().await.kill(),
        Trouble::Frozen(who) => pair.instances[of(who)].lock().await.signal("STOP"),
        Trouble::Stopped(who) => pair.instances[of(who)].lock().await.stop().await,
        Trouble::CutOff(who, condition) => Pair::set_lines(&pair.broker_lines, &[of(who)], condition),
        Trouble::BothCutOff(condition) => Pair::set_lines(&pair.broker_lines, &[0, 1], condition),
        Trouble::Blind(condition) => Pair::set_lines(&pair.graph_lines, &[held], condition),
        Trouble::BrokerLost { with_holder, keeps } => {
            let before = pair.lose_broker().await;
            *kept = keeps.then_some(before);
            if with_holder {
                pair.instances[held].lock().await.kill();
            }
        }
    }
}

async fn end(pair: &Pair, trouble: Trouble, held: usize, kept: Retained) {
    let of = |who| if who == Who::Holder { held } else { 1 - held };
    match trouble {
        Trouble::Killed(who) | Trouble::Stopped(who) => pair.instances[of(who)].lock().await.start(),
        Trouble::Frozen(who) => pair.instances[of(who)].lock().await.signal("CONT"),
        Trouble::CutOff(..) | Trouble::BothCutOff(_) => {
            Pair::set_lines(&pair.broker_lines, &[0, 1], Condition::Open);
        }
        Trouble::Blind(_) => Pair::set_lines(&pair.graph_lines, &[held], Condition::Open),
        Trouble::BrokerLost { with_holder, .. } => {
            pair.start_broker(kept).await;
            if with_holder {
                pair.instances[held].lock().await.start();
            }
        }
    }
}

fn which(holder: &Word) -> usize {
    usize::from(holder.instance == NAMES[1])
}

/// Waits until one holds the place, the other one says that it waits, and all is right, also for who comes
/// late.
async fn whole(pair: &Pair, when: &str) -> Result<Word, String> {
    let from = Instant::now();
    loop {
        let holder = pair.holder(from);
        let wrong = |found: &Retained| {
            let mut wrong = pair.wrong(found);
            let waiting = Pair::waiting(found);
            match &holder {
                None => wrong.push("nobody holds the place".to_owned()),
                Some(word) if waiting == [1 - which(word)] => {}
                Some(word) => wrong.push(format!("{} holds the place, {waiting:?} wait", word.instance)),
            }
            wrong
        };
        let mut differ = wrong(&pair.observer.record().now);
        if differ.is_empty() {
            differ = wrong(&pair.observer.found_by_a_latecomer().await?);
            if let (true, Some(word)) = (differ.is_empty(), &holder) {
                return Ok(word.clone());
            }
        }
        if from.elapsed() > WHOLE_WITHIN {
            return Err(format!("{when}: not whole after {WHOLE_WITHIN:?}:\n  {}", differ.join("\n  ")));
        }
        pair.moment().await;
    }
}

/// The one that waits leaves, then the other one: neither leaves more behind than that it is gone.
async fn goodbye(pair: &Pair, holder: &Word) -> Result<Vec<String>, String> {
    let held = which(holder);
    for which in [1 - held, held] {
        within("the end of an instance", async { pair.instances[which].lock().await.stop().await }).await;
    }
    let offline = |now: &Retained| now.get("presence/bridge/state").is_some_and(|state| state == "offline");
    pair.observer.until("offline, as the last word", |record| offline(&record.now)).await;
    let found = pair.observer.found_by_a_latecomer().await?;
    let left = found.keys().filter(|topic| topic.starts_with(STANDBY));
    Ok(left.map(|topic| format!("{topic} is left behind")).collect())
}

/// The most requests to Graph in any 30 s, and how many were denied.
fn requests(pair: &Pair) -> (usize, usize) {
    let log = pair.people.tenant.requests().log;
    let denied = log.iter().filter(|request| request.status == Some(429)).count();
    let ats: Vec<Duration> =
        log.iter().filter(|request| request.endpoint != Endpoint::Token).map(|request| request.at).collect();
    let until = |from: Duration| ats.partition_point(|at| *at < from + Duration::from_secs(30));
    let most = ats.iter().enumerate().map(|(n, from)| until(*from) - n).max().unwrap_or(0);
    (most, denied)
}

/// How many values a next holder said again, as every bridge that starts does; and those that one said twice,
/// or that had not been true for too long.
fn values(pair: &Pair, notes: &[Note], spans: &[Span]) -> (usize, Vec<String>) {
    let (mut shown, mut repeated, mut wrong) = (Retained::new(), 0, Vec::new());
    let (mut holder, mut said) = (None, BTreeSet::new());
    for note in notes {
        if let Some(Word { process, .. }) = word(note)
            && holder.as_ref() != Some(&process)
        {
            holder = Some(process);
            said.clear();
        }
        let Noted::Heard { topic, payload, retained } = &note.what else {
            shown.clear();
            said.clear();
            continue;
        };
        if topic == "presence/bridge/state" && payload == "offline" {
            said.clear();
        }
        let Some((place, field)) = topic.strip_prefix("presence/user").and_then(|rest| rest.split_once('/'))
        else {
            continue;
        };
        let before = shown.insert(topic.clone(), payload.clone());
        if *retained || payload.is_empty() || !matches!(field, "availability" | "activity") {
            continue;
        }
        let is_first = said.insert(topic);
        if before.as_ref() == Some(payload) {
            repeated += 1;
            if !is_first {
                wrong.push(format!(
                    "at {:.2?}: {topic} is {payload}, which is said twice",
                    note.at - pair.began
                ));
            }
        }
        // One that was stopped in its tracks, or whose line was, goes on with what it had on its lips; a next
        // one has none.
        let same = |span: &Span| holder.as_ref() == Some(&span.holder.process);
        let excused =
            |span: &Span| (span.from..span.until.max(span.right) + MARGIN).contains(&note.at) && same(span);
        let words = pair.people.diary(place.parse().unwrap());
        let mut said = words.iter().filter(|told| {
            let said = if field == "availability" { told.words.0 } else { told.words.1 };
            said == payload && told.from <= note.at && told.until.is_none_or(|until| until + LIVES >= note.at)
        });
        if said.next().is_none() && !spans.iter().any(excused) {
            wrong.push(format!("at {:.2?}: {topic} is {payload}, which is old", note.at - pair.began));
        }
    }
    (repeated, wrong)
}

/// What can be told of a scenario that failed.
async fn told(pair: &Pair) -> String {
    let mut text = String::from("\n  who held the place, and what else was heard last:\n");
    let record = pair.observer.record().notes.clone();
    let mut last = None;
    for note in &record {
        let at = note.at - pair.began;
        match (word(note), &note.what) {
            (Some(word), _) if last.as_ref() == Some(&word.process) => {}
            (Some(word), _) => {
                writeln!(text, "    {at:.2?} {} holds ({})", word.instance, word.process).unwrap();
                last = Some(word.process);
            }
            (None, Noted::Heard { topic, .. })
                if topic.starts_with("presence/user") || topic.ends_with("ping") => {}
            (None, Noted::Heard { topic, payload, retained }) => {
                writeln!(
                    text,
                    "    {at:.2?} {topic} {payload} {}",
                    if *retained { "(retained)" } else { "" }
                )
                .unwrap();
            }
            (None, other) => writeln!(text, "    {at:.2?} {other:?}").unwrap(),
        }
    }
    for (name, instance) in NAMES.iter().zip(&pair.instances) {
        writeln!(text, "  {name} said:\n    {}", instance.lock().await.said()).unwrap();
    }
    text
}
