//! The floor: what reads presence and publishes it with the same crates, and does nothing else.
//! It gives nothing up, doubts nothing and survives nothing. `tenant one` and `tenant many` measure it in the
//! bridge's place, so that it stays known how far above it the bridge is:
//!
//! ```text
//! cargo bench --bench tenant -- one --cycle 5 --program \
//!   "$(cargo bench --bench floor --no-run --message-format=json |
//!   sed -n 's/.*"name":"floor".*"executable":"\([^"]*\)".*/\1/p')"
//! ```
#![allow(clippy::disallowed_methods, clippy::unwrap_used, reason = "a measurement is an edge")]

use std::path::{Path, PathBuf};
use std::time::Duration;

use reqwest::{Certificate, Client};
use rumqttc::{AsyncClient, MqttOptions, QoS};
use serde::Deserialize;
use serde_json::value::RawValue;

/// People in one request, at most (Graph: `cloudcommunications-getpresencesbyuserid`).
const AT_ONCE: usize = 650;

/// As much of the configuration as is needed.
#[derive(Deserialize)]
struct Config {
    mqtt: Mqtt,
    graph: Graph,
    users: Vec<User>,
}

#[derive(Deserialize)]
struct Mqtt {
    url: String,
}

#[derive(Deserialize)]
struct Graph {
    client_id: String,
    tenant_id: String,
    #[serde(with = "humantime_serde")]
    poll_interval: Duration,
    graph_url: String,
    login_url: String,
    ca_file: PathBuf,
    auth: Auth,
}

#[derive(Deserialize)]
struct Auth {
    client_secret: String,
}

#[derive(Deserialize)]
struct User {
    name: String,
    id: String,
}

#[derive(Deserialize)]
struct Token {
    access_token: String,
}

/// Graph: `cloudcommunications-getpresencesbyuserid`
#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    value: Vec<Presence<'a>>,
}

#[derive(Deserialize)]
struct Presence<'a> {
    availability: &'a str,
    activity: &'a str,
    #[serde(rename = "statusMessage", borrow)]
    _message: &'a RawValue,
}

fn main() {
    let _first = rustls::crypto::aws_lc_rs::default_provider().install_default();
    // `run --config FILE`, as the bridge is started; cargo says `--bench` and nothing else.
    let Some(file) = std::env::args().skip_while(|argument| argument != "--config").nth(1) else { return };
    let config: Config = toml::from_str(&std::fs::read_to_string(file).unwrap()).unwrap();
    tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap().block_on(run(config));
}

async fn run(config: Config) {
    let Config { mqtt, graph, users } = config;
    let broker = url::Url::parse(&mqtt.url).unwrap();
    let options = MqttOptions::new("floor", broker.host_str().unwrap(), broker.port().unwrap());
    let (publisher, mut event_loop) = AsyncClient::new(options, 16);
    tokio::spawn(async move { while event_loop.poll().await.is_ok() {} });
    let client = client(&graph.ca_file);
    let token = token(&client, &graph).await;
    let read = format!("{}/v1.0/communications/getPresencesByUserId", graph.graph_url);
    let mut before = vec![None; users.len()];
    let mut every = tokio::time::interval(graph.poll_interval);
    loop {
        every.tick().await;
        for (users, before) in users.chunks(AT_ONCE).zip(before.chunks_mut(AT_ONCE)) {
            let ids: Vec<&str> = users.iter().map(|user| user.id.as_str()).collect();
            let asked = client.post(&read).bearer_auth(&token).json(&serde_json::json!({ "ids": ids }));
            let bytes = asked.send().await.unwrap().bytes().await.unwrap();
            // In the order asked for, as the tenant of the bench answers.
            let answer: Answer<'_> = serde_json::from_slice(&bytes).unwrap();
            assert_eq!(answer.value.len(), users.len());
            for ((user, presence), before) in users.iter().zip(&answer.value).zip(before) {
                let now = Some((presence.availability.to_owned(), presence.activity.to_owned()));
                if now != *before {
                    for (level, value) in
                        [("activity", presence.activity), ("availability", presence.availability)]
                    {
                        let topic = format!("presence/{}/{level}", user.name);
                        publisher.publish(topic, QoS::AtLeastOnce, true, value).await.unwrap();
                    }
                    *before = now;
                }
            }
        }
    }
}

fn client(authority: &Path) -> Client {
    let authority = Certificate::from_pem(&std::fs::read(authority).unwrap()).unwrap();
    Client::builder().tls_certs_merge([authority]).build().unwrap()
}

async fn token(client: &Client, graph: &Graph) -> String {
    let url = format!("{}/{}/oauth2/v2.0/token", graph.login_url, graph.tenant_id);
    let form = [
        ("grant_type", "client_credentials"),
        ("client_id", graph.client_id.as_str()),
        ("client_secret", graph.auth.client_secret.as_str()),
        ("scope", "https://graph.microsoft.com/.default"),
    ];
    let answer = client.post(url).form(&form).send().await.unwrap();
    answer.json::<Token>().await.unwrap().access_token
}
