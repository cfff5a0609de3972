//! Single requests: what is sent, and what each way to fail means.

use std::sync::Arc;
use std::time::Duration;

use presence2mqtt::config::Secret;
use presence2mqtt::core::model::name::ObjectId;
use presence2mqtt::core::model::request::{
    BULK_LIMIT, ReadFailure, ReadMembers, ReadPresence, Reading, ResolveName,
};
use presence2mqtt::graph::client::{Access, GraphClient};
use presence2mqtt::graph::sign_in::method::Method;
use presence2mqtt::simulate::groups::EVERYBODY;
use presence2mqtt::simulate::{
    Endpoint, Fault, RetryAfter, Scope, Server, Settings, StrangeLink, Tenant, Times,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpListener;

use crate::stage::{ask, ask_as_somebody_else, ask_with_new_token, within};

struct World {
    tenant: Tenant,
    server: Server,
}

impl World {
    async fn new(users: usize) -> Self {
        let tenant = Tenant::new(Settings { users, speed: 0.0, ..Settings::default() });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let server = Server::start(listener, tenant.clone()).unwrap();
        Self { tenant, server }
    }

    fn client_with(&self, timeout: Duration, sign_in: Method) -> GraphClient {
        let url = self.server.url().parse().unwrap();
        let tenant = self.tenant.settings().tenant_id;
        let access = Access { graph_url: &url, login_url: &url, tenant: &tenant, ca_file: None, timeout };
        GraphClient::new(&access, sign_in).unwrap()
    }

    fn client(&self) -> GraphClient {
        self.client_with(Duration::from_secs(5), self.secret())
    }

    fn secret(&self) -> Method {
        let Settings { client_id, client_secret, .. } = self.tenant.settings();
        Method::ClientSecret { client_id, secret: Secret::Inline(client_secret.into()) }
    }

    fn ids(&self) -> Vec<ObjectId> {
        self.tenant.people().into_iter().map(|person| person.id).collect()
    }
}

fn words(people: Vec<Reading>) -> Vec<(ObjectId, String)> {
    let word = |reading: Reading| {
        (reading.id, reading.presence.map_or("-".into(), |presence| presence.activity().to_string()))
    };
    people.into_iter().map(word).collect()
}

#[tokio::test]
async fn each_request_brings_the_presence_of_whom_it_asks_for() {
    let world = World::new(3).await;
    let id = world.ids()[1];
    world.tenant.set_presence(id, "Busy", "InACall");
    let client = world.client();
    let expected = vec![(id, "InACall".to_owned())];
    for wrapped in [false, true] {
        world.tenant.switch(|switches| switches.wrapped = wrapped);
        assert_eq!(words(ask(&client, ReadPresence::User(id)).await.unwrap()), expected);
        assert_eq!(words(ask(&client, ReadPresence::Communications(id)).await.unwrap()), expected);
        assert_eq!(words(ask(&client, ReadPresence::Bulk(vec![id])).await.unwrap()), expected);
    }
    let name = "bob@contoso.example".parse().unwrap();
    assert_eq!(ask(&client, ResolveName(name)).await.unwrap(), id);
    let delegated = Method::Fixed(world.tenant.mint_delegated_token(id).into());
    let signed_in = world.client_with(Duration::from_secs(5), delegated);
    assert_eq!(words(ask(&signed_in, ReadPresence::Me).await.unwrap()), expected);
}

#[tokio::test]
async fn six_hundred_and_fifty_people_fit_into_one_request() {
    let world = World::new(BULK_LIMIT).await;
    let answer = ask(&world.client(), ReadPresence::Bulk(world.ids())).await.unwrap();
    let mut got: Vec<ObjectId> = words(answer).into_iter().map(|(id, _)| id).collect();
    let mut asked = world.ids();
    assert_ne!(got, asked, "the simulated answer is shuffled");
    got.sort();
    asked.sort();
    assert_eq!(got, asked);
}

#[tokio::test]
async fn a_bulk_answer_is_read_to_its_last_page() {
    let world = World::new(50).await;
    let client = world.client();
    let bulk = || ReadPresence::Bulk(world.ids());
    let asked = || world.tenant.requests().to(Endpoint::PresencesByUserId);
    world.tenant.switch(|switches| switches.people_page = Some(20));
    let mut got: Vec<ObjectId> =
        words(ask(&client, bulk()).await.unwrap()).into_iter().map(|(id, _)| id).collect();
    got.sort();
    let mut everybody = world.ids();
    everybody.sort();
    assert_eq!((got, asked()), (everybody, 3));

    // What came before a page that fails stands.
    let scope = Scope::Endpoint(Endpoint::PresencesByUserId);
    world.tenant.fault(Fault::Slow(Duration::ZERO), scope, Times::Next(1));
    world.tenant.fault(Fault::status(503), scope, Times::Next(1));
    assert_eq!(ask(&client, bulk()).await.unwrap().len(), 20);
    assert_eq!(asked(), 5);
}

#[tokio::test]
async fn strange_links_to_the_next_page_lead_nowhere_and_no_list_is_endless() {
    let world = World::new(50).await;
    let client = world.client();
    world.tenant.switch(|switches| switches.people_page = Some(20));
    for strange in [StrangeLink::OtherHost, StrangeLink::OtherPath] {
        world.tenant.switch(|switches| switches.strange_link = Some(strange));
        let before = world.tenant.requests().graph();
        assert_eq!(ask(&client, ReadPresence::Bulk(world.ids())).await.unwrap().len(), 20);
        assert_eq!(world.tenant.requests().graph(), before + 1, "{strange:?}");
    }
    world.tenant.switch(|switches| switches.strange_link = Some(StrangeLink::Same));
    let before = world.tenant.requests().graph();
    ask(&client, ReadPresence::Bulk(world.ids())).await.unwrap();
    assert_eq!(world.tenant.requests().graph(), before + 40);
}

#[tokio::test]
async fn half_a_character_about_one_person_costs_nobody_anything() {
    let world = World::new(3).await;
    let client = world.client();
    let (ids, group) = (world.ids(), ObjectId::from(EVERYBODY));
    world.tenant.set_group(group, &ids);
    let entity = serde_json::json!({"id": ids[0], "availability": "Busy", "activity": "InACall",
        "statusMessage": {"message": {"content": "lunch", "contentType": "text"}}});
    world.tenant.set_presence_json(ids[0], entity);
    world.tenant.fault(Fault::HalfCharacters, Scope::Graph, Times::UntilCleared);
    let people = ask(&client, ReadPresence::Bulk(ids.clone())).await.unwrap();
    assert_eq!(people.iter().filter(|reading| reading.presence.is_some()).count(), 3);
    let alone = ask(&client, ReadPresence::User(ids[0])).await.unwrap().remove(0).presence.unwrap();
    assert_eq!(&*alone.status_message().unwrap().text, "lunch\u{fffd}");
    assert_eq!(ask(&client, ResolveName("bob@contoso.example".parse().unwrap())).await.unwrap(), ids[1]);
    let members = ask(&client, ReadMembers { group, page: None }).await.unwrap().members;
    assert_eq!(members[0].display_name.as_deref(), Some("Alice Adams\u{fffd}"));
    assert_eq!(members.len(), 3);
}

#[tokio::test]
async fn connections_are_reused_and_each_request_has_its_own_id() {
    let world = World::new(1).await;
    let client = world.client();
    for _ in 0..20 {
        ask(&client, ReadPresence::User(world.ids()[0])).await.unwrap();
    }
    let log = world.tenant.requests().log;
    let connections: std::collections::BTreeSet<u64> = log.iter().map(|request| request.connection).collect();
    assert_eq!(connections.len(), 1, "{connections:?}");
    let ids: std::collections::BTreeSet<&str> =
        log.iter().filter_map(|request| request.client_request_id.as_deref()).collect();
    assert_eq!(ids.len(), 20);
    assert!(ids.iter().all(|id| id.parse::<ObjectId>().is_ok()), "{ids:?}");
}

#[tokio::test]
async fn forgotten_connections_are_replaced_and_tokens_kept() {
    let world = World::new(1).await;
    let id = world.ids()[0];
    let client = world.client();
    ask(&client, ReadPresence::User(id)).await.unwrap();
    client.forget_connections().unwrap();
    for _ in 0..2 {
        ask(&client, ReadPresence::User(id)).await.unwrap();
    }
    world.tenant.revoke_tokens();
    ask(&client, ReadPresence::User(id)).await.unwrap_err();
    client.forget_connections().unwrap();
    ask_with_new_token(&client, ReadPresence::User(id)).await.unwrap();
    let asked: Vec<(Endpoint, u64)> =
        world.tenant.requests().log.iter().map(|request| (request.endpoint, request.connection)).collect();
    let expected = [
        (Endpoint::Token, 1),
        (Endpoint::UserPresence, 1),
        (Endpoint::UserPresence, 2),
        (Endpoint::UserPresence, 2),
        (Endpoint::UserPresence, 2),
        (Endpoint::Token, 3),
        (Endpoint::UserPresence, 3),
    ];
    assert_eq!(asked, expected, "the sign-in service is asked on a new connection too");
}

#[tokio::test]
async fn a_read_under_way_ends_on_the_connection_it_began_on() {
    let world = World::new(1).await;
    let id = world.ids()[0];
    let client = world.client();
    ask(&client, ReadPresence::User(id)).await.unwrap();
    world.tenant.fault(Fault::Slow(Duration::from_millis(300)), Scope::Graph, Times::Next(1));
    let slow = ask(&client, ReadPresence::User(id));
    let forget = async {
        while world.tenant.requests().total < 3 {
            tokio::task::yield_now().await;
        }
        client.forget_connections().unwrap();
    };
    let (answer, ()) = tokio::join!(slow, forget);
    answer.unwrap();
    assert_eq!(world.tenant.requests().log.back().unwrap().connection, 1);
}

#[tokio::test]
async fn each_fault_has_its_meaning() {
    let world = World::new(1).await;
    let id = world.ids()[0];
    let client = world.client_with(Duration::from_secs(2), world.secret());
    ask(&client, ReadPresence::User(id)).await.unwrap();
    let passing = |failure: &ReadFailure| matches!(failure, ReadFailure::Passing { retry_after: None, .. });
    let seconds = |n| Some(RetryAfter::Seconds(n));
    type Means = fn(&ReadFailure) -> bool;
    let waits: Means = |failure| matches!(failure, ReadFailure::Passing { retry_after: Some(wait), .. } if (8..=9).contains(&wait.as_secs()));
    let throttled: Means = |failure| matches!(failure, ReadFailure::Throttled { retry_after: Some(wait) } if (8..=9).contains(&wait.as_secs()));
    let unhinted: Means = |failure| *failure == ReadFailure::Throttled { retry_after: None };
    let dated = Some(RetryAfter::Date(Duration::from_secs(9)));
    let redirect = Fault::Redirect { location: "http://elsewhere.example/v1.0/me".into() };
    let table: Vec<(Fault, Means)> = vec![
        (Fault::status(400), |failure| matches!(failure, ReadFailure::Refused { .. })),
        (Fault::status(401), |failure| matches!(failure, ReadFailure::TokenRefused { .. })),
        (
            Fault::status(403),
            |failure| matches!(failure, ReadFailure::Forbidden { advice } if advice.contains("Presence.Read.All")),
        ),
        (Fault::status(404), |failure| *failure == ReadFailure::NotFound),
        (Fault::status(429), unhinted),
        (Fault::throttled(9), throttled),
        (Fault::Error { status: 429, retry_after: dated }, throttled),
        (Fault::status(500), passing),
        (Fault::status(502), passing),
        (Fault::status(503), passing),
        (Fault::Error { status: 503, retry_after: seconds(9) }, waits),
        (Fault::Error { status: 503, retry_after: dated }, waits),
        (Fault::status(504), passing),
        (Fault::EmptyMessage { status: 404 }, |failure| *failure == ReadFailure::NotFound),
        (Fault::Slow(Duration::from_secs(60)), passing),
        (Fault::Dribble(Duration::from_secs(1)), passing),
        (Fault::Hang, passing),
        (Fault::Reset, passing),
        (Fault::Truncate, passing),
        (Fault::Html, passing),
        (Fault::Huge, passing),
        (redirect, passing),
    ];
    for (fault, means) in table {
        world.tenant.fault(fault.clone(), Scope::Graph, Times::Next(1));
        let failure = ask(&client, ReadPresence::User(id)).await.expect_err(&format!("{fault:?}"));
        assert!(means(&failure), "{fault:?} became {failure:?}");
        assert!(
            !failure.to_string().contains(&id.to_string()),
            "who it is stays out of sentences: {failure}"
        );
        world.tenant.clear_faults();
        ask(&client, ReadPresence::User(id)).await.expect("the fault is over");
    }
    for fault in [Fault::WrongType, Fault::UserInstead] {
        world.tenant.fault(fault.clone(), Scope::Graph, Times::Next(1));
        let answer = ask(&client, ReadPresence::User(id)).await.unwrap();
        assert_eq!(words(answer), [(id, "-".to_owned())], "{fault:?} holds no presence");
    }
}

#[tokio::test]
async fn twenty_reads_with_an_expired_token_ask_for_one() {
    let world = World::new(20).await;
    let client = Arc::new(world.client());
    let ids = world.ids();
    ask(&client, ReadPresence::User(ids[0])).await.unwrap();
    world.tenant.revoke_tokens();
    let before = world.tenant.requests().token;
    let all = |client: &Arc<GraphClient>, renewed: bool| {
        let mut reads = tokio::task::JoinSet::new();
        for id in ids.clone() {
            let client = Arc::clone(client);
            reads.spawn(async move {
                let operation = ReadPresence::User(id);
                if renewed {
                    ask_with_new_token(&client, operation).await
                } else {
                    ask(&client, operation).await
                }
            });
        }
        reads
    };
    let refused = within(all(&client, false).join_all()).await;
    assert!(
        refused.iter().all(|outcome| matches!(outcome, Err(ReadFailure::TokenRefused { .. }))),
        "{refused:?}"
    );
    assert_eq!(world.tenant.requests().token, before, "the core says when a new one is asked for");
    let answered = within(all(&client, true).join_all()).await;
    assert!(answered.iter().all(Result::is_ok), "{answered:?}");
    assert_eq!(world.tenant.requests().token, before + 1);
}

#[tokio::test]
async fn a_failed_sign_in_is_shared_by_all_who_waited_for_it() {
    let world = World::new(20).await;
    let client = Arc::new(world.client());
    world.tenant.fault(Fault::status(503), Scope::Endpoint(Endpoint::Token), Times::UntilCleared);
    let mut reads = tokio::task::JoinSet::new();
    for id in world.ids() {
        let client = Arc::clone(&client);
        reads.spawn(async move { ask(&client, ReadPresence::User(id)).await });
    }
    let outcomes = within(reads.join_all()).await;
    assert!(
        outcomes.iter().all(|outcome| matches!(outcome, Err(ReadFailure::Passing { .. }))),
        "{outcomes:?}"
    );
    assert_eq!(world.tenant.requests().token, 1);
}

#[tokio::test]
async fn while_the_sign_in_service_is_away_a_token_is_used_on_but_not_somebody_elses() {
    let world = World::new(1).await;
    let client = world.client();
    let read = || ReadPresence::User(world.ids()[0]);
    ask(&client, read()).await.unwrap();
    world.tenant.fault(Fault::status(503), Scope::Endpoint(Endpoint::Token), Times::Next(2));
    ask_with_new_token(&client, read()).await.unwrap();
    let outcome = ask_as_somebody_else(&client, read()).await;
    assert!(matches!(outcome, Err(ReadFailure::Passing { .. })), "{outcome:?}");
    ask_as_somebody_else(&client, read()).await.unwrap();
}

#[tokio::test]
async fn nothing_on_the_way_to_the_sign_in_service_is_a_bad_sign_in() {
    let world = World::new(1).await;
    let id = world.ids()[0];
    let client = world.client_with(Duration::from_secs(1), world.secret());
    let dated = Some(RetryAfter::Date(Duration::from_secs(9)));
    let redirect = Fault::Redirect { location: "http://elsewhere.example/token".into() };
    for (fault, words, waits) in [
        (Fault::Hang, "signing in: no answer in time", false),
        (Fault::Dribble(Duration::from_secs(1)), "signing in: the answer did not end in time", false),
        (Fault::Reset, "signing in: error sending request", false),
        (Fault::Truncate, "signing in: the answer was cut", false),
        (Fault::Huge, "signing in: the answer is larger than 262144 bytes", false),
        (Fault::Html, "the answer of the sign-in service is not a token", false),
        (redirect, "the sign-in service answered 302 Found", false),
        (Fault::throttled(9), "the sign-in service answered 429 Too Many Requests", true),
        (Fault::Error { status: 503, retry_after: dated }, "the sign-in service answered 503 Ser", true),
        (Fault::status(500), "the sign-in service answered 500 Internal Server Error", false),
    ] {
        world.tenant.fault(fault.clone(), Scope::Endpoint(Endpoint::Token), Times::Next(1));
        let failure = ask(&client, ReadPresence::User(id)).await.unwrap_err();
        let ReadFailure::Passing { why, retry_after } = &failure else {
            panic!("{fault:?} became {failure:?}")
        };
        assert!(why.starts_with(words), "{fault:?}: {why}");
        assert_eq!(retry_after.is_some_and(|wait| (8..=9).contains(&wait.as_secs())), waits, "{fault:?}");
        world.tenant.clear_faults();
    }
    ask(&client, ReadPresence::User(id)).await.expect("the faults are over");
}

#[tokio::test]
async fn a_token_is_renewed_before_it_ends() {
    let tenant = Tenant::new(Settings {
        users: 1,
        speed: 0.0,
        token_lifetime: Duration::from_secs(2)..Duration::from_secs(3),
        request_limit: usize::MAX,
        ..Settings::default()
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let world = World { server: Server::start(listener, tenant.clone()).unwrap(), tenant };
    let client = world.client();
    let id = world.ids()[0];
    let until_third_token = async {
        while world.tenant.requests().token < 3 {
            ask(&client, ReadPresence::User(id)).await.unwrap();
        }
    };
    within(until_third_token).await;
    assert_eq!(world.tenant.requests().with_status(401), 0);
}

#[tokio::test]
async fn a_wrong_secret_is_one_sentence_with_the_number() {
    let world = World::new(1).await;
    let Settings { client_id, .. } = world.tenant.settings();
    let secret = Secret::Inline("s3cr3t-marker".into());
    let client = world.client_with(Duration::from_secs(5), Method::ClientSecret { client_id, secret });
    let failure = ask(&client, ReadPresence::User(world.ids()[0])).await.unwrap_err();
    let ReadFailure::SignInRequired { advice } = &failure else { panic!("{failure:?}") };
    assert!(advice.contains("the client secret is wrong") && advice.contains("AADSTS7000215"), "{advice}");
    assert!(!format!("{client:?}{failure:?}").contains("s3cr3t-marker"));
}

#[tokio::test]
async fn pages_without_end_of_people_do_not_fill_the_memory() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let root: url::Url = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
    let person = r#"{"id":"66825e03-7ef5-42da-9069-724602c31f6b","availability":"Busy","activity":"Busy"}"#;
    let next = format!("{root}v1.0/communications/getPresencesByUserId?$skiptoken=x");
    let space = " ".repeat(5 * 1024 * 1024);
    let page = format!(r#"{{"value":[{person}],{space}"@odata.nextLink":"{next}"}}"#);
    let head = format!("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: {}\r\n\r\n", page.len());
    tokio::spawn(async move {
        loop {
            let (mut stream, _) = listener.accept().await.unwrap();
            assert!(stream.read(&mut [0; 8192]).await.unwrap() > 0);
            // Whoever has had enough goes away early.
            let _ = stream.write_all(head.as_bytes()).await;
            let _ = stream.write_all(page.as_bytes()).await;
        }
    });
    let access = Access {
        graph_url: &root,
        login_url: &root,
        tenant: "contoso.example",
        ca_file: None,
        timeout: Duration::from_secs(5),
    };
    let client = GraphClient::new(&access, Method::Fixed("token".to_owned().into())).unwrap();
    let ids = vec!["66825e03-7ef5-42da-9069-724602c31f6b".parse().unwrap()];
    let people = ask(&client, ReadPresence::Bulk(ids)).await.unwrap();
    assert_eq!(people.len(), 3, "16 MiB for all pages together");
}
