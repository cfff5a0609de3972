//! What the broker's manners mean: duplicate clients, versions of MQTT, topics that are refused.

use super::*;
use crate::core::model::event::Event::{Acknowledged, Connected, Disconnected, Started, Woken};
use crate::core::model::event::RefusedFilter;

/// Sleeps until the core connects, and returns when and in which version.
fn connects(bridge: &mut Bridge, mut now: f64) -> (f64, Protocol) {
    loop {
        now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
        for command in bridge.on(Woken, at(now)) {
            if let Effect::Broker(BrokerOrder::Connect(_, protocol)) = command {
                return (now, protocol);
            }
        }
    }
}

fn messages_of(commands: &[Effect]) -> Vec<Message> {
    let published = |command: &Effect| {
        let Effect::Broker(BrokerOrder::Publish(messages)) = command else { return Vec::new() };
        messages.clone()
    };
    commands.iter().flat_map(published).collect()
}

fn health_of(commands: &[Effect]) -> Option<String> {
    let mut messages = messages_of(commands).into_iter();
    messages.rfind(|message| message.topic == "presence/bridge/health").map(|message| message.payload)
}

#[test]
fn a_duplicate_client_is_named_once_and_left_alone() {
    let mut bridge = online(only_alice());
    let mut now = 1.0;
    let mut said = Vec::new();
    let mut waits = Vec::new();
    for _ in 0..8 {
        said.extend(lines(&bridge.on(Disconnected(LinkFailure::Closed), at(now))));
        let (then, _) = connects(&mut bridge, now);
        waits.push(then - now);
        now = then + 0.05;
        let health = health_of(&bridge.on(Connected, at(now))).unwrap();
        assert_eq!(health.contains("another client"), waits.len() > 2, "{health}");
        bridge.on(Acknowledged(100), at(now));
    }
    assert_eq!(said.len(), 3, "{said:?}");
    assert!(said[2].contains("another client connects with the same mqtt.client_id"), "{}", said[2]);
    assert!(waits[..2].iter().all(|wait| *wait < 4.0), "{waits:?}");
    assert!(waits[2..].iter().all(|wait| (4.0..=60.0).contains(wait)), "{waits:?}");
    assert!(waits.iter().any(|wait| *wait > 20.0), "{waits:?}");

    // What else is wrong meanwhile is said, once.
    bridge.on(Disconnected(LinkFailure::Closed), at(now));
    for times in [1, 0] {
        (now, _) = connects(&mut bridge, now);
        let said = lines(&bridge.on(Disconnected(LinkFailure::Refused("wrong password".into())), at(now)));
        assert_eq!(said.iter().filter(|line| line.contains("wrong password")).count(), times, "{said:?}");
    }
    (now, _) = connects(&mut bridge, now);
    bridge.on(Connected, at(now));
    bridge.on(Acknowledged(100), at(now));

    // Ten seconds of peace, and the notice goes.
    let mut last = None;
    while now < 1000.0 && last.is_none() {
        now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
        let commands = bridge.on(Woken, at(now));
        last = health_of(&commands).filter(|health| !health.contains("another client"));
        bridge.on(Acknowledged(100), at(now));
    }
    assert!(last.is_some(), "the notice stays");
}

#[test]
fn a_broker_without_mqtt_5_is_spoken_to_in_3_1_1() {
    let five = changed(only_alice(), |it| {
        (it.mqtt.protocol, it.mqtt.message_expiry) = (Protocol::V5, Some(Duration::from_secs(60)));
    });
    let mut bridge = claimed(five, 1, at(0.0));
    let not_understood = || Disconnected(LinkFailure::NotUnderstood("closed".into()));
    let connect = |bridge: &mut Bridge, event, now| match bridge.on(event, at(now)).as_slice() {
        [.., Effect::Broker(BrokerOrder::Connect(_, protocol))] => *protocol,
        other => panic!("{other:?}"),
    };
    assert_eq!(lines(&bridge.on(Started, at(0.0)))[1..], ["connect"]);
    assert_eq!(connect(&mut bridge, not_understood(), 0.1), Protocol::V3);
    assert_eq!(lines(&bridge.on(Connected, at(0.2))), ["disconnect"], "a trial");
    assert_eq!(connect(&mut bridge, lost(), 0.3), Protocol::V5);
    assert_eq!(connect(&mut bridge, not_understood(), 0.4), Protocol::V3);
    bridge.on(Connected, at(0.5));
    bridge.on(subscribed(), at(0.5));
    bridge.on(subscribed(), at(0.5));
    let commands = bridge.on(Woken, at(0.6));
    let health = health_of(&commands).unwrap();
    assert!(health.contains("does not speak MQTT 5, so 3.1.1 is used"), "{health}");
    assert!(messages_of(&commands).iter().all(|message| message.expires.is_none()));
    let info = messages_of(&commands).into_iter().find(|message| message.topic.ends_with("/info")).unwrap();
    assert!(info.payload.contains("\"protocol\":\"3.1.1\""), "{}", info.payload);

    // It may have been a fault on the way: once more, and for good.
    bridge.on(Woken, at(9.0));
    assert!(bridge.wake_at(at(9.0).tick).unwrap() <= at(10.5).tick);
    assert!(lines(&bridge.on(Woken, at(10.5))).contains(&"disconnect".to_owned()), "a second look");
    assert_eq!(connect(&mut bridge, lost(), 10.6), Protocol::V5);
    assert_eq!(connect(&mut bridge, not_understood(), 10.7), Protocol::V3);
    assert_eq!(lines(&bridge.on(Connected, at(10.8))), ["disconnect"], "a trial");
    assert_eq!(connect(&mut bridge, lost(), 10.9), Protocol::V5);
    assert_eq!(connect(&mut bridge, not_understood(), 11.0), Protocol::V3);
    bridge.on(Connected, at(11.1));
    let orders = lines(&bridge.on(Woken, at(100.0)));
    assert!(!orders.contains(&"disconnect".to_owned()), "{orders:?}");
}

#[test]
fn mqtt_5_given_up_for_a_fault_on_the_way_is_spoken_again() {
    let mut bridge = online(changed(only_alice(), |it| it.mqtt.protocol = Protocol::V5));
    let not_understood = || Disconnected(LinkFailure::NotUnderstood("cut short".into()));
    bridge.on(lost(), at(1.0));
    bridge.on(Woken, at(2.0));
    bridge.on(not_understood(), at(2.1));
    bridge.on(Connected, at(2.2));
    bridge.on(lost(), at(2.3));
    bridge.on(not_understood(), at(2.4));
    let given_up = health_of(&bridge.on(Connected, at(2.5))).unwrap();
    assert!(given_up.contains("does not speak MQTT 5"), "{given_up}");
    bridge.on(Woken, at(12.5));
    bridge.on(lost(), at(12.6));
    let health = health_of(&bridge.on(Connected, at(12.7))).unwrap();
    assert!(health.contains("\"notices\":[]"), "{health}");
}

#[test]
fn what_expires_is_sent_again_at_half_time_and_offline_never_expires() {
    let expiry = Some(Duration::from_secs(60));
    let mut bridge = online(changed(only_alice(), |it| {
        (it.mqtt.protocol, it.mqtt.message_expiry) = (Protocol::V5, expiry)
    }));
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.1));
    bridge.on(Acknowledged(100), at(0.1));
    let (mut now, mut sent) = (0.1, Vec::new());
    while now < 95.0 {
        now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
        let commands = bridge.on(Woken, at(now));
        for command in &commands {
            if let Effect::Graph(_, GraphOrder::Read(read)) = command {
                bridge.on(answer(read.id.number(), vec![reading(1, "Busy", "Busy")]), at(now));
            }
        }
        for message in messages_of(&commands) {
            assert_eq!(message.expires, expiry, "{}", message.topic);
            if message.topic == "presence/alice/availability" {
                sent.push(now.round());
            }
        }
        bridge.on(Acknowledged(100), at(now));
    }
    assert_eq!(sent, [30.0, 60.0, 90.0]);
    let last = messages_of(&bridge.on(Event::Stop, at(95.0)));
    assert_eq!(last.iter().map(|m| (m.payload.as_str(), m.expires)).collect::<Vec<_>>(), [("offline", None)]);
}

#[test]
fn a_topic_that_is_refused_is_a_notice_and_the_others_go_on() {
    let mut bridge = online(settings());
    let refused = |topic: &str| Event::PublishRefused { topic: topic.into(), why: "not authorized".into() };
    let first = bridge.on(refused("presence/alice/state"), at(1.0));
    assert!(lines(&first)[0].contains("rejects some messages (not authorized)"), "{first:?}");
    let health = health_of(&first).unwrap();
    assert!(health.contains("for presence/alice/state: not authorized"), "{health}");
    assert_eq!(lines(&bridge.on(refused("presence/alice/state"), at(1.1))), [""; 0], "said once");
    assert_eq!(lines(&bridge.on(refused("presence/bob/state"), at(1.2))).len(), 2);
    let after = lines(&bridge.on(answer(0, vec![reading(2, "Busy", "Busy")]), at(1.3)));
    assert!(after.contains(&"presence/bob/availability = Busy".to_owned()), "{after:?}");
    // It is tried again, for nobody would say when it is allowed.
    bridge.on(Acknowledged(100), at(1.4));
    let mut now = 1.4;
    let mut again = false;
    while now < 40.0 && !again {
        now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
        let commands = bridge.on(Woken, at(now));
        again = lines(&commands).contains(&"presence/alice/health = stale".to_owned());
    }
    assert!(again && now > 10.0, "{now}");
    bridge.on(lost(), at(now));
    connects(&mut bridge, now);
    let health = health_of(&bridge.on(Connected, at(now + 7.0))).unwrap();
    assert!(!health.contains("rejects"), "a new connection, a new try: {health}");
}

#[test]
fn that_everything_is_published_is_said_when_it_has_arrived() {
    let mut bridge = claimed(only_alice(), 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(Connected, at(0.0));
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    let sent = messages_of(&bridge.on(Woken, at(0.04))).len();
    assert_eq!(lines(&bridge.on(Acknowledged(sent - 1), at(0.05))), [""; 0]);
    let said = "report: everything is published; the bridge is online";
    assert_eq!(lines(&bridge.on(Acknowledged(1), at(0.06))), [said]);
    assert_eq!(lines(&bridge.on(Acknowledged(1), at(0.07))), [""; 0]);
}

#[test]
fn what_arrives_behind_online_with_it_does_not_hide_it() {
    let mut bridge = claimed(only_alice(), 1, at(0.0));
    bridge.on(Started, at(0.0));
    bridge.on(Connected, at(0.0));
    bridge.on(subscribed(), at(0.0));
    bridge.on(subscribed(), at(0.0));
    let sent = messages_of(&bridge.on(Woken, at(0.04))).len();
    let more = messages_of(&bridge.on(answer(0, vec![reading(1, "Busy", "Busy")]), at(0.05))).len();
    assert!(more > 0);
    let said = lines(&bridge.on(Acknowledged(sent + more), at(0.06)));
    assert!(said.contains(&"report: everything is published; the bridge is online".to_owned()), "{said:?}");
}

/// A broker may publish the will of the connection before behind the `online` of this one.
#[test]
fn an_offline_of_another_hand_is_answered_with_online() {
    let state = |payload: &str, retained| {
        let (topic, payload) = ("presence/bridge/state".to_owned(), payload.as_bytes().to_vec());
        Event::Message(Incoming { topic, payload, retained, reply_to: None })
    };
    let mut bridge = online(only_alice());
    assert_eq!(lines(&bridge.on(state("online", false), at(1.0))), [""; 0], "our own echo");
    assert_eq!(lines(&bridge.on(state("offline", false), at(0.2))), [""; 0]);
    assert_eq!(lines(&bridge.on(state("online", false), at(0.3))), [""; 0], "it was older than our own");
    assert_eq!(lines(&bridge.on(Woken, at(0.6))), [""; 0]);
    assert_eq!(lines(&bridge.on(state("offline", false), at(0.8))), [""; 0]);
    assert!(bridge.wake_at(at(0.8).tick).unwrap() <= at(1.1).tick);
    assert_eq!(lines(&bridge.on(Woken, at(1.1))), ["presence/bridge/state = online"]);
    bridge.on(Acknowledged(1), at(1.1));
    // Not as fast as somebody may want to quarrel.
    for _ in 0..500 {
        assert_eq!(lines(&bridge.on(state("offline", true), at(1.2))), [""; 0]);
    }
    assert!(bridge.wake_at(at(1.2).tick).unwrap() <= at(2.1).tick);
    assert!(lines(&bridge.on(Woken, at(2.1))).contains(&"presence/bridge/state = online".to_owned()));
    bridge.on(Event::Stop, at(3.0));
    assert_eq!(lines(&bridge.on(state("offline", false), at(3.1))), [""; 0], "that is so");
}

#[test]
fn refused_filters_are_asked_for_again_after_growing_pauses() {
    let mut bridge = online(only_alice());
    bridge.on(lost(), at(1.0));
    let (mut now, _) = connects(&mut bridge, 1.0);
    bridge.on(Connected, at(now));
    bridge.on(Acknowledged(100), at(now));
    let refused = || {
        let refused =
            RefusedFilter { filter: "presence/bridge/refresh".into(), why: Some("reason code 0x8c".into()) };
        Event::Subscribed { refused: vec![refused] }
    };
    let health = health_of(&bridge.on(refused(), at(now))).unwrap();
    assert!(health.contains("refresh (reason code 0x8c); allow it"), "{health}");
    let mut pauses = Vec::new();
    let mut asked = now;
    while pauses.len() < 4 {
        now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
        let said = lines(&bridge.on(Woken, at(now)));
        bridge.on(Acknowledged(100), at(now));
        if said.contains(&"subscribe presence/bridge/refresh".to_owned()) {
            pauses.push(now - asked);
            asked = now;
            assert_eq!(health_of(&bridge.on(refused(), at(now))), None, "it was said");
        }
    }
    assert!((30.0..=60.0).contains(&pauses[0]) && pauses.iter().any(|pause| *pause > 90.0), "{pauses:?}");
    let again = loop {
        now = bridge.wake_at(at(now).tick).unwrap().0.as_secs_f64();
        let said = lines(&bridge.on(Woken, at(now)));
        bridge.on(Acknowledged(100), at(now));
        if said.contains(&"subscribe presence/bridge/refresh".to_owned()) {
            break bridge.on(subscribed(), at(now));
        }
    };
    assert!(health_of(&again).unwrap().contains("\"notices\":[]"), "{again:?}");
}

/// What a broker takes that hangs up at the first message which `minds`: everything before it is
/// acknowledged.
fn takes(bridge: &mut Bridge, mut sent: Vec<Message>, now: f64, minds: &dyn Fn(&Message) -> bool) -> bool {
    while !sent.is_empty() {
        if let Some(taken) = sent.iter().position(minds) {
            bridge.on(Acknowledged(taken), at(now));
            return false;
        }
        let more = bridge.on(Acknowledged(sent.len()), at(now));
        sent = messages_of(&more);
    }
    true
}

#[test]
fn a_message_at_which_the_broker_hangs_up_takes_nothing_along() {
    let minds = |message: &Message| message.topic == "presence/bob/state";
    let mut bridge = online(settings());
    bridge.on(answer(0, vec![reading(1, "Busy", "Busy"), reading(2, "Away", "Away")]), at(0.1));
    let mut now = 0.2;
    let mut said = Vec::new();
    let mut hung_up = 0;
    let last = loop {
        said.extend(lines(&bridge.on(Disconnected(LinkFailure::Closed), at(now))));
        hung_up += 1;
        assert!(hung_up < 30, "{said:?}");
        now = connects(&mut bridge, now).0;
        let sent = bridge.on(Connected, at(now));
        if takes(&mut bridge, messages_of(&sent), now, &minds) {
            break bridge.on(Event::NotConfigured("x".into()), at(now));
        }
    };
    assert!(hung_up >= 2 && (10.0..20.0).contains(&now), "{hung_up} times, {now}");
    let health = health_of(&last).unwrap();
    assert!(health.contains("for presence/bob/state; it is left out and retried later"), "{health}");
    assert!(!said.join("\n").contains("another client"), "{said:?}");
    assert!(said.join("\n").contains("bytes for presence/bob/state; the message is left out"), "{said:?}");
}
