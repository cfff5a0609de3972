//! Several instances that take turns: when one claims the place, when it steps back, and what it does not do
//! meanwhile.

use super::*;
use crate::core::model::effect::Ending;
use crate::core::model::event::Event::{Acknowledged, Connected, Disconnected, Started, Stop, Woken};
use crate::core::model::event::RefusedFilter;
use crate::core::model::process::Process;

const PING: &str = "presence/bridge/standby/ping";
const PONG: &str = "presence/bridge/standby/pong";
const STATE: &str = "presence/bridge/state";
const OWN: &str = "presence/bridge/standby/attic";

/// Alice, read by the instance in the attic.
fn in_the_attic() -> Settings {
    changed(only_alice(), |it| {
        it.mqtt.standby = true;
        it.mqtt.instance = "attic".parse().unwrap();
    })
}

/// The bridge with the broker around it: pings come back, and somebody else may answer.
struct World {
    bridge: Bridge,
    now: f64,
    /// What the broker hands back of what is published on `standby/…`.
    echoes: bool,
    /// Who answers pings.
    answers: Option<Process>,
    /// Everything that was ordered, with its time.
    said: Vec<(f64, String)>,
    echo: Vec<Message>,
}

fn process(client_id: &str, random: u64) -> Process {
    let settings = changed(only_alice(), |it| {
        (it.mqtt.client_id, it.mqtt.instance) = (client_id.parse().unwrap(), "cellar".parse().unwrap());
    });
    Process::new(&settings.mqtt, random)
}

fn live(topic: &str, payload: impl Into<Vec<u8>>) -> Event {
    let payload = payload.into();
    Event::Message(Incoming { topic: topic.into(), payload, retained: false, reply_to: None })
}

impl World {
    fn new(settings: Settings) -> Self {
        Self {
            bridge: Bridge::new(settings, 1, at(0.0)),
            now: 0.0,
            echoes: true,
            answers: None,
            said: Vec::new(),
            echo: Vec::new(),
        }
    }

    /// Waiting since the beginning.
    fn waiting() -> Self {
        let mut world = Self::new(in_the_attic());
        world.on(Started);
        world.on(Connected);
        world.on(subscribed());
        world
    }

    /// The one that holds the place, and has published what it knows.
    fn holding() -> Self {
        let mut world = Self::waiting();
        world.until(20.0);
        world.takes_over();
        world
    }

    /// The broker lets the one that claims in, and has nothing retained.
    fn takes_over(&mut self) {
        self.on(Disconnected(LinkFailure::Closed));
        assert_eq!(self.last(), "connect");
        self.on(Connected);
        self.on(subscribed());
        self.on(subscribed());
        self.until(self.now + 0.5);
    }

    fn on(&mut self, event: Event) {
        let mut events = vec![event];
        while !events.is_empty() {
            for event in std::mem::take(&mut events) {
                let effects = self.bridge.on(event, at(self.now));
                for effect in &effects {
                    if let Effect::Broker(BrokerOrder::Publish(messages)) = effect {
                        self.echo
                            .extend(messages.iter().filter(|it| it.topic.contains("/standby/")).cloned());
                        events.push(Acknowledged(messages.len()));
                    }
                }
                self.said.extend(lines(&effects).into_iter().map(|line| (self.now, line)));
            }
            for Message { topic, payload, .. } in std::mem::take(&mut self.echo) {
                if topic == PING
                    && let Some(other) = &self.answers
                {
                    events.push(live(PONG, other.pong(payload.as_bytes())));
                }
                if self.echoes {
                    events.push(live(&topic, payload));
                }
            }
        }
    }

    /// Lets time pass until then, or until the bridge closes its connection.
    fn until(&mut self, then: f64) {
        let count = self.said.len();
        while let Some(at_) = self.bridge.wake_at(at(self.now).tick).map(|tick| tick.0.as_secs_f64())
            && at_ <= then
        {
            self.now = at_.max(self.now);
            self.on(Woken);
            if self.said[count..].iter().any(|(_, line)| line == "disconnect") {
                return;
            }
        }
        self.now = then;
    }

    fn last(&self) -> &str {
        self.said.last().map_or("", |(_, line)| line)
    }

    /// What is neither a ping nor a word that somebody lives.
    fn heard(&self) -> Vec<&str> {
        let lines = self.said.iter().map(|(_, line)| line.as_str());
        lines.filter(|line| !line.starts_with(PING) && !line.starts_with(PONG)).collect()
    }

    /// When it claimed.
    fn claimed_at(&self) -> Option<f64> {
        self.said.iter().find(|(_, line)| line.contains("taking over")).map(|(at, _)| *at)
    }

    fn forget(&mut self) {
        self.said.clear();
    }
}

#[test]
fn one_that_waits_pings_and_says_that_it_waits_and_nothing_else() {
    let mut world = World::waiting();
    world.answers = Some(process("presence2mqtt", 7));
    world.until(3600.0);
    world.on(live("presence/bridge/refresh", ""));
    world.on(live("presence/alice/set", "Busy"));
    assert_eq!(
        world.heard()[..5],
        [
            "visit",
            "subscribe presence/bridge/state presence/bridge/standby/+",
            "report: standby: waiting beside the active instance",
            &format!("{OWN} = waiting"),
            "warm up",
        ]
    );
    assert!(world.heard()[5..].iter().all(|line| *line == "warm up"), "{:?}", world.heard());
    let pings = world.said.iter().filter(|(_, line)| line.starts_with(PING)).count();
    assert!((3599..=3601).contains(&pings), "{pings}");
    let snapshot = world.bridge.snapshot(&PeopleQuery::first(1), at(world.now));
    assert!(snapshot.is_waiting() && !snapshot.is_ready());
    let standby = snapshot.broker.standby.unwrap();
    assert_eq!((standby.is_active, standby.holder.unwrap().as_str()), (false, "cellar"));
}

#[test]
fn a_retained_offline_counts_from_the_answer_to_the_subscription_on() {
    let mut world = World::new(in_the_attic());
    world.on(Started);
    world.on(Connected);
    world.on(retained(STATE, "offline"));
    assert!(
        world.bridge.wake_at(at(4.0).tick).is_some_and(|tick| tick >= at(10.0).tick),
        "nothing to do before"
    );
    world.until(5.0);
    world.on(subscribed());
    world.until(30.0);
    let claimed = world.claimed_at().unwrap();
    assert!((8.0..=8.9).contains(&claimed), "{claimed}");
}

#[test]
fn a_broker_that_answers_no_subscription_is_asked_again_and_named_once() {
    let mut world = World::new(in_the_attic());
    world.on(Started);
    world.on(Connected);
    world.until(35.0);
    let count = |what: &str| world.heard().iter().filter(|line| line.contains(what)).count();
    assert_eq!(
        (count("subscribe "), count("does not answer the subscription")),
        (4, 1),
        "{:?}",
        world.heard()
    );
    assert_eq!(world.claimed_at(), None);
}

#[test]
fn pings_that_come_back_count_in_a_row() {
    let mut world = World::waiting();
    world.answers = Some(process("presence2mqtt", 7));
    world.until(100.5);
    // Four pings come back without an answer; then the line hangs for a while, and nothing was proved by
    // that.
    world.answers = None;
    world.until(103.9);
    world.echoes = false;
    world.until(120.5);
    world.echoes = true;
    // The holder, behind the same broker, is a little later than the echo.
    world.until(122.9);
    world.answers = Some(process("presence2mqtt", 7));
    world.until(200.0);
    assert_eq!(world.claimed_at(), None);
}

#[test]
fn six_seconds_without_an_answer_are_a_claim() {
    // From the beginning, whatever is retained, and after the last answer.
    for word in ["", "online"] {
        let mut world = World::waiting();
        if !word.is_empty() {
            world.on(retained(STATE, word));
        }
        world.until(30.0);
        let at = world.claimed_at().unwrap();
        assert!((6.0..=6.9).contains(&at), "{word}: {at}");
        assert_eq!(
            world.heard()[5..],
            ["report: standby: taking over: no instance answers", OWN_GONE, "disconnect"]
        );
    }
    let mut world = World::waiting();
    world.answers = Some(process("presence2mqtt", 7));
    world.until(100.5);
    world.answers = None;
    world.until(200.0);
    let at = world.claimed_at().unwrap();
    assert!((106.0..=106.9).contains(&at), "{at}");
}

const OWN_GONE: &str = "presence/bridge/standby/attic =";

#[test]
fn three_seconds_after_offline_are_one_unless_somebody_answers() {
    let mut world = World::waiting();
    world.answers = Some(process("presence2mqtt", 7));
    world.until(100.0);
    // A will that came late: the one that took over already answers.
    world.on(live(STATE, "offline"));
    world.until(200.0);
    assert_eq!(world.claimed_at(), None);
    world.answers = None;
    world.until(200.2);
    world.on(live(STATE, "offline"));
    world.until(300.0);
    let at = world.claimed_at().unwrap();
    assert!((203.2..=204.1).contains(&at), "{at}");
    // It is online again, and only then silent.
    let mut world = World::waiting();
    world.on(live(STATE, "offline"));
    world.until(2.0);
    world.on(live(STATE, "online"));
    world.until(5.0);
    assert_eq!(world.claimed_at(), None);
}

#[test]
fn whoever_leaves_hands_over_at_once() {
    let mut world = World::waiting();
    world.answers = Some(process("presence2mqtt", 7));
    world.until(100.5);
    world.answers = None;
    world.on(live(STATE, "offline"));
    world.on(live(PONG, "leaving"));
    world.until(200.0);
    let at = world.claimed_at().unwrap();
    assert!((100.5..=100.65).contains(&at), "{at}");
}

#[test]
fn each_waits_a_time_of_its_own() {
    let mut times: Vec<f64> = (0..50)
        .map(|seed| {
            let mut world = World::new(in_the_attic());
            world.bridge = Bridge::new(in_the_attic(), seed, at(0.0));
            world.on(Started);
            world.on(Connected);
            world.on(subscribed());
            world.until(30.0);
            world.claimed_at().unwrap()
        })
        .collect();
    times.sort_by(f64::total_cmp);
    times.dedup();
    assert_eq!(times.len(), 50);
    assert!(times[0] < 6.1 && times[49] > 6.8, "{times:?}");
}

#[test]
fn one_that_waits_lets_another_go_first_that_waits_no_more() {
    const CELLAR: &str = "presence/bridge/standby/cellar";
    let mut world = World::waiting();
    world.on(live(CELLAR, "waiting"));
    world.until(5.9);
    world.on(live(CELLAR, ""));
    world.until(6.89);
    assert_eq!(world.claimed_at(), None);
    world.answers = Some(process("presence2mqtt", 7));
    world.on(live(PONG, process("presence2mqtt", 7).pong(b"1")));
    world.until(100.0);
    assert_eq!(world.claimed_at(), None);
    // The other one did not take over, but ended.
    world.answers = None;
    world.on(live(CELLAR, "waiting"));
    world.until(105.9);
    world.on(live(CELLAR, ""));
    world.until(200.0);
    let at = world.claimed_at().unwrap();
    assert!((106.9..=107.0).contains(&at), "{at}");
}

#[test]
fn one_that_hears_nothing_at_all_claims_nothing() {
    // Its pings do not come back: it is its own line that is silent, or an access list.
    let mut world = World::waiting();
    world.echoes = false;
    world.until(3600.0);
    assert_eq!(world.claimed_at(), None);
    let told: Vec<_> = world.heard().into_iter().filter(|line| line.contains("cannot ask")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    // What the broker itself says is still heard.
    world.on(live(STATE, "offline"));
    world.until(4000.0);
    assert!(world.claimed_at().is_some());

    let mut world = World::new(in_the_attic());
    world.on(Started);
    world.on(Connected);
    let filter = RefusedFilter { filter: "presence/bridge/standby/+".to_owned(), why: None };
    world.echoes = false;
    world.on(Event::Subscribed { refused: vec![filter] });
    world.until(60.0);
    assert_eq!(world.claimed_at(), None);
    assert!(world.heard()[2].contains("refuses the subscription to presence/bridge/standby/+"));
}

#[test]
fn a_subscription_that_is_refused_is_tried_again() {
    let mut world = World::new(in_the_attic());
    world.on(Started);
    world.on(Connected);
    let refused = || {
        let filter = RefusedFilter { filter: "presence/bridge/standby/+".to_owned(), why: None };
        Event::Subscribed { refused: vec![filter] }
    };
    world.echoes = false;
    world.on(refused());
    // A broker that is only starting takes it later; one that never does is asked seldom.
    for (asked, then) in [(1, 1.5), (2, 3.5), (3, 7.5)] {
        world.until(then);
        let again = world.heard().into_iter().filter(|line| *line == "subscribe presence/bridge/standby/+");
        assert_eq!(again.count(), asked);
        world.on(refused());
    }
    let words = world
        .heard()
        .into_iter()
        .filter(|line| line.contains("cannot ask") || *line == format!("{OWN} = waiting"));
    assert_eq!(words.count(), 2);
    world.until(16.0);
    world.on(subscribed());
    world.echoes = true;
    world.until(60.0);
    let at = world.claimed_at().unwrap();
    assert!((21.0..=23.0).contains(&at), "{at}");
}

#[test]
fn one_that_was_frozen_while_it_waited_begins_to_count_anew() {
    let mut world = World::waiting();
    world.until(5.5);
    world.now = 60.0;
    world.on(Woken);
    assert_eq!(world.claimed_at(), None);
    world.until(100.0);
    assert!((66.0..=66.9).contains(&world.claimed_at().unwrap()));

    let mut world = World::waiting();
    world.on(live(STATE, "offline"));
    world.until(1.5);
    world.now = 60.0;
    world.on(Woken);
    assert_eq!(world.claimed_at(), None);
}

#[test]
fn a_holder_of_another_client_id_is_a_conflict() {
    let mut world = World::waiting();
    world.answers = Some(process("another", 7));
    world.until(1.0);
    world.on(Woken);
    // It says goodbye first.
    assert_eq!(world.heard()[world.heard().len() - 2..], [OWN_GONE, "disconnect"]);
    let ended = world.bridge.on(Disconnected(LinkFailure::Closed), at(1.1));
    let [Effect::Finish(Ending::Conflict(why))] = &ended[..] else { panic!("{ended:?}") };
    assert!(why.contains("mqtt.bridge_name"), "{why}");
}

#[test]
fn whoever_takes_over_reads_at_once_and_publishes_behind_what_it_reads_back() {
    let mut world = World::waiting();
    world.until(20.0);
    world.forget();
    world.takes_over();
    let heard = world.heard();
    let position = |what: &str| heard.iter().position(|line| line.starts_with(what));
    assert_eq!(heard[0], "connect");
    let read = position("read #0 bulk 1").unwrap();
    assert!(read < position("presence/bridge/health").unwrap(), "{heard:?}");
    assert!(read < position("presence/bridge/state = online").unwrap(), "{heard:?}");
    let Some(standby) = world.bridge.snapshot(&PeopleQuery::nobody(), at(world.now)).broker.standby else {
        panic!("no standby")
    };
    assert!(standby.is_active);
    // Others come to wait, and go.
    world.forget();
    world.on(live("presence/bridge/standby/cellar", "waiting"));
    world.on(live("presence/bridge/standby/cellar", "waiting"));
    assert_eq!(world.heard(), ["presence/bridge/info = {every 5s}"]);
    let waiting =
        world.bridge.snapshot(&PeopleQuery::nobody(), at(world.now)).broker.standby.unwrap().waiting;
    assert_eq!(waiting.iter().map(|name| name.as_str()).collect::<Vec<_>>(), ["cellar"]);
    world.on(live("presence/bridge/standby/cellar", ""));
    assert_eq!(world.heard().len(), 2);
}

#[test]
fn whoever_loses_the_connection_waits_again_and_what_it_knew_is_forgotten() {
    let mut world = World::holding();
    world.on(answer(0, vec![reading(1, "Busy", "Busy")]));
    assert_eq!(world.last(), "presence/alice/health = ok");
    world.until(world.now + 5.0);
    assert!(world.last().starts_with(PONG) || world.last().starts_with("read #1"));
    world.forget();
    for failure in [LinkFailure::Closed, LinkFailure::TakenOver] {
        world.on(Disconnected(failure.clone()));
        assert!(world.said.iter().any(|(_, line)| line == "forget connections"), "{:?}", world.said);
        assert!(world.said.iter().any(|(_, line)| line == "report: standby: no longer active; waiting"));
        world.forget();
        // An answer that was on its way says nothing.
        world.on(answer(1, vec![reading(1, "Away", "Away")]));
        world.until(world.now + 5.0);
        assert_eq!(world.heard(), ["visit"], "{failure:?}");
        world.answers = Some(process("presence2mqtt", 7));
        world.on(Connected);
        world.on(subscribed());
        let then = world.now + 600.0;
        world.until(then);
        assert!(!world.said.iter().any(|(_, line)| line.starts_with("read ") || line.contains("/alice/")));
        // The other one is gone: everything is read anew, and nothing is said of before.
        world.answers = None;
        world.until(then + 60.0);
        world.forget();
        world.takes_over();
        let heard = world.heard().join("\n");
        assert!(heard.contains("bulk 1") && !heard.contains("alice/state"), "{heard}");
        assert!(heard.contains("presence/bridge/state = online"), "{heard}");
        world.forget();
    }
}

#[test]
fn a_claim_that_comes_to_nothing_is_given_up() {
    let mut world = World::waiting();
    world.until(20.0);
    world.on(Disconnected(LinkFailure::Closed));
    assert_eq!(world.last(), "connect");
    world.on(lost());
    world.until(world.now + 5.0);
    assert_eq!(world.last(), "visit");
    world.forget();
    world.on(Connected);
    world.on(subscribed());
    assert!(world.said.iter().any(|(_, line)| *line == format!("{OWN} = waiting")));
}

#[test]
fn whoever_knew_that_nobody_lives_there_does_not_ask_for_long_again() {
    // The broker lets it claim, and hangs up before it is online: as a cluster that elects a new leader.
    let claim_lost = |away: f64| {
        let mut world = World::waiting();
        world.until(20.0);
        world.on(Disconnected(LinkFailure::Closed));
        world.on(Connected);
        world.on(Disconnected(LinkFailure::Closed));
        world.now += away;
        world.on(Woken);
        assert_eq!(world.last(), "visit");
        world.forget();
        world.on(Connected);
        world.on(subscribed());
        world
    };
    for (away, waits) in [(3.0, 2.0..=2.9), (20.0, 6.0..=6.9)] {
        let mut world = claim_lost(away);
        let began = world.now;
        world.until(began + 30.0);
        let after = world.claimed_at().unwrap() - began;
        assert!(waits.contains(&after), "{after}");
    }
    // Somebody took over meanwhile, and dies again.
    let mut world = claim_lost(3.0);
    world.answers = Some(process("presence2mqtt", 7));
    let began = world.now;
    world.until(began + 1.5);
    world.answers = None;
    world.until(began + 30.0);
    let after = world.claimed_at().unwrap() - began;
    assert!((7.0..=7.9).contains(&after), "{after}");
}

#[test]
fn a_namesake_is_named_once() {
    let mut world = World::waiting();
    let settings = changed(in_the_attic(), |it| it.mqtt.standby = false);
    world.answers = Some(Process::new(&settings.mqtt, 7));
    world.until(60.0);
    let told: Vec<_> =
        world.heard().into_iter().filter(|line| line.contains("its own mqtt.instance")).collect();
    assert_eq!(told.len(), 1, "{told:?}");
    assert_eq!(world.claimed_at(), None);
}

#[test]
fn a_holder_that_was_frozen_steps_back_before_it_says_anything() {
    let mut world = World::holding();
    world.on(live("presence/bridge/standby/cellar", "waiting"));
    world.on(answer(0, vec![reading(1, "Busy", "Busy")]));
    world.until(world.now + 3.0);
    world.forget();
    // The first thing that it sees is an answer of before, or an order.
    world.now += 10.0;
    world.on(answer(1, vec![reading(1, "Away", "Away")]));
    world.on(live("presence/bridge/refresh", ""));
    assert_eq!(world.heard(), ["report: standby: no longer active; waiting", "forget connections", "visit"]);
}

#[test]
fn a_holder_that_does_not_hear_itself_steps_back_before_others_claim() {
    let steps_back_after = |others: &[&str]| {
        let mut world = World::holding();
        let began = world.now;
        for word in others {
            world.on(live("presence/bridge/standby/cellar", *word));
        }
        world.until(began + 60.0);
        world.echoes = false;
        world.forget();
        world.until(began + 90.0);
        world.said.iter().find(|(_, line)| line == "visit").unwrap().0 - began - 60.0
    };
    // A broker that brings no words of those that wait brings their pings.
    let mut world = World::holding();
    let began = world.now;
    world.until(began + 60.0);
    world.on(live(PING, process("presence2mqtt", 7).ping()));
    world.echoes = false;
    world.forget();
    world.until(began + 90.0);
    let asked = world.said.iter().find(|(_, line)| line == "visit").unwrap().0 - began - 60.0;
    assert!((2.9..=5.0).contains(&asked), "{asked}");

    let others_wait = steps_back_after(&["waiting"]);
    assert!((2.9..=5.0).contains(&others_wait), "{others_wait}");
    // The only one gives the broker longer.
    for alone in [steps_back_after(&[]), steps_back_after(&["waiting", ""])] {
        assert!((12.9..=15.0).contains(&alone), "{alone}");
    }

    // One that never heard itself cannot tell: an access list may be why.
    let mut world = World::waiting();
    world.until(20.0);
    world.echoes = false;
    world.takes_over();
    world.forget();
    world.until(world.now + 600.0);
    assert!(!world.said.iter().any(|(_, line)| line == "visit"));
}

#[test]
fn a_holder_answers_pings_before_it_publishes_as_well() {
    let mut world = World::waiting();
    world.until(20.0);
    world.on(Disconnected(LinkFailure::Closed));
    world.forget();
    world.on(Connected);
    let unasked = world.said.iter().filter(|(_, line)| line.starts_with(PONG)).count();
    assert_eq!(unasked, 1);
    world.on(live(PING, process("presence2mqtt", 7).ping()));
    assert_eq!(world.said.iter().filter(|(_, line)| line.starts_with(PONG)).count(), 2);
}

#[test]
fn a_stop_hands_over_and_one_that_waits_takes_its_word_back() {
    let mut world = World::holding();
    world.forget();
    world.on(Stop);
    let said: Vec<&str> = world.said.iter().map(|(_, line)| line.as_str()).collect();
    assert_eq!(
        said,
        ["presence/bridge/state = offline", "presence/bridge/standby/pong = leaving", "disconnect"]
    );

    let mut world = World::waiting();
    world.forget();
    world.on(Stop);
    assert_eq!(world.heard(), [OWN_GONE, "disconnect"]);
    let ended = world.bridge.on(Disconnected(LinkFailure::Closed), at(1.0));
    assert_eq!(lines(&ended), ["finish Stopped"]);
}

#[test]
fn the_budget_of_one_is_not_spent_twice_by_stepping_back() {
    let mut world = World::holding();
    let used = |world: &World| {
        world.bridge.snapshot(&PeopleQuery::nobody(), at(world.now)).accounts[0].graph.budget_used
    };
    let before = used(&world);
    assert!(before > 0);
    world.on(Disconnected(LinkFailure::TakenOver));
    assert_eq!(used(&world), before);
}

#[test]
fn a_machine_that_slept_waits_and_does_not_fight() {
    let mut world = World::holding();
    let now = world.now;
    world.forget();
    let woke = world.bridge.on(Woken, at_after_sleep(now + 0.4, 60.0));
    let woke = lines(&woke);
    assert!(woke.contains(&"visit".to_owned()) && !woke.contains(&"connect".to_owned()), "{woke:?}");
}

#[test]
fn whoever_claims_uses_no_token_of_somebody_who_was_signed_in_while_it_waited() {
    use crate::core::model::sign_in::SignedIn;

    let mut world = World::waiting();
    for (n, name) in [(1, "alice@contoso.example"), (2, "bob@contoso.example")] {
        let who = SignedIn { username: name.into(), object_id: id(n), may_write: false };
        world.on(Event::SignIn(AccountId::FIRST, SignInEvent::Account(Some(who))));
    }
    world.until(20.0);
    world.takes_over();
    let read = world.heard().into_iter().find(|line| line.starts_with("read #"));
    assert!(read.is_some_and(|read| read.ends_with(" with a fresh token")), "{read:?}");
}
