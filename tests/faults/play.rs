//! Plays a script: three lanes, and people who go on with their lives.

use std::time::{Duration, Instant};

use presence2mqtt::simulate::{Endpoint, Scope, Times};
use tokio::time::sleep;

use crate::condition::{Condition, Cut};
use crate::line::Line;
use crate::script::{Act, Asked, BridgeTrouble, BrokerTrouble, GraphTrouble, Script};
use crate::stage::Stage;

/// Where anybody may ask for a fresh reading.
pub(crate) const REFRESH: &str = "presence/bridge/refresh";

/// Plays it to the end; nothing is broken afterwards, and the bridge runs.
pub(crate) async fn play(stage: &Stage, script: &Script, random: &mut fastrand::Rng) {
    let mut lives = random.fork();
    let lanes = async {
        tokio::join!(
            broker(stage, &script.broker),
            graph(stage, &script.graph, random),
            bridge(stage, &script.bridge, !script.troubles_the_broker())
        );
    };
    tokio::select! {
        () = lanes => {}
        () = live(stage, script, &mut lives) => {}
    }
}

async fn live(stage: &Stage, script: &Script, random: &mut fastrand::Rng) {
    loop {
        sleep(script.change_every).await;
        stage.people.move_on(random.usize(0..stage.people.count()), random);
    }
}

/// Where nobody is let in any more, nobody is left in either.
fn set(line: &Line, condition: Condition) {
    line.set(condition);
    match condition {
        Condition::Closed => line.cut(Cut::Rst),
        Condition::HangsUp(cut) => line.cut(cut),
        Condition::Open | Condition::Frozen(_) | Condition::Slow { .. } | Condition::Truncates { .. } => {}
    }
}

async fn broker(stage: &Stage, acts: &[Act<BrokerTrouble>]) {
    for act in acts {
        sleep(act.after).await;
        match act.trouble {
            BrokerTrouble::Line(condition) => {
                set(&stage.broker_line, condition);
                sleep(act.lasts).await;
                stage.broker_line.set(Condition::Open);
            }
            BrokerTrouble::Cut(cut) => stage.broker_line.cut(cut),
            BrokerTrouble::Lost => {
                stage.lose_broker().await;
                sleep(act.lasts).await;
                stage.start_broker().await;
            }
        }
    }
}

async fn graph(stage: &Stage, acts: &[Act<GraphTrouble>], random: &mut fastrand::Rng) {
    let tenant = &stage.people.tenant;
    for act in acts {
        sleep(act.after).await;
        match &act.trouble {
            GraphTrouble::Line(condition) => set(&stage.graph, *condition),
            GraphTrouble::Cut(cut) => stage.graph.cut(*cut),
            GraphTrouble::Answers { fault, to, times } => arm(stage, fault, *to, *times),
            GraphTrouble::UnknownIds(unknown_ids) => {
                tenant.switch(|switches| switches.unknown_ids = *unknown_ids)
            }
            GraphTrouble::Paged(page) => tenant.switch(|switches| switches.people_page = Some(*page)),
            GraphTrouble::CamelCase => tenant.switch(|switches| switches.camel_case = true),
            GraphTrouble::Wrapped => tenant.switch(|switches| switches.wrapped = true),
            GraphTrouble::TokensRevoked => tenant.revoke_tokens(),
            GraphTrouble::Gone(place) => stage.people.leave(*place),
            GraphTrouble::Behind(place) => stage.people.fall_behind(*place, random),
        }
        let from = Instant::now();
        sleep(act.lasts).await;
        if act.trouble.silences() {
            stage.silences.lock().unwrap().push((from, Instant::now()));
        }
        match act.trouble {
            GraphTrouble::Line(_) => stage.graph.set(Condition::Open),
            GraphTrouble::Answers { .. } => tenant.clear_faults(),
            GraphTrouble::Paged(_) => tenant.switch(|switches| switches.people_page = None),
            GraphTrouble::CamelCase => tenant.switch(|switches| switches.camel_case = false),
            GraphTrouble::Wrapped => tenant.switch(|switches| switches.wrapped = false),
            GraphTrouble::Gone(place) => stage.people.come_back(place, random),
            GraphTrouble::Behind(place) => stage.people.move_on(place, random),
            GraphTrouble::Cut(_) | GraphTrouble::UnknownIds(_) | GraphTrouble::TokensRevoked => {}
        }
    }
}

fn arm(stage: &Stage, fault: &presence2mqtt::simulate::Fault, to: Asked, times: Times) {
    let scope = match to {
        Asked::Anything => Scope::All,
        Asked::Graph => Scope::Graph,
        Asked::SignIn => Scope::Endpoint(Endpoint::Token),
        Asked::Person(place) => Scope::Person(stage.people.person(place).id),
    };
    stage.people.tenant.fault(fault.clone(), scope, times);
}

/// `quiet` where nothing stands between the bridge and the broker, so that its last word must arrive.
async fn bridge(stage: &Stage, acts: &[Act<BridgeTrouble>], quiet: bool) {
    for act in acts {
        sleep(act.after).await;
        match act.trouble {
            BridgeTrouble::Restart => restart(stage, act, quiet).await,
            BridgeTrouble::Killed => {
                let mut bridge = stage.bridge.lock().await;
                bridge.kill().await;
                sleep(act.lasts).await;
                bridge.start();
            }
            BridgeTrouble::RestartWithout => {
                stage.bridge.lock().await.leave_out_the_last();
                restart(stage, act, quiet).await;
            }
            BridgeTrouble::ReloadWithout => {
                let mut bridge = stage.bridge.lock().await;
                bridge.leave_out_the_last();
                bridge.reload(false);
            }
            BridgeTrouble::ReloadBroker => {
                let mut bridge = stage.bridge.lock().await;
                // Nothing that shows: only another connection.
                bridge.config.mqtt.settings.keep_alive += Duration::from_secs(1);
                bridge.reload(false);
            }
            BridgeTrouble::BadReload => {
                stage.bridge.lock().await.reload(true);
                sleep(act.lasts).await;
                stage.bridge.lock().await.reload(false);
            }
            // No broker, no refresh.
            BridgeTrouble::Refresh => drop(stage.observer.publish(REFRESH, "now", false).await),
        }
    }
}

async fn restart(stage: &Stage, act: &Act<BridgeTrouble>, quiet: bool) {
    let mut bridge = stage.bridge.lock().await;
    bridge.stop().await;
    if quiet {
        let offline = |now: &std::collections::BTreeMap<String, String>| {
            now.get("presence/bridge/state").is_none_or(|state| state == "offline")
        };
        stage.observer.until("offline, as the last word", |record| offline(&record.now)).await;
    }
    sleep(act.lasts).await;
    bridge.start();
}
