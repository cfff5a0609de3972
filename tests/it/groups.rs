//! Members of groups: page by page from the simulated tenant, and from there to the broker.

use std::process::Command;

use presence2mqtt::config::Config;
use presence2mqtt::core::model::account::AccountId;
use presence2mqtt::core::model::effect::Ending;
use presence2mqtt::core::model::members::{MembersPage, PageLink};
use presence2mqtt::core::model::name::ObjectId;
use presence2mqtt::core::model::request::{ReadFailure, ReadMembers};
use presence2mqtt::graph::client::GraphClient;
use presence2mqtt::graph::once;
use presence2mqtt::run::{self, Reload};
use presence2mqtt::simulate::groups::EVERYBODY;
use presence2mqtt::simulate::{Endpoint, Fault, Person, Scope, Settings, StrangeLink, Times};

use tokio::sync::{mpsc, oneshot};

use crate::stage::{Running, Stage, ask, within};

fn tenant(users: usize) -> Settings {
    Settings { users, groups: true, ..Settings::default() }
}

fn everybody() -> ObjectId {
    EVERYBODY.into()
}

/// A stage whose bridge follows the group of everybody.
async fn stage(settings: Settings) -> (Stage, Config) {
    let stage = Stage::set(settings).await;
    let config = config(&stage, "");
    (stage, config)
}

fn config(stage: &Stage, users: &str) -> Config {
    stage.config("", &format!("{users}[[groups]]\nid = \"{EVERYBODY}\"\n"))
}

async fn page(client: &GraphClient, page: Option<PageLink>) -> Result<MembersPage, ReadFailure> {
    ask(client, ReadMembers { group: everybody(), page }).await
}

#[tokio::test]
async fn twenty_five_hundred_members_come_on_three_pages() {
    let stage = Stage::without_broker(tenant(2_500)).await;
    let client = run::graph_client(&config(&stage, ""), AccountId::FIRST).unwrap();
    let mut members = within(once::members(&client, everybody())).await.unwrap();
    assert_eq!(stage.tenant.requests().to(Endpoint::GroupMembers), 3);
    let mut people = stage.tenant.people();
    members.sort_by_key(|member| member.id);
    people.sort_by_key(|person| person.id);
    assert_eq!(members.len(), people.len());
    for (member, person) in members.iter().zip(people) {
        assert_eq!(member.id, person.id);
        assert_eq!(member.principal_name.as_deref(), Some(&*person.principal_name));
        assert_eq!(member.display_name.as_deref(), Some(&*person.display_name));
    }
}

#[tokio::test]
async fn no_token_goes_where_a_strange_link_leads() {
    let stage = Stage::without_broker(tenant(5)).await;
    let client = run::graph_client(&config(&stage, ""), AccountId::FIRST).unwrap();
    stage.tenant.switch(|switches| switches.members_page = Some(2));
    for strange in [StrangeLink::OtherHost, StrangeLink::OtherPath] {
        stage.tenant.switch(|switches| switches.strange_link = Some(strange));
        let failure = page(&client, None).await.unwrap_err();
        let ReadFailure::Passing { why, .. } = &failure else { panic!("{failure:?}") };
        assert!(why.contains("does not lead to Graph's list"), "{why}");
    }
    assert_eq!(stage.tenant.requests().to(Endpoint::User), 0);
}

#[tokio::test]
async fn each_way_to_fail_in_the_middle_has_its_meaning() {
    let stage = Stage::without_broker(tenant(5)).await;
    let client = run::graph_client(&config(&stage, ""), AccountId::FIRST).unwrap();
    stage.tenant.switch(|switches| switches.members_page = Some(2));
    let first = page(&client, None).await.unwrap();
    assert_eq!((first.members.len(), first.counted), (2, Some(5)));
    type Means = fn(&ReadFailure) -> bool;
    let table: Vec<(Fault, Means)> = vec![
        (
            Fault::throttled(9),
            |failure| matches!(failure, ReadFailure::Throttled { retry_after: Some(wait) } if wait.as_secs() == 9),
        ),
        (Fault::status(401), |failure| matches!(failure, ReadFailure::TokenRefused { .. })),
        (
            Fault::status(403),
            |failure| matches!(failure, ReadFailure::Forbidden { advice } if advice.contains("the application permissions GroupMember.Read.All and User.ReadBasic.All")),
        ),
        (Fault::status(404), |failure| *failure == ReadFailure::NotFound),
        (Fault::status(503), |failure| matches!(failure, ReadFailure::Passing { .. })),
        (Fault::Truncate, |failure| matches!(failure, ReadFailure::Passing { .. })),
        (Fault::Html, |failure| matches!(failure, ReadFailure::Passing { .. })),
        (Fault::Huge, |failure| matches!(failure, ReadFailure::Passing { .. })),
    ];
    for (fault, means) in table {
        stage.tenant.fault(fault.clone(), Scope::Endpoint(Endpoint::GroupMembers), Times::Next(1));
        let failure = page(&client, first.next.clone()).await.unwrap_err();
        assert!(means(&failure), "{fault:?} became {failure:?}");
        stage.tenant.clear_faults();
    }
    let second = page(&client, first.next).await.unwrap();
    assert_eq!((second.members.len(), second.counted), (2, None));
}

#[tokio::test]
async fn members_without_names_are_a_missing_permission() {
    let permissions = vec!["GroupMember.Read.All".to_owned(), "Presence.Read.All".to_owned()];
    let stage = Stage::without_broker(Settings { permissions, ..tenant(3) }).await;
    let client = run::graph_client(&config(&stage, ""), AccountId::FIRST).unwrap();
    let failure = page(&client, None).await.unwrap_err();
    let ReadFailure::Forbidden { advice } = &failure else { panic!("{failure:?}") };
    assert!(advice.contains("the application permission User.ReadBasic.All"), "{advice}");
}

#[tokio::test]
async fn members_are_published_like_everybody_and_who_left_is_gone_after_a_restart() {
    let (stage, config) = stage(tenant(5)).await;
    stage.tenant.switch(|switches| switches.members_page = Some(2));
    stage.tenant.fault(Fault::throttled(1), Scope::Endpoint(Endpoint::GroupMembers), Times::Next(1));
    let people = stage.tenant.people();
    for person in &people {
        stage.tenant.set_presence(person.id, "Busy", "InACall");
    }
    let mut listener = stage.listen(&config).await;
    let bridge = Running::start(&config);
    for name in ["alice", "bob", "carol", "dave", "user0005"] {
        let topic = |field: &str| format!("presence/{name}/{field}");
        listener.until(&[(&topic("activity"), "InACall"), (&topic("health"), "ok")]).await;
    }
    let info = listener.until_topic("presence/bridge/info", |info| info.contains("\"users\":5")).await;
    assert!(info.contains("\"users\":5"), "{info}");
    assert_eq!(bridge.stop().await, Ending::Stopped);

    // Meanwhile Bob leaves; the page on which that shows does not come at first.
    stage.tenant.leave_group(everybody(), people[1].id);
    let state = listener.now["presence/alice/state"].clone();
    stage.tenant.fault(Fault::status(503), Scope::Endpoint(Endpoint::GroupMembers), Times::UntilCleared);
    let bridge = Running::start(&config);
    listener.until(&[("presence/bridge/state", "online"), ("presence/bob/health", "stale")]).await;
    within(stage.tenant.wait_until(|requests| requests.with_status(503) >= 2)).await;
    assert_eq!(listener.now["presence/bob/activity"], "InACall", "kept, and not believed");
    stage.tenant.clear_faults();
    listener.until(&[("presence/bob/state", ""), ("presence/alice/health", "ok")]).await;
    assert_eq!(listener.now["presence/alice/state"], state, "since when is remembered");
    assert_eq!(bridge.stop().await, Ending::Stopped);
}

#[tokio::test]
async fn two_of_one_name_end_the_run_at_start() {
    let (stage, config) = stage(tenant(1)).await;
    let id: ObjectId = "11111111-7ef5-42da-9069-724602c31f6b".parse().unwrap();
    stage.tenant.add(Person {
        id,
        principal_name: "ALICE@fabrikam.example".into(),
        display_name: "Alice Abel".into(),
    });
    stage.tenant.join_group(everybody(), id);
    let Ending::Conflict(sentence) = Running::start(&config).end().await else { panic!("it runs") };
    assert!(
        sentence.contains("Alice Adams (66825e03-") && sentence.contains("Alice Abel (11111111-"),
        "{sentence}"
    );
}

#[tokio::test]
async fn whoever_is_configured_by_principal_name_is_no_member_as_well() {
    let stage = Stage::set(tenant(2)).await;
    let config = config(&stage, "[[users]]\nname = \"boss\"\nid = \"Bob@Contoso.example\"\n");
    let mut listener = stage.listen(&config).await;
    let bridge = Running::start(&config);
    listener.until(&[("presence/boss/health", "ok"), ("presence/alice/health", "ok")]).await;
    assert_eq!(bridge.stop().await, Ending::Stopped);
    assert!(
        !listener.heard.iter().any(|(topic, _)| topic.starts_with("presence/bob/")),
        "{:#?}",
        listener.now
    );
}

#[tokio::test]
async fn a_group_comes_and_goes_with_the_configuration() {
    let stage = Stage::set(tenant(2)).await;
    let alice = "[[users]]\nname = \"alice\"\nid = \"66825e03-7ef5-42da-9069-724602c31f6b\"\n";
    let (without, with) = (stage.config("", alice), config(&stage, alice));
    let mut listener = stage.listen(&without).await;
    let (reload, reloads) = mpsc::channel::<Reload>(1);
    let (stop, stopped) = oneshot::channel::<()>();
    let run = async { run::run(&without, async { drop(stopped.await) }, reloads).await.unwrap() };
    let story = async {
        listener.until(&[("presence/alice/health", "ok"), ("presence/bridge/state", "online")]).await;
        reload.send(Ok(with)).await.unwrap();
        listener.until(&[("presence/bob/health", "ok"), ("presence/alice/health", "ok")]).await;
        reload.send(Ok(without.clone())).await.unwrap();
        listener.until(&[("presence/bob/health", ""), ("presence/bob/state", "")]).await;
        stop.send(()).unwrap();
    };
    let (ending, ()) = within(async { tokio::join!(run, story) }).await;
    assert_eq!(ending, Ending::Stopped);
    assert_eq!(listener.now["presence/alice/health"], "ok");
}

#[tokio::test]
async fn get_reads_members_and_only_where_it_has_to() {
    let stage = Stage::without_broker(tenant(3)).await;
    let Settings { tenant_id, client_id, client_secret, .. } = stage.tenant.settings();
    let url = stage.server.url();
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("presence2mqtt.toml");
    let text = format!(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:1\"\n[graph]\ntenant_id = \"{tenant_id}\"\nclient_id = \"{client_id}\"\n\
         graph_url = \"{url}\"\nlogin_url = \"{url}\"\n[graph.auth]\nmethod = \"client-secret\"\n\
         client_secret = \"{client_secret}\"\n[[users]]\nname = \"boss\"\nid = \"bob@contoso.example\"\n\
         [[groups]]\nid = \"{EVERYBODY}\"\n"
    );
    std::fs::write(&file, text).unwrap();
    let told = async |arguments: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_presence2mqtt"));
        command.env_clear().args(arguments).arg("-c").arg(&file);
        let output = tokio::task::spawn_blocking(move || command.output().unwrap());
        let output = within(output).await.unwrap();
        let text = [output.stdout, output.stderr].map(|part| String::from_utf8(part).unwrap()).concat();
        (output.status.code(), text)
    };
    let (code, text) = told(&["get", "--json", "boss"]).await;
    assert_eq!((code, text.contains("\"boss\"")), (Some(0), true), "{text}");
    assert_eq!(stage.tenant.requests().to(Endpoint::GroupMembers), 0);
    let (code, text) = told(&["get", "--json"]).await;
    assert_eq!(code, Some(0), "{text}");
    for name in ["\"alice\"", "\"boss\"", "\"carol\""] {
        assert!(text.contains(name), "{name}: {text}");
    }
    assert!(!text.contains("\"bob\""), "{text}");
    let (code, text) = told(&["get", "carol"]).await;
    assert_eq!((code, text.contains("Carol Clark")), (Some(0), true), "{text}");
    let (code, text) = told(&["get", "mallory"]).await;
    assert_eq!((code, text.contains("there are: boss, alice, carol")), (Some(2), true), "{text}");
    stage.tenant.remove_group(everybody());
    let (code, text) = told(&["get"]).await;
    assert_eq!((code, text.contains("check its id under [[groups]]")), (Some(1), true), "{text}");
    assert!(text.contains(" boss "), "who is configured is read all the same: {text}");
    // Whether Carol is in it nobody knows.
    let (code, text) = told(&["get", "carol"]).await;
    assert_eq!((code, text.contains("check its id under [[groups]]")), (Some(1), true), "{text}");
}
