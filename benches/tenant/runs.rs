//! What is measured, and the lines that say what came out.

use std::collections::HashSet;
use std::fmt::Display;
use std::thread::sleep;
use std::time::{Duration, Instant};

use super::bare;
use super::listener::Listener;
use super::options::Options;
use super::stage::{LIMIT, Stage, everybody};

/// Changes that a full resend has to begin with.
const NEWEST: f64 = 0.002;

/// After a change: until it is surely published.
const SOON: Duration = Duration::from_secs(3);

/// What cycles under load have cost.
pub(crate) struct Load {
    pub(crate) first_publish: Duration,
    /// Over all tenants, and of the one that is worst off.
    pub(crate) refused: usize,
    pub(crate) cycles: usize,
    pub(crate) longest_gap: Duration,
    pub(crate) cores: f64,
    pub(crate) peak: u64,
    pub(crate) latencies: Vec<Duration>,
    pub(crate) missed: usize,
}

/// First full publish, then cycles in which a share changes.
pub(crate) fn load(options: &Options) -> Load {
    let (stage, first) = Stage::set(options, |port| everybody(port, false));
    let first_publish = stage.published(&first);
    drop(first);
    say(
        "first full publish",
        format!("{:.2} s for {} people", first_publish.as_secs_f64(), options.everybody()),
    );
    let at_first = stage.bridge.cost();
    say(
        "so far",
        format!(
            "{:.2} s of the processor, {} KiB resident, {} KiB at most",
            at_first.time.as_secs_f64(),
            at_first.resident,
            at_first.peak
        ),
    );
    // The cycle in which everybody was new is over when everybody was read once more.
    sleep(Duration::from_secs(options.cycle));
    let changes = stage.listens();
    stage.change(options.share);
    sleep(Duration::from_secs(1));
    let (before, began) = (stage.begin(), Instant::now());
    sleep(Duration::from_secs(options.duration));
    let (after, took) = (stage.bridge.cost(), began.elapsed());
    let messages = changes.kept().messages;
    let counted = stage.counted();
    stage.change(0.0);
    sleep(SOON);
    let (latencies, missed) = stage.latencies(&changes);
    let cores = after.time.saturating_sub(before.time).as_secs_f64() / took.as_secs_f64();
    for (number, counted) in (1..).zip(&counted) {
        if options.tenants > 1 {
            say("tenant", number);
        }
        say("people read in each 30 s", counted.text("read"));
        let (requests, refused) = (counted.number("requests"), counted.number("refused"));
        let rate = requests as f64 * 30.0 / took.as_secs_f64();
        say("requests", format!("{requests}, {refused} refused with 429, {rate:.1} in 30 s"));
        let (cycles, gap) = (counted.number("cycles"), counted.number("longest_gap_ms"));
        say("whole cycles", format!("{cycles} in {:.1} s", took.as_secs_f64()));
        say("longest time between two readings of one person", format!("{gap} ms"));
    }
    say("bridge", format!("{cores:.3} cores, {} KiB resident, {} KiB at most", after.resident, after.peak));
    say("memory for each person", format!("{} bytes", after.resident * 1024 / options.everybody() as u64));
    say("published", format!("{:.0} messages/s heard", messages as f64 / took.as_secs_f64()));
    say_latencies(&latencies, missed);
    let refused = counted.iter().map(|counted| counted.number("refused")).sum();
    let cycles = counted.iter().map(|counted| counted.number("cycles")).min().unwrap();
    let longest_gap = counted.iter().map(|counted| counted.number("longest_gap_ms")).max().unwrap();
    let longest_gap = Duration::from_millis(longest_gap as u64);
    Load { first_publish, refused, cycles, longest_gap, cores, peak: after.peak, latencies, missed }
}

/// What a full resend has cost.
pub(crate) struct Resend {
    pub(crate) first_publish: Duration,
    pub(crate) took: Duration,
    /// KiB at most, above what was resident before.
    pub(crate) more_memory: u64,
    pub(crate) newest_first: bool,
}

/// First full publish, then a broker that lost its store, then a bare loop of rumqttc with the same messages.
pub(crate) fn resend(options: &Options) -> Resend {
    let (mut stage, first) = Stage::set(options, |port| everybody(port, false));
    let first_publish = stage.published(&first);
    drop(first);
    say(
        "first full publish",
        format!("{:.2} s for {} people", first_publish.as_secs_f64(), options.everybody()),
    );
    sleep(Duration::from_secs(options.cycle));
    // A few change, and must come first.
    stage.begin();
    stage.change(NEWEST);
    sleep(Duration::from_secs(options.cycle));
    stage.change(0.0);
    sleep(SOON);
    let newest: HashSet<usize> = stage.changes().into_iter().map(|(place, _, _)| place).collect();
    let before = stage.begin();
    let listening = stage.broker.lose_everything();
    let heard = everybody(stage.broker.port, false);
    let online = heard.until("online again", LIMIT, |heard| heard.online.is_some()).online.unwrap();
    let after = stage.bridge.cost();
    let (took, cost) = (online - listening, after.time.saturating_sub(before.time));
    let newest_first = {
        let heard = heard.kept();
        assert_eq!(heard.people(), options.everybody(), "not everybody was sent again");
        heard.order[..newest.len()].iter().all(|place| newest.contains(place))
    };
    drop(heard);
    let messages = retained(stage.broker.port, 4 * options.everybody() + 3);
    let (count, seconds) = (messages.len(), took.as_secs_f64());
    let rate = count as f64 / seconds;
    say(
        "full resend",
        format!("{seconds:.2} s until online, {count} messages, {rate:.0}/s, {cost:.2?} of the processor"),
    );
    say("newest first", format!("{newest_first}: {} had changed", newest.len()));
    let more_memory = after.peak.saturating_sub(before.resident);
    say(
        "memory",
        format!("{} KiB resident before, {more_memory} KiB more at most meanwhile", before.resident),
    );
    stage.bridge.kill();
    stage.broker.lose_everything();
    let _beside = everybody(stage.broker.port, false);
    let bare = bare::publish(stage.broker.port, messages).as_secs_f64();
    let ratio = bare / seconds;
    say(
        "bare rumqttc loop",
        format!("{bare:.2} s, {:.0}/s; the bridge has {ratio:.2} of its rate", count as f64 / bare),
    );
    Resend { first_publish, took, more_memory, newest_first }
}

/// Few changes, each timed.
pub(crate) fn latency(options: &Options) -> (Vec<Duration>, usize) {
    let (stage, first) = Stage::set(options, |port| everybody(port, false));
    stage.published(&first);
    drop(first);
    sleep(Duration::from_secs(options.cycle));
    let changes = stage.listens();
    stage.begin();
    stage.change(options.share);
    sleep(Duration::from_secs(options.duration));
    stage.change(0.0);
    sleep(SOON);
    let (latencies, missed) = stage.latencies(&changes);
    say_latencies(&latencies, missed);
    (latencies, missed)
}

/// What one person over https costs.
pub(crate) struct One {
    pub(crate) first_presence: Duration,
    pub(crate) cores: f64,
    /// KiB.
    pub(crate) resident: u64,
}

/// One person over https: what it costs to be there, and how soon they are after a start.
pub(crate) fn one(options: &Options) -> One {
    let options = Options { people: 1, tenants: 1, https: true, ..options.clone() };
    let (mut stage, first) = Stage::set(&options, |port| everybody(port, false));
    let first_presence = {
        let heard = first.until("a presence", LIMIT, |heard| heard.people() == 1);
        heard.newest.unwrap() - stage.began
    };
    say("first retained presence", format!("{first_presence:.2?} after the start, on an empty broker"));
    let mut starts: Vec<Duration> = (0..options.starts).map(|_| stage.start_again()).collect();
    starts.sort();
    if let [shortest, .., longest] = starts[..] {
        let median = starts[starts.len() / 2];
        say("the same when started again", format!("{median:.2?} ({shortest:.2?} to {longest:.2?})"));
    }
    sleep(SOON);
    let at_most = stage.bridge.cost().peak;
    let (before, began) = (stage.begin(), Instant::now());
    sleep(Duration::from_secs(options.duration));
    let (after, took) = (stage.bridge.cost(), began.elapsed().as_secs_f64());
    let time = after.time.saturating_sub(before.time).as_secs_f64();
    say(
        "bridge",
        format!(
            "{:.3} % of a core, {:.2} ms for each {} s, {:.1} wake-ups/s",
            time * 100.0 / took,
            time * 1000.0 * options.cycle as f64 / took,
            options.cycle,
            after.wakes.saturating_sub(before.wakes) as f64 / took
        ),
    );
    say("memory", format!("{} KiB resident, {at_most} KiB at most", after.resident));
    One { first_presence, cores: time / took, resident: after.peak.max(at_most) }
}

/// Many people over https, of whom nobody changes: what reading one of them costs. The floor can do that too.
pub(crate) fn many(options: &Options) {
    let options = Options { tenants: 1, https: true, ..options.clone() };
    let (stage, first) = Stage::set(&options, |port| everybody(port, false));
    drop(first.until("everybody's availability", LIMIT, |heard| heard.people() == options.people));
    drop(first);
    sleep(Duration::from_secs(options.cycle) * 2);
    let (before, began) = (stage.begin(), Instant::now());
    sleep(Duration::from_secs(options.duration));
    let (after, took) = (stage.bridge.cost(), began.elapsed().as_secs_f64());
    let read = options.people as f64 * took / options.cycle as f64;
    let each = after.time.saturating_sub(before.time).as_secs_f64() * 1e6 / read;
    say("one person among many", format!("{each:.2} µs, {} KiB resident", after.resident));
}

/// Everything that a broker holds.
fn retained(port: u16, count: usize) -> Vec<(String, Vec<u8>)> {
    let listener = Listener::start(port, &["presence/#"], Vec::new(), |kept: &mut Vec<_>, heard| {
        kept.push((heard.topic.to_owned(), heard.payload.to_vec()));
    });
    std::mem::take(&mut *listener.until("all retained messages", LIMIT, |kept| kept.len() >= count))
}

/// One line of the outcome.
pub(crate) fn say(what: &str, value: impl Display) {
    println!("{what:<46} {value}");
}

fn say_latencies(latencies: &[Duration], missed: usize) {
    let part =
        |part: f64| latencies.get(((latencies.len() as f64) * part) as usize).copied().unwrap_or_default();
    say(
        "added latency",
        format!(
            "p50 {:.2?}, p99 {:.2?}, max {:.2?} of {} changes, {missed} never came",
            part(0.5),
            part(0.99),
            latencies.last().copied().unwrap_or_default(),
            latencies.len()
        ),
    );
}
