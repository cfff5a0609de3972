//! What is accepted, and what it becomes.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::ExposeSecret;

use super::{SECTIONS, environment, message, minimal, read};
use crate::config::{Auth, Cloud, Config, Environment, Origin, Scheme, Secret, load, parse};
use crate::core::model::mqtt::{Protocol, Qos};
use crate::core::model::name::UserId;
use crate::core::model::settings::{Endpoint, OnStale, Settings};
use crate::core::model::sign_in::SignInBy;

fn secret_of(config: &Config) -> String {
    let Auth::ClientSecret { secret, .. } = &config.accounts[0].auth else { panic!("a secret") };
    secret.read().unwrap().expose_secret().to_owned()
}

#[test]
fn the_broker_may_have_several_addresses() {
    let text = minimal().replace("\"mqtt://localhost\"", "[\"mqtt://one\", \"wss://two/ws\"]");
    assert_eq!(read(&text).unwrap().mqtt.brokers.to_string(), "mqtt://one:1883, wss://two:443/ws");
}

#[test]
fn the_instance_is_the_hosts_name_unless_it_is_written() {
    let instance = |text: &str, host: &str| {
        let environment = environment(&[]).on_host(host.to_owned());
        parse(text, Path::new("x.toml"), &environment).unwrap().mqtt.settings.instance.as_str().to_owned()
    };
    for (host, expected) in [
        ("nas", "nas"),
        ("nas.example.org", "nas_example_org"),
        ("ping", "ping_"),
        ("pong", "pong_"),
        ("", "unknown"),
    ] {
        assert_eq!(instance(&minimal(), host), expected);
    }
    let written = minimal().replace("[mqtt]", "[mqtt]\ninstance = \"attic\"");
    assert_eq!(instance(&written, "nas"), "attic");
}

#[test]
fn defaults() {
    let config = read(&minimal()).unwrap();
    assert_eq!(config.origin, Origin::File("presence2mqtt.toml".into()));

    let mqtt = config.mqtt;
    assert_eq!(mqtt.brokers.to_string(), "mqtt://localhost:1883");
    assert_eq!(mqtt.settings.client_id.as_str(), "presence2mqtt");
    assert_eq!(mqtt.settings.bridge_name.as_str(), "bridge");
    assert!(mqtt.credentials.is_none());
    assert_eq!(mqtt.ca_file, None);
    assert_eq!(mqtt.client_identity, None);
    assert_eq!(mqtt.settings.base_topic.as_str(), "presence");
    assert_eq!(mqtt.settings.qos, Qos::AtLeastOnce);
    assert_eq!(mqtt.settings.keep_alive, Duration::from_secs(30));
    assert_eq!(mqtt.settings.protocol, Protocol::V3);
    assert_eq!(mqtt.settings.message_expiry, None);
    assert_eq!(mqtt.settings.refresh_interval, None);
    assert_eq!(mqtt.settings, Settings::for_tests().mqtt);
    assert_eq!(config.http, None);

    let graph = config.accounts[0].clone();
    assert_eq!(graph.cloud, Cloud::Global);
    assert_eq!(graph.tenant.as_str(), "contoso.onmicrosoft.com");
    let Auth::ClientSecret { client_id, .. } = &graph.auth else { panic!("a secret") };
    assert_eq!(client_id.as_str(), "11111111-2222-3333-4444-555555555555");
    assert_eq!(graph.settings.endpoint, Endpoint::Auto);
    assert_eq!(graph.settings.poll_interval, Duration::from_secs(5));
    assert_eq!(config.graph.stale_after, None);
    assert_eq!(config.graph.on_stale, OnStale::Keep);
    assert_eq!(config.graph.debounce, Duration::ZERO);
    assert!(!config.graph.include_messages);
    assert_eq!(graph.request_timeout, Duration::from_secs(10));
    assert_eq!(graph.settings.request_budget, 1500);
    assert_eq!(graph.graph_url.as_str(), "https://graph.microsoft.com/");
    assert_eq!(graph.login_url.as_str(), "https://login.microsoftonline.com/");
    assert_eq!(graph.ca_file, None);
    assert_eq!(config.graph, Settings::for_tests().graph);
    assert_eq!(graph.settings, Settings::for_tests().accounts[0].reading);

    let [alice] = &config.users[..] else {
        panic!("one user");
    };
    assert_eq!(alice.name.as_str(), "alice");
    assert_eq!(alice.id.to_string(), "66825e03-7ef5-42da-9069-724602c31f6b");
    assert_eq!(alice.display_name, "alice");
    assert!(alice.discovery);

    assert!(config.home_assistant.discovery);
    assert_eq!(config.home_assistant.settings.prefix.as_str(), "homeassistant");
    assert_eq!(config.home_assistant.settings.birth_topic, "homeassistant/status");
}

/// Every key that this version takes, none at its default.
const FULL: &str = r##"
[mqtt]
url = "wss://broker.example/ws"
client_id = "office"
bridge_name = "office-bridge"
username = "bob"
password_file = "mqtt-password"
ca_file = "ca.pem"
client_cert_file = "ca.pem"
client_key_file = "key.pem"
base_topic = "home/presence"
qos = 0
protocol = "5"
message_expiry = "2h"
keep_alive = "1m"
refresh_interval = "1h"
[graph]
cloud = "us-gov-l5"
tenant_id = "66825E03-7ef5-42da-9069-724602c31f6b"
client_id = "11111111-2222-3333-4444-55555555555A"
endpoint = "communications"
poll_interval = "10s"
stale_after = "20s"
on_stale = "unknown"
debounce = "3s"
include_messages = true
request_timeout = "1m 30s"
request_budget = 10_000
graph_url = "http://127.0.0.1:8765"
login_url = "http://[::1]:8765/"
ca_file = "ca.pem"
[graph.auth]
method = "client-secret"
client_secret_file = "secret"
announce_sign_in = false
[[users]]
name = "alice"
id = "alice@contoso.example"
display_name = "Alice Ä."
discovery = false
[[users]]
name = "bob"
id = "66825e03-7ef5-42da-9069-724602c31f6b"
[home_assistant]
discovery = false
[commands]
enabled = true
[http]
"##;

fn full_in(dir: &Path) -> PathBuf {
    let key = rcgen::generate_simple_self_signed(["broker.example".to_owned()]).unwrap();
    fs::write(dir.join("ca.pem"), key.cert.pem()).unwrap();
    fs::write(dir.join("key.pem"), key.signing_key.serialize_pem()).unwrap();
    fs::write(dir.join("mqtt-password"), "of bob\n").unwrap();
    fs::write(dir.join("secret"), "beside\n").unwrap();
    let file = dir.join("config.toml");
    fs::write(&file, FULL).unwrap();
    file
}

#[test]
fn every_key() {
    let dir = tempfile::tempdir().unwrap();
    let file = full_in(dir.path());
    let config = load(Some(&file), &Environment::default()).unwrap();

    assert_eq!(config.origin, Origin::File(file));
    let mqtt = &config.mqtt;
    assert_eq!(mqtt.brokers.in_turn(0).scheme, Scheme::Wss);
    assert_eq!(mqtt.brokers.to_string(), "wss://broker.example:443/ws");
    assert_eq!(mqtt.settings.client_id.as_str(), "office");
    assert_eq!(mqtt.settings.bridge_name.as_str(), "office-bridge");
    let credentials = mqtt.credentials.as_ref().unwrap();
    let password = credentials.password.as_ref().unwrap().read().unwrap();
    assert_eq!(credentials.username, "bob");
    assert_eq!(password.expose_secret(), "of bob");
    assert_eq!(mqtt.ca_file, Some(dir.path().join("ca.pem")));
    let identity = mqtt.client_identity.as_ref().unwrap();
    assert_eq!(identity.key_file, dir.path().join("key.pem"));
    assert_eq!(mqtt.settings.base_topic.as_str(), "home/presence");
    assert_eq!(mqtt.settings.qos, Qos::AtMostOnce);
    assert_eq!(mqtt.settings.keep_alive, Duration::from_secs(60));
    assert_eq!(mqtt.settings.protocol, Protocol::V5);
    assert_eq!(mqtt.settings.message_expiry, Some(Duration::from_secs(7200)));
    assert_eq!(mqtt.settings.refresh_interval, Some(Duration::from_secs(3600)));

    let graph = &config.accounts[0];
    assert_eq!(graph.cloud, Cloud::UsGovL5);
    assert_eq!(graph.tenant.as_str(), "66825e03-7ef5-42da-9069-724602c31f6b");
    let Auth::ClientSecret { client_id, .. } = &graph.auth else { panic!("a secret") };
    assert_eq!(client_id.as_str(), "11111111-2222-3333-4444-55555555555a");
    assert_eq!(graph.settings.endpoint, Endpoint::Communications);
    assert_eq!(config.graph.stale_after, Some(Duration::from_secs(20)));
    assert_eq!(config.graph.on_stale, OnStale::Unknown);
    assert_eq!(config.graph.debounce, Duration::from_secs(3));
    assert!(config.graph.include_messages);
    assert_eq!(graph.request_timeout, Duration::from_secs(90));
    assert_eq!(graph.settings.request_budget, 10_000);
    assert_eq!(graph.graph_url.as_str(), "http://127.0.0.1:8765/");
    assert_eq!(graph.login_url.as_str(), "http://[::1]:8765/");
    assert_eq!(secret_of(&config), "beside");

    assert_eq!(config.users.len(), 2);
    assert_eq!(config.users[0].display_name, "Alice Ä.");
    assert!(!config.users[0].discovery);
    assert!(!config.home_assistant.discovery);
}

#[test]
fn each_cloud_has_its_own_addresses() {
    for (cloud, graph_url, login_url) in [
        ("global", "https://graph.microsoft.com/", "https://login.microsoftonline.com/"),
        ("us-gov-l4", "https://graph.microsoft.us/", "https://login.microsoftonline.us/"),
        ("us-gov-l5", "https://dod-graph.microsoft.us/", "https://login.microsoftonline.us/"),
    ] {
        let text = minimal().replace("[graph]\n", &format!("[graph]\ncloud = \"{cloud}\"\n"));
        let graph = read(&text).unwrap().accounts[0].clone();
        assert_eq!(graph.graph_url.as_str(), graph_url);
        assert_eq!(graph.login_url.as_str(), login_url);
    }
}

#[test]
fn a_credential_comes_before_the_file_beside_the_configuration() {
    let [dir, credentials] = [(); 2].map(|()| tempfile::tempdir().unwrap());
    let file = full_in(dir.path());
    let directory = credentials.path().to_string_lossy();
    let environment = environment(&[("CREDENTIALS_DIRECTORY", &directory)]);

    let config = load(Some(&file), &environment).unwrap();
    assert_eq!(secret_of(&config), "beside");

    fs::write(credentials.path().join("secret"), "credential").unwrap();
    let config = load(Some(&file), &environment).unwrap();
    assert_eq!(secret_of(&config), "credential");

    // Rotated: the next reading sees it.
    fs::write(credentials.path().join("secret"), "rotated\n").unwrap();
    assert_eq!(secret_of(&config), "rotated");

    fs::write(credentials.path().join("secret"), "\n").unwrap();
    let message = message(load(Some(&file), &environment));
    assert!(message.contains("graph.auth.client_secret_file = \"secret\": "), "{message}");
    assert!(message.ends_with("is empty"), "{message}");
}

#[test]
fn an_absolute_file_is_taken_as_it_is() {
    let dir = tempfile::tempdir().unwrap();
    let secret = dir.path().join("secret");
    fs::write(&secret, "absolute").unwrap();
    let given = format!("client_secret_file = {:?}", secret.to_string_lossy());
    let text = minimal().replace("client_secret = \"s3cr3t-marker\"", &given);
    let config = parse(&text, Path::new("/elsewhere/c.toml"), &Environment::default()).unwrap();
    let Auth::ClientSecret { secret: Secret::File(path), .. } = &config.accounts[0].auth else {
        panic!("a file");
    };
    assert_eq!(*path, secret);
    assert_eq!(secret_of(&config), "absolute");
}

#[test]
fn a_user_may_use_any_shape_of_toml() {
    let users = "users = [{ name = \"alice\", id = \"alice@contoso.example\" }]\n";
    let inline = read(&format!("{users}{}", super::SECTIONS)).unwrap();
    assert_eq!(inline.users[0].name.as_str(), "alice");
    let bad = message(read(&format!("{}{}", users.replace("alice@", ""), super::SECTIONS)));
    assert!(bad.starts_with("presence2mqtt.toml:1: users[0].id = \"contoso.example\""), "{bad}");
    let dotted = message(read("mqtt.qos = 3\n"));
    assert!(dotted.contains("presence2mqtt.toml:1: mqtt.qos = 3: must be 0 or 1"), "{dotted}");
    assert!(dotted.contains("presence2mqtt.toml:1: mqtt.url: is required"), "{dotted}");
}

#[test]
fn somebody_who_signs_in_follows_themselves_and_needs_no_file() {
    let variables = [
        ("PRESENCE2MQTT__MQTT__URL", "mqtt://broker"),
        ("PRESENCE2MQTT__GRAPH__TENANT_ID", "contoso.example"),
        ("PRESENCE2MQTT__GRAPH__CLIENT_ID", "11111111-2222-3333-4444-555555555555"),
    ];
    let with = |more: &[(&str, &str)]| {
        let all = variables.iter().chain(more);
        let environment = all.map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        load(None, &environment).map(|config| match config.accounts[0].auth.clone() {
            Auth::Person { state_dir, by, .. } => {
                (state_dir, by, config.users[0].id.clone(), config.users.len())
            }
            other @ (Auth::ClientSecret { .. }
            | Auth::Certificate { .. }
            | Auth::WorkloadIdentity { .. }
            | Auth::ManagedIdentity { .. }) => panic!("{other:?}"),
        })
    };
    for (more, state_dir) in [
        (vec![("HOME", "/home/alice")], "/home/alice/.local/state/presence2mqtt"),
        (vec![("HOME", "/home/alice"), ("XDG_STATE_HOME", "/state")], "/state/presence2mqtt"),
        (vec![("HOME", "/home/alice"), ("STATE_DIRECTORY", "/var/lib/p:/other")], "/var/lib/p"),
        (vec![("PRESENCE2MQTT__GRAPH__STATE_DIR", "/kept")], "/kept"),
    ] {
        let expected = (state_dir.into(), SignInBy::DeviceCode, UserId::Me, 1);
        assert_eq!(with(&more).unwrap(), expected, "{more:?}");
    }
    let browser = with(&[("HOME", "/h"), ("PRESENCE2MQTT__GRAPH__AUTH__METHOD", "browser")]).unwrap();
    assert_eq!(browser.1, SignInBy::Browser);
}

#[test]
fn groups_need_no_users() {
    let groups = "[[groups]]\nid = \"02bd9fd6-8f93-4758-87c3-1fb73740a315\"\n[[groups]]\nid = \"11111111-8f93-4758-87c3-1fb73740a315\"\n\
                  name = \"t-{display_name}\"\nrefresh_members = \"7d\"\ndiscovery = true\n";
    let config = read(&format!("{SECTIONS}{groups}")).unwrap();
    assert!(config.users.is_empty(), "{:?}", config.users);
    let [first, second] = &config.groups[..] else { panic!("{:?}", config.groups) };
    assert_eq!(first.name, "{upn_local}".parse().unwrap());
    assert_eq!((first.refresh_members, first.discovery), (Duration::from_secs(3600), false));
    assert_eq!((second.refresh_members, second.discovery), (Duration::from_secs(7 * 24 * 3600), true));
    let light = "[[lights]]\nname = \"door\"\nusers = [\"bob\"]\npreset = \"wled\"\ntopic = \"wled/door\"\n";
    let config = read(&format!("{SECTIONS}{groups}{light}")).unwrap();
    assert_eq!(config.lights[0].users, ["bob".parse().unwrap()], "who may be in a group");
}

#[test]
fn a_large_file_is_read_as_a_small_one() {
    let people = |bad: &str| {
        let person = |n| format!("[[users]]\nname = \"person{n}\"\nid = \"person{n}@contoso.example\"\n");
        minimal() + &(0..6000).map(person).collect::<String>() + bad
    };
    let text = people("");
    assert!(text.len() > 256 * 1024);
    let users = read(&text).unwrap().users;
    assert_eq!(users.last().unwrap().name.as_str(), "person5999");
    let line = text.lines().count() + 1;
    let wrong = message(read(&people("[[userz]]\n")));
    assert!(wrong.contains(&format!(":{line}: userz: unknown key")), "{wrong}");
}
