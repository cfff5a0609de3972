//! `presence2mqtt demo`: a simulated tenant, an embedded broker, the real bridge between them, and a live
//! view.
//!
//! There are no shortcuts: the bridge speaks HTTP and MQTT as it does elsewhere.

pub mod broker;

use std::collections::BTreeMap;
use std::io::{self, Write};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::Args;
use tokio::net::TcpListener;
use tokio::sync::mpsc;

use crate::config::{self, Config, Environment};
use crate::core::model::topic::Topics;
use crate::mqtt::address::Address;
use crate::mqtt::one_shot::{OneShot, OneShotError};
use crate::simulate::{self, AutoApprove, Server, Tenant};
use crate::view::picture::Picture;
use crate::view::show::{Look, Show, ShowEnd};
use broker::{BrokerError, EmbeddedBroker};

/// The options of the demonstration.
#[derive(Debug, Args)]
pub struct Options {
    /// End after this long [default: at Ctrl-C]
    #[arg(long = "for", value_name = "DURATION", value_parser = humantime::parse_duration)]
    lasts: Option<Duration>,
    /// How many people there are
    #[arg(long, value_name = "N", default_value_t = 3, value_parser = clap::value_parser!(u32).range(1..=1000))]
    users: u32,
    /// Port of the broker [default: a free one]
    #[arg(long, value_name = "P", default_value_t = 0, hide_default_value = true)]
    port: u16,
    /// Show how a person signs in with a device code; a simulated person uses it after a few seconds
    #[arg(long)]
    sign_in: bool,
    /// Two people with two employers: each signs in to an account of their own, and a light follows both
    #[arg(long, conflicts_with_all = ["users", "sign_in"])]
    household: bool,
}

/// Why the demonstration ended early.
#[derive(Debug, thiserror::Error)]
pub enum DemoError {
    /// The broker cannot run.
    #[error(transparent)]
    Broker(#[from] BrokerError),
    /// The tenant cannot listen, or the view cannot be printed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The configuration made for the bridge is wrong.
    #[error("the configuration of the demonstration is wrong")]
    Config(#[from] config::ConfigErrors),
    /// The bridge ended.
    #[error(transparent)]
    Bridge(#[from] crate::run::RunError),
    /// The live view cannot connect to the broker.
    #[error("the live view cannot reach the broker")]
    NoView(#[source] OneShotError),
    /// The live view lost its connection.
    #[error("the view ended")]
    View(#[source] OneShotError),
}

/// Runs everything until `stop`.
///
/// # Errors
///
/// If a part cannot start, or ends early.
pub async fn run(
    options: &Options,
    (look, typed): (Look, Option<mpsc::Receiver<String>>),
    stop: impl Future<Output = ()>,
    out: &mut (impl Write + Send),
) -> Result<(), DemoError> {
    let tokens = TokenFolder::new();
    let mut servers = Vec::new();
    for tenant in tenants(options) {
        servers.push((Server::start(TcpListener::bind("127.0.0.1:0").await?, tenant.clone())?, tenant));
    }
    let broker = EmbeddedBroker::start(options.port).await?;
    // Binds the port for a moment, to find one that is free when the bridge needs it.
    let page = TcpListener::bind("127.0.0.1:0").await?.local_addr()?;
    let config = configuration(options, &tokens, &servers, broker.port(), page)?;

    let what = match options.household {
        true => "Two simulated tenants, a broker, and the bridge between them.".to_owned(),
        false => {
            format!(
                "A simulated tenant with {} people, a broker, and the bridge between them.",
                options.users
            )
        }
    };
    let heading = vec![
        what,
        format!("Look at:      http://{page}/"),
        format!("Listen with:  mosquitto_sub -p {} -t 'presence/#' -v", broker.port()),
        "Stop with Ctrl-C.".to_owned(),
        String::new(),
    ];
    if !look.live {
        heading.iter().try_for_each(|line| writeln!(out, "{line}"))?;
    }

    let stop = async {
        match options.lasts {
            Some(lasts) => tokio::select! { () = stop => {}, () = tokio::time::sleep(lasts) => {} },
            None => stop.await,
        }
    };
    let outcome = tokio::select! {
        // Both end when the bridge ends; before that, an end of the view is an error.
        biased;
        ended = crate::run::run(&config, stop, crate::run::no_reloads()) => ended.map(|_| ()).map_err(DemoError::from),
        ended = show(&config, (look, typed), heading, out) => ended,
    };
    broker.stop().await;
    for (server, _) in servers {
        server.stop().await;
    }
    outcome?;
    Ok(writeln!(out, "\nThe bridge published `offline` and stopped.")?)
}

/// Shows what a client of the broker receives, and nothing else.
async fn show(
    config: &Config,
    (look, typed): (Look, Option<mpsc::Receiver<String>>),
    heading: Vec<String>,
    out: &mut impl Write,
) -> Result<(), DemoError> {
    let mqtt = &config.mqtt.settings;
    let topics = Topics::from_settings(mqtt);
    let mut broker =
        OneShot::connect(&Address::of_command(&config.mqtt, "view")).await.map_err(DemoError::NoView)?;
    broker.subscribe(&topics.every_topic()).await.map_err(DemoError::NoView)?;
    let picture = Picture::new(&mqtt.base_topic, &mqtt.bridge_name);
    let mut show = Show::new(picture, BTreeMap::new(), look, out).headed(heading);
    if let Some(typed) = typed {
        show = show.turning(typed);
    }
    Err(match show.listen(&mut broker).await {
        ShowEnd::Broker(error) => DemoError::View(error),
        ShowEnd::Out(error) => DemoError::Io(error),
    })
}

/// The temporary folder for the tokens of a sign-in.
struct TokenFolder(PathBuf);

impl TokenFolder {
    fn new() -> Self {
        Self(std::env::temp_dir().join(format!("presence2mqtt-demo-{}", uuid::Uuid::new_v4())))
    }

    /// As a TOML literal string, because a path may contain characters that TOML would escape.
    fn key(&self) -> String {
        format!("state_dir = '{}'\n", self.0.display())
    }
}

impl Drop for TokenFolder {
    fn drop(&mut self) {
        // The file exists only if a person signed in.
        let _gone = std::fs::remove_dir_all(&self.0);
    }
}

/// The people of the household, each with the tenant of their employer.
const HOUSEHOLD: [&str; 2] = ["alice", "bob"];

/// Starts one tenant, or the two of a household, each with another person who signs in.
fn tenants(options: &Options) -> Vec<Tenant> {
    let settings = simulate::Settings {
        users: options.users as usize,
        device_code_interval: Duration::from_secs(1),
        ..simulate::Settings::default()
    };
    let count = if options.household { HOUSEHOLD.len() } else { 1 };
    let of_one = |number: usize| {
        let tenant = Tenant::new(settings.clone().nth(number));
        let person = tenant.people().get(number).map(|person| person.id);
        if options.sign_in || options.household {
            let approve = person.map(|person| AutoApprove { after: 4, person });
            tenant.switch(|switches| switches.auto_approve = approve);
        }
        tenant
    };
    (0..count).map(of_one).collect()
}

/// A configuration as a user would write it.
fn configuration(
    options: &Options,
    tokens: &TokenFolder,
    servers: &[(Server, Tenant)],
    port: u16,
    page: SocketAddr,
) -> Result<Config, config::ConfigErrors> {
    let mut text = format!(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:{port}\"\n[http]\nlisten = \"{page}\"\n[graph]\npoll_interval = \"1s\"\n"
    );
    let way = |(server, tenant): &(Server, Tenant)| {
        let simulate::Settings { tenant_id, client_id, .. } = tenant.settings();
        let url = server.url();
        format!(
            "tenant_id = \"{tenant_id}\"\nclient_id = \"{client_id}\"\ngraph_url = \"{url}\"\nlogin_url = \"{url}\"\n"
        )
    };
    if options.household {
        text += &tokens.key();
        for (name, server) in HOUSEHOLD.iter().zip(servers) {
            text += &format!("[[accounts]]\nname = \"{name}\"\n{}", way(server));
        }
        text += "[[lights]]\nname = \"hallway\"\nusers = [\"alice\", \"bob\"]\npreset = \"wled\"\ntopic = \"wled/hallway\"\n";
        return config::parse(&text, Path::new("demo"), &Environment::from_iter([]));
    }
    for server in servers {
        let (_, tenant) = server;
        text += &way(server);
        text += &match options.sign_in {
            true => tokens.key() + "[graph.auth]\nmethod = \"device-code\"\nannounce_sign_in = true\n",
            false => {
                let secret = tenant.settings().client_secret;
                format!("[graph.auth]\nmethod = \"client-secret\"\nclient_secret = \"{secret}\"\n")
            }
        };
        for person in tenant.people() {
            let name = person.principal_name.split('@').next().unwrap_or_default();
            text += &format!("[[users]]\nname = \"{name}\"\nid = \"{}\"\n", person.id);
        }
    }
    config::parse(&text, Path::new("demo"), &Environment::from_iter([]))
}
