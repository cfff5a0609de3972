//! `[[accounts]]`: what each takes over from `[graph]`, who is read by whom, and what is refused.

use std::path::Path;

use super::{message, read, read_with};
use crate::config::{Auth, Config};
use crate::core::model::name::UserId;

const COMMON: &str = r#"
[mqtt]
url = "mqtt://localhost"
[graph]
client_id = "11111111-2222-3333-4444-555555555555"
poll_interval = "7s"
state_dir = "/var/lib/presence"
"#;

const HOUSEHOLD: &str = r#"
[[accounts]]
name = "alice"
tenant_id = "contoso.example"
[[accounts]]
name = "Bob"
tenant_id = "fabrikam.example"
client_id = "22222222-2222-3333-4444-555555555555"
poll_interval = "9s"
request_budget = 100
[accounts.auth]
method = "browser"
announce_sign_in = true
"#;

const APP: &str = r#"
[[accounts]]
name = "app"
tenant_id = "woodgrove.example"
[accounts.auth]
method = "client-secret"
client_secret = "s3cr3t-marker"
"#;

fn config(text: &str) -> Config {
    read(&format!("{COMMON}{text}")).unwrap()
}

fn refused(text: &str) -> String {
    message(read(&format!("{COMMON}{text}")))
}

#[test]
fn each_account_takes_over_what_it_does_not_say() {
    let config = config(HOUSEHOLD);
    let [alice, bob] = &config.accounts[..] else { panic!("two accounts") };
    assert_eq!(alice.name.as_ref().unwrap().as_str(), "alice");
    assert_eq!((alice.tenant.as_str(), bob.tenant.as_str()), ("contoso.example", "fabrikam.example"));
    assert_eq!((alice.settings.poll_interval.as_secs(), bob.settings.poll_interval.as_secs()), (7, 9));
    assert_eq!((alice.settings.request_budget, bob.settings.request_budget), (1500, 100));
    let Auth::Person { client_id, state_dir, announce: false, .. } = &alice.auth else {
        panic!("{:?}", alice.auth)
    };
    assert!(client_id.as_str().starts_with("1111"));
    assert_eq!(state_dir, Path::new("/var/lib/presence/accounts/alice"));
    let Auth::Person { client_id, state_dir, announce: true, .. } = &bob.auth else {
        panic!("{:?}", bob.auth)
    };
    assert!(client_id.as_str().starts_with("2222"));
    assert_eq!(state_dir, Path::new("/var/lib/presence/accounts/Bob"));
    let users: Vec<(&str, &UserId, usize)> =
        config.users.iter().map(|user| (user.name.as_str(), &user.id, user.account.index())).collect();
    assert_eq!(users, [("alice", &UserId::Me, 0), ("Bob", &UserId::Me, 1)], "each follows whoever signs in");
}

#[test]
fn one_account_needs_no_naming_and_several_share_an_app() {
    let app = format!("{COMMON}{APP}[[users]]\nname = \"carol\"\nid = \"carol@woodgrove.example\"\n");
    let one = read(&app.replace("state_dir", "#")).unwrap();
    assert_eq!((one.accounts.len(), one.users[0].account.index()), (1, 0));
    let two = HOUSEHOLD.replace("fabrikam", "Contoso").replace("22222222", "11111111");
    let two = config(&two);
    assert_eq!(two.accounts[0].app(), two.accounts[1].app());
    assert_ne!(config(HOUSEHOLD).accounts[0].app(), config(HOUSEHOLD).accounts[1].app());
}

#[test]
fn a_credential_of_another_method_is_not_taken_over() {
    let shared = COMMON.replace("state_dir", "tenant_id = \"contoso.example\"\n#state_dir")
        + "[graph.auth]\nmethod = \"client-secret\"\nclient_secret = \"s3cr3t-marker\"\nannounce_sign_in = false\n";
    let accounts = "[[accounts]]\nname = \"app\"\n[[accounts]]\nname = \"me\"\n[accounts.auth]\nmethod = \"browser\"\n\
                    [[users]]\nname = \"carol\"\nid = \"carol@contoso.example\"\naccount = \"app\"\n";
    let config = read_with(&format!("{shared}{accounts}"), &[("HOME", "/home/x")]).unwrap();
    assert!(matches!(config.accounts[0].auth, Auth::ClientSecret { .. }));
    assert!(matches!(config.accounts[1].auth, Auth::Person { .. }));
}

#[test]
fn a_credential_that_no_account_takes_over_is_refused() {
    for (key, method) in [
        ("client_secret = \"s3cr3t-marker\"", "client-secret"),
        ("client_secret_file = \"x\"", "client-secret"),
        ("certificate_file = \"x\"", "certificate"),
        ("private_key_file = \"x\"", "certificate"),
        ("federated_token_file = \"x\"", "workload-identity"),
    ] {
        let name = key.split(' ').next().unwrap();
        let says = format!("belongs to method \"{method}\", and no account has it; remove the key");
        let refused = refused(&format!("[graph.auth]\n{key}\n{HOUSEHOLD}"));
        assert!(refused.contains(&format!("graph.auth.{name}")), "{refused}");
        assert_eq!(refused.matches(&says).count(), 1, "{says}\nin\n{refused}");
    }
    let app = format!("{APP}[[users]]\nname = \"carol\"\nid = \"carol@woodgrove.example\"\n");
    let refused = refused(&format!("[graph.auth]\nannounce_sign_in = true\n{app}"));
    assert!(
        refused
            .contains("graph.auth.announce_sign_in = true: has an effect only for methods by which a person"),
        "{refused}"
    );
}

#[test]
fn each_refusal_names_the_line_and_what_is_allowed() {
    let users =
        |account: &str| format!("[[users]]\nname = \"carol\"\nid = \"carol@woodgrove.example\"\n{account}");
    #[rustfmt::skip]
    let rows = [
        ("[[accounts]]\ntenant_id = \"contoso.example\"\n".to_owned(), "accounts[0].name: is required"),
        (HOUSEHOLD.replace("\"Bob\"", "\"a/b\""), "presence2mqtt.toml:13: accounts[1].name = \"a/b\": must be 1 to 64"),
        (HOUSEHOLD.replace("\"Bob\"", "\"ALICE\""), "accounts[1].name = \"ALICE\": must differ, ignoring case"),
        (HOUSEHOLD.replace("tenant_id = \"fabrikam.example\"\n", ""), "accounts[1].tenant_id: is required"),
        (HOUSEHOLD.replace("\"fabrikam.example\"", "\"common\""), "accounts[1].tenant_id = \"common\": personal accounts"),
        (HOUSEHOLD.replace("\"9s\"", "\"0s\""), "presence2mqtt.toml:16: accounts[1].poll_interval = \"0s\": must be 1s to 1h"),
        (HOUSEHOLD.replace("request_budget", "stale_after = \"1m\"\nrequest_budget"), "accounts[1].stale_after: unknown key"),
        (HOUSEHOLD.replace("request_budget", "state_dir = \"x\"\nrequest_budget"), "accounts[1].state_dir: unknown key"),
        (HOUSEHOLD.replace("\"browser\"", "\"client-secret\""), "accounts[1].auth.client_secret_file: is required"),
        (HOUSEHOLD.replace("announce_sign_in", "private_key_file = \"x\"\nannounce_sign_in"), "accounts[1].auth.private_key_file"),
        (format!("{HOUSEHOLD}{APP}"), "accounts[2].name = \"app\": no people to follow: add [[users]] or [[groups]] with account = \"app\""),
        (format!("{HOUSEHOLD}{}", users("")), "users[0].account: is required, since there are several accounts: \"alice\", \"Bob\""),
        (format!("{HOUSEHOLD}{}", users("account = \"bob\"")), "users[0].account = \"bob\": must be one of the accounts: \"alice\", \"Bob\""),
        (format!("{HOUSEHOLD}[[groups]]\nid = \"02bd9fd6-8f93-4758-87c3-1fb73740a315\"\n"), "groups[0].account: is required"),
        (format!("{HOUSEHOLD}[[users]]\nname = \"bob\"\nid = \"me\"\naccount = \"alice\"\n"), "accounts[1].name = \"Bob\": is also the name of this account's only user, and that name is in use"),
        (HOUSEHOLD.replace("\"Bob\"", "\"bridge\""), "accounts[1].name = \"bridge\": is also the name of this account's only user"),
        (format!("{APP}[[users]]\nname = \"carol\"\nid = \"me\"\n"), "users[0].id = \"me\": method \"client-secret\" signs in an app"),
    ];
    for (text, says) in rows {
        let refused = refused(&text);
        assert!(refused.contains(says), "{says}\nin\n{refused}");
    }
    let none = COMMON.replace("state_dir", "tenant_id = \"contoso.example\"\nstate_dir");
    let none = message(read(&format!("{none}{}", users("account = \"x\""))));
    assert!(
        none.contains("users[0].account = \"x\": names one of [[accounts]], and there are none"),
        "{none}"
    );
}

#[test]
fn what_all_have_wrong_is_said_once_and_where_it_stands() {
    let wrong = COMMON.replace("\"7s\"", "\"0s\"");
    let refused = message(read(&format!("{wrong}{HOUSEHOLD}").replace("poll_interval = \"9s\"\n", "")));
    assert_eq!(refused.matches("graph.poll_interval = \"0s\": must be 1s to 1h").count(), 1, "{refused}");
}

#[test]
fn two_people_may_be_called_me_and_one_account_has_one() {
    let me = |name: &str, account: &str| {
        format!("[[users]]\nname = \"{name}\"\nid = \"me\"\naccount = \"{account}\"\n")
    };
    let both = config(&format!("{HOUSEHOLD}{}{}", me("a", "alice"), me("b", "Bob")));
    assert_eq!(both.users.len(), 2);
    let refused = refused(&format!("{HOUSEHOLD}{}{}{}", me("a", "alice"), me("x", "alice"), me("b", "Bob")));
    assert!(refused.contains("users[1].id = \"me\": another user has this id already"), "{refused}");
}

#[test]
fn a_variable_cannot_name_an_account() {
    let refused = message(read_with(
        &format!("{COMMON}{HOUSEHOLD}"),
        &[("PRESENCE2MQTT__ACCOUNTS__0__TENANT_ID", "x"), ("PRESENCE2MQTT__GRAPH__POLL_INTERVAL", "6s")],
    ));
    assert!(
        refused
            .starts_with("PRESENCE2MQTT__ACCOUNTS__0__TENANT_ID: a variable cannot set keys of one account"),
        "{refused}"
    );
    assert!(refused.contains("PRESENCE2MQTT__GRAPH__"), "{refused}");
}
