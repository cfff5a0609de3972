//! A household: two people in two tenants, one bridge, one broker.

use std::process::{Command, Stdio};
use std::time::Duration;

use presence2mqtt::config::{self, Config, Environment};
use presence2mqtt::core::model::effect::Ending;
use presence2mqtt::run::run;
use presence2mqtt::simulate::{Endpoint, Fault, Scope, Settings, Times};
use tokio::sync::{mpsc, oneshot};

use crate::sign_in::output;
use crate::stage::{Listener, Stage, within};

/// Two tenants and a configuration file; the broker is Alice's stage's.
struct Household {
    alice: Stage,
    bob: Stage,
    folder: tempfile::TempDir,
}

impl Household {
    async fn new() -> Self {
        let settings = || Settings {
            device_code_interval: Duration::from_secs(1),
            request_limit: usize::MAX,
            ..Settings::default()
        };
        let (alice, bob) = (Stage::set(settings()).await, Stage::without_broker(settings().nth(1)).await);
        let household = Self { alice, bob, folder: tempfile::tempdir().unwrap() };
        household.write(&household.text());
        household
    }

    fn write(&self, text: &str) {
        std::fs::write(self.folder.path().join("presence2mqtt.toml"), text).unwrap();
    }

    fn text(&self) -> String {
        let account = |name: &str, stage: &Stage| {
            let Settings { tenant_id, client_id, .. } = stage.tenant.settings();
            let url = stage.server.url();
            format!(
                "[[accounts]]\nname = \"{name}\"\ntenant_id = \"{tenant_id}\"\nclient_id = \"{client_id}\"\n\
                 graph_url = \"{url}\"\nlogin_url = \"{url}\"\n"
            )
        };
        format!(
            "[mqtt]\nurl = \"mqtt://127.0.0.1:{}\"\n[graph]\npoll_interval = \"1s\"\nstate_dir = \"state\"\n{}{}",
            self.alice.port,
            account("alice", &self.alice),
            account("bob", &self.bob)
        )
    }

    fn config(&self) -> Config {
        let file = self.folder.path().join("presence2mqtt.toml");
        config::load(Some(&file), &Environment::from_iter([])).unwrap()
    }

    async fn told(&self, arguments: &[&str]) -> (Option<i32>, String) {
        let mut command = Command::new(env!("CARGO_BIN_EXE_presence2mqtt"));
        command.env_clear().current_dir(self.folder.path()).args(arguments);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        output(command.spawn().unwrap()).await
    }

    /// Both sign in, at the same time: Alice as the first person of her tenant, Bob as the second of his.
    async fn log_in(&self) {
        let approve = |stage: &Stage, person: usize| {
            let (tenant, id) = (stage.tenant.clone(), stage.tenant.people()[person].id);
            async move {
                let code = within(tenant.wait_for_device_code()).await;
                assert!(tenant.approve_device_code(&code, id));
            }
        };
        let ((alice, said_alice), (bob, said_bob), (), ()) = tokio::join!(
            self.told(&["login", "--account", "alice"]),
            self.told(&["login", "--account", "bob"]),
            approve(&self.alice, 0),
            approve(&self.bob, 1)
        );
        assert_eq!((alice, bob), (Some(0), Some(0)), "{said_alice} {said_bob}");
        assert!(said_alice.contains("Signed in as alice@"), "{said_alice}");
        assert!(said_bob.contains("Signed in as bob@"), "{said_bob}");
    }
}

#[tokio::test]
async fn commands_say_which_account_and_two_sign_in_at_once() {
    let home = Household::new().await;
    for command in ["login", "logout"] {
        let (code, said) = home.told(&[command]).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("--account alice or --account bob"), "{said}");
    }
    for command in [&["login"][..], &["logout"], &["whoami"], &["get"], &["check", "--online"]] {
        let (code, said) = home.told(&[command, &["--account", "carol"]].concat()).await;
        assert_eq!(code, Some(2), "{said}");
        assert!(said.contains("there are: alice, bob"), "{said}");
    }
    let (code, said) = home.told(&["whoami", "--account", "bob"]).await;
    assert_eq!(code, Some(77), "{said}");
    assert!(said.contains("`presence2mqtt login --account bob`"), "{said}");

    home.log_in().await;
    let (code, said) = home.told(&["whoami"]).await;
    assert_eq!(code, Some(0), "{said}");
    for words in ["name      alice\naccount   alice@", "name      bob\naccount   bob@"] {
        assert!(said.contains(words), "{said}");
    }
    for folder in ["alice", "bob"] {
        assert!(home.folder.path().join("state/accounts").join(folder).join("sign-in.json").exists());
    }
    let (code, said) = home.told(&["get"]).await;
    assert_eq!((code, said.contains(" alice ") && said.contains(" bob ")), (Some(0), true), "{said}");
    let (code, said) = home.told(&["get", "--account", "bob"]).await;
    assert_eq!((code, said.contains(" alice ")), (Some(0), false), "{said}");
    let (code, said) = home.told(&["get", "alice", "--account", "bob"]).await;
    assert_eq!(code, Some(2), "{said}");
    let (code, said) = home.told(&["check", "--online"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("alice: as alice@") && said.contains("bob: as bob@"), "{said}");

    let (code, said) = home.told(&["logout", "--account", "alice"]).await;
    assert_eq!(code, Some(0), "{said}");
    let (code, said) = home.told(&["whoami"]).await;
    assert_eq!((code, said.contains("account   bob@")), (Some(77), true), "{said}");
    let (code, said) = home.told(&["check", "--online"]).await;
    assert_eq!((code, said.contains("alice: sign-in")), (Some(77), true), "{said}");
    let (code, said) = home.told(&["check"]).await;
    assert_eq!(code, Some(0), "{said}");
    assert!(said.contains("  account  alice\n") && said.contains("  account  bob\n"), "{said}");

    home.bob.tenant.fault(
        Fault::SignIn { code: 530_035 },
        Scope::Endpoint(Endpoint::Token),
        Times::UntilCleared,
    );
    let (code, said) = home.told(&["login", "--account", "bob"]).await;
    assert_eq!(code, Some(77), "{said}");
    assert!(said.contains("run `presence2mqtt login --account bob --browser`"), "{said}");
}

/// Before there were accounts Alice was the only one.
#[tokio::test]
async fn a_sign_in_from_before_there_were_accounts_is_used_and_only_by_whose_it_is() {
    let home = Household::new().await;
    let accounts = home.text();
    let (sections, rest) = accounts.split_once("[[accounts]]\nname = \"alice\"\n").unwrap();
    let (alice, _) = rest.split_once("[[accounts]]").unwrap();
    home.write(&format!("{sections}{alice}"));
    let approve = async {
        let code = within(home.alice.tenant.wait_for_device_code()).await;
        assert!(home.alice.tenant.approve_device_code(&code, home.alice.tenant.people()[0].id));
    };
    let ((code, said), ()) = tokio::join!(home.told(&["login"]), approve);
    assert_eq!(code, Some(0), "{said}");
    assert!(home.folder.path().join("state/sign-in.json").exists());

    home.write(&accounts);
    let (code, said) = home.told(&["whoami", "--account", "bob"]).await;
    assert_eq!(code, Some(77), "{said}");
    let (code, said) = home.told(&["whoami", "--account", "alice"]).await;
    assert_eq!((code, said.contains("account   alice@")), (Some(0), true), "{said}");
    assert!(!home.folder.path().join("state/sign-in.json").exists());
    assert!(home.folder.path().join("state/accounts/alice/sign-in.json").exists());
}

#[tokio::test]
async fn one_sign_in_is_lost_and_the_other_person_does_not_notice() {
    let home = Household::new().await;
    home.log_in().await;
    let config = home.config();
    let mut listener = Listener::to(&config).await;
    let (reloads, reloaded) = mpsc::channel(1);
    let (stop, stopped) = oneshot::channel::<()>();
    let of_run = config.clone();
    let bridge = tokio::spawn(async move { run(&of_run, async { drop(stopped.await) }, reloaded).await });
    listener.until(&[("presence/alice/health", "ok"), ("presence/bob/health", "ok")]).await;
    let health = "presence/bridge/account/bob/health";
    listener.until_topic(health, |health| health.contains("\"graph\":\"ok\"")).await;

    home.bob.tenant.revoke_sign_ins();
    home.bob.tenant.revoke_tokens();
    let heard = listener.heard.len();
    listener.until(&[("presence/bob/health", "sign_in_required")]).await;
    let overall =
        listener.until_topic("presence/bridge/health", |health| health.contains("account bob: ")).await;
    assert!(overall.contains("\"alice\":{\"graph\":\"ok\",\"detail\":null}"), "{overall}");
    let about_alice: Vec<_> =
        listener.heard[heard..].iter().filter(|(topic, _)| topic.starts_with("presence/alice/")).collect();
    assert!(about_alice.is_empty(), "{about_alice:?}");
    let who = home.alice.tenant.people()[0].id;
    assert!(home.alice.tenant.set_presence(who, "DoNotDisturb", "Presenting"));
    listener.until(&[("presence/alice/availability", "DoNotDisturb"), ("presence/alice/health", "ok")]).await;

    // Bob's account goes, and takes everything along.
    let without_bob = home.text().split("[[accounts]]\nname = \"bob\"").next().unwrap().to_owned();
    home.write(&without_bob);
    let heard = listener.heard.len();
    reloads.send(Ok(home.config())).await.unwrap();
    let gone = ["presence/bob/health", "presence/bob/state", "presence/bridge/account/bob/health"];
    listener.until(&gone.map(|topic| (topic, ""))).await;
    let about_alice: Vec<_> =
        listener.heard[heard..].iter().filter(|(topic, _)| topic.starts_with("presence/alice/")).collect();
    assert!(about_alice.is_empty(), "{about_alice:?}");
    assert!(home.alice.tenant.set_presence(who, "Busy", "InACall"));
    listener.until(&[("presence/alice/activity", "InACall")]).await;

    stop.send(()).unwrap();
    assert_eq!(within(bridge).await.unwrap().unwrap(), Ending::Stopped);
}
