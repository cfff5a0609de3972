//! Beginning, ending, and sharing a broker.

use super::*;
use crate::core::model::event::Event::{Acknowledged, Connected, Started, Stop, Woken};
use crate::core::model::event::RefusedFilter;

#[test]
fn a_stop_says_offline_waits_for_everything_and_closes() {
    let mut bridge = online(only_alice());
    run(
        &mut bridge,
        vec![
            (
                1.0,
                answer(0, vec![reading(1, "Busy", "Busy")]),
                "report: Graph answers
                 presence/bridge/health = {ok}
                 presence/alice/state = {Busy Busy since 09:00:01}
                 presence/alice/activity = Busy
                 presence/alice/availability = Busy
                 presence/alice/health = ok",
            ),
            (1.1, Stop, "presence/bridge/state = offline"),
            (1.2, Acknowledged(5), ""),
            (1.3, Acknowledged(1), "disconnect"),
            (1.4, lost(), "finish Stopped"),
        ],
    );
}

#[test]
fn a_stop_does_not_wait_for_a_silent_broker() {
    let mut bridge = online(only_alice());
    run(&mut bridge, vec![(1.0, Stop, "presence/bridge/state = offline"), (5.5, Woken, "finish Stopped")]);
}

#[test]
fn a_stop_without_a_broker_is_immediate() {
    check(
        only_alice(),
        vec![
            (0.0, Started, "read #0 bulk 1\nconnect"),
            (
                0.1,
                lost(),
                "report: no connection to the broker: connection refused; retrying until it is back",
            ),
            (0.2, Stop, "finish Stopped"),
        ],
    );
}

#[test]
fn an_absent_broker_is_tried_again_with_growing_jittered_waits() {
    let mut bridge = claimed(only_alice(), 3, at(0.0));
    bridge.on(Started, at(0.0));
    let mut now = 0.0;
    let mut waits = Vec::new();
    for attempt in 0..40 {
        let commands = bridge.on(lost(), at(now));
        let reported = commands.iter().any(|command| matches!(command, Effect::Report(_)));
        assert_eq!(reported, attempt == 0, "an outage is reported when it begins");
        let before = now;
        while !bridge
            .on(Woken, at(now))
            .contains(&Effect::Broker(BrokerOrder::Connect(ConnectAs::Holder, Protocol::V3)))
        {
            now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
        }
        waits.push(now - before);
    }
    assert!(waits.iter().all(|wait| (0.25..=4.01).contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait > 3.0), "{waits:?}");
    let distinct: std::collections::BTreeSet<u64> = waits.iter().map(|wait| (wait * 1e6) as u64).collect();
    assert!(distinct.len() > 30, "jitter: {waits:?}");
}

/// A broker is restarted after its passwords changed: the connection is lost first, and refused later.
#[test]
fn an_outage_that_turns_out_to_be_a_refusal_is_reported_again_and_once() {
    let mut bridge = claimed(only_alice(), 3, at(0.0));
    bridge.on(Started, at(0.0));
    let refused = || Event::Disconnected(LinkFailure::Refused("wrong password".into()));
    let mut reports = Vec::new();
    for (second, failure) in (0..).zip([lost(), refused(), lost(), refused(), lost()]) {
        let effects = lines(&bridge.on(failure, at(60.0 * f64::from(second))));
        reports.extend(effects.into_iter().filter(|line| line.starts_with("report: ")));
        bridge.on(Woken, at(60.0 * f64::from(second) + 40.0));
    }
    let said = ["connection refused", "wrong password"];
    assert_eq!(
        reports,
        said.map(|why| format!("report: no connection to the broker: {why}; retrying until it is back"))
    );
}

#[test]
fn a_broker_that_never_answers_a_subscription_does_not_stop_the_bridge() {
    let mut bridge = claimed(only_alice(), 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(Connected, at(0.0));
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1));
    let quiet = bridge.on(Woken, at(4.9));
    assert!(!quiet.iter().any(|command| matches!(command, Effect::Broker(BrokerOrder::Publish(_)))));
    let published = bridge.on(Woken, at(5.0));
    assert!(published.iter().any(|command| matches!(command, Effect::Broker(BrokerOrder::Publish(_)))));
}

#[test]
fn a_refused_subscription_is_a_notice() {
    let mut bridge = claimed(only_alice(), 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(Connected, at(0.0));
    bridge.on(subscribed(), at(0.0));
    let refused = RefusedFilter { filter: "presence/bridge/refresh".into(), why: None };
    let refused = Event::Subscribed { refused: vec![refused] };
    bridge.on(refused, at(0.0));
    let commands = format!("{:?}", bridge.on(Woken, at(0.04)));
    assert!(commands.contains("allow it in its access list"), "{commands}");
}

#[test]
fn everything_is_sent_again_at_the_refresh_interval() {
    let settings = changed(only_alice(), |it| it.mqtt.refresh_interval = Some(Duration::from_secs(3)));
    let mut bridge = online(settings);
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1));
    bridge.on(Acknowledged(5), at(0.2));
    run(
        &mut bridge,
        vec![(
            3.04,
            Woken,
            "unsubscribe presence/+/state presence/+/health presence/+/info presence/bridge/sign_in presence/bridge/light/+/+
             presence/bridge/health = {ok}
             presence/bridge/info = {every 5s}
             presence/alice/state = {Busy Busy since 09:00:00}
             presence/alice/activity = Busy
             presence/alice/availability = Busy
             presence/alice/health = ok
             presence/bridge/state = online",
        )],
    );
}

#[test]
fn live_messages_of_others_do_not_keep_the_bridge_from_beginning() {
    let mut bridge = claimed(only_alice(), 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(Connected, at(0.0));
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    let mut began = None;
    for n in 1..20 {
        let seconds = f64::from(n) * 0.02;
        let live = Event::Message(Incoming {
            topic: "presence/zoe/state".into(),
            payload: "{}".into(),
            retained: false,
            reply_to: None,
        });
        let commands = bridge.on(live, at(seconds));
        if commands.iter().any(|command| matches!(command, Effect::Broker(BrokerOrder::Publish(_)))) {
            began.get_or_insert(seconds);
        }
    }
    assert_eq!(began, Some(0.04));
}

#[test]
fn retained_messages_without_end_do_not_either() {
    let mut bridge = claimed(only_alice(), 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(Connected, at(0.0));
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    let publishes = |seconds: f64, bridge: &mut Bridge| {
        let commands = bridge.on(retained("presence/zoe/state", "{}"), at(seconds));
        commands.iter().any(|command| matches!(command, Effect::Broker(BrokerOrder::Publish(_))))
    };
    let began = (1..4000).map(|n| f64::from(n) * 0.02).find(|seconds| publishes(*seconds, &mut bridge));
    assert_eq!(began, Some(60.0));
}

#[test]
fn what_was_seen_of_another_bridge_on_a_lost_connection_is_forgotten() {
    let mut bridge = claimed(only_alice(), 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(Connected, at(0.0));
    bridge.on(retained("presence/bridge/info", r#"{"bridge":"another"}"#), at(0.0));
    bridge.on(retained("presence/bridge/state", "online"), at(0.0));
    bridge.on(lost(), at(0.01));
    bridge.on(Woken, at(1.0));
    bridge.on(Connected, at(1.1));
    bridge.on(subscribed(), at(1.1));
    bridge.on(subscribed(), at(1.1));
    let commands = bridge.on(Woken, at(1.2));
    assert!(commands.iter().any(|command| matches!(command, Effect::Broker(BrokerOrder::Publish(_)))));
}
