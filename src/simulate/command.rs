//! `presence2mqtt simulate`: the tenant alone, with a guide to using it.

use std::io::{self, Write};
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::{Person, Server, Settings, Tenant, Trouble};

/// What the command line says.
#[derive(Debug, Clone, Copy, PartialEq, clap::Args)]
pub struct Options {
    /// The address to listen on; port 0 picks a free one. With several tenants, each further one uses the
    /// next port
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8765")]
    pub listen: SocketAddr,
    /// Number of tenants, each with its own app and people; with several, the printed configuration has
    /// accounts
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub tenants: u16,
    /// Number of people in each tenant
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub users: usize,
    /// Simulated seconds per second
    #[arg(long, value_name = "FACTOR", default_value_t = 60.0)]
    pub speed: f64,
    /// The seed of the random people and their days
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// Add a group of all people; the printed configuration follows it
    #[arg(long)]
    pub groups: bool,
    /// Give the app the permission Presence.ReadWrite.All, so that it can set presence
    #[arg(long)]
    pub read_write: bool,
    /// Simulate a fault of the tenant (of the first, if there are several)
    #[arg(long, value_enum)]
    pub trouble: Option<Trouble>,
}

/// Why the simulation ended early.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The address cannot be listened on.
    #[error("cannot listen on {address}; choose another address with --listen")]
    Listen {
        /// The address that was asked for.
        address: SocketAddr,
        /// What the system says.
        source: io::Error,
    },
    /// The guide could not be printed.
    #[error("cannot print")]
    Print(#[source] io::Error),
}

/// Prints a guide to `out` and serves until `stop`.
///
/// # Errors
///
/// When an address is taken or `out` refuses the guide.
pub async fn run(
    options: Options,
    stop: impl Future<Output = ()>,
    out: &mut impl Write,
) -> Result<(), Error> {
    let Options { users, groups, speed, seed, .. } = options;
    let mut settings = Settings { users, groups, speed, seed, ..Settings::default() };
    if options.read_write {
        settings.permissions.push("Presence.ReadWrite.All".to_owned());
    }
    let mut servers = Vec::new();
    for (number, address) in (0..).zip(options.addresses()) {
        let listen = |source| Error::Listen { address, source };
        let listener = TcpListener::bind(address).await.map_err(listen)?;
        let tenant = Tenant::new(settings.clone().nth(number));
        if let Some(trouble) = options.trouble.filter(|_| number == 0) {
            trouble.begin(&tenant);
        }
        servers.push((Server::start(listener, tenant.clone()).map_err(listen)?, tenant));
    }
    out.write_all(guide(&servers).as_bytes()).map_err(Error::Print)?;
    out.flush().map_err(Error::Print)?;
    stop.await;
    for (server, _) in servers {
        server.stop().await;
    }
    Ok(())
}

impl Options {
    /// Where each tenant listens.
    fn addresses(&self) -> impl Iterator<Item = SocketAddr> {
        let Self { listen, tenants, .. } = *self;
        (0..tenants).map(move |number| match listen.port() {
            0 => listen,
            first => SocketAddr::new(listen.ip(), first.saturating_add(number)),
        })
    }
}

/// How many people the guide names; the others follow the same pattern.
const NAMED: usize = 10;

/// How to use these tenants: their people, a configuration that follows them, and the first one by hand.
fn guide(servers: &[(Server, Tenant)]) -> String {
    let mut text = String::new();
    for (server, tenant) in servers {
        text += &introduced(&server.url(), &tenant.settings(), &tenant.people());
    }
    text += "A configuration for the bridge:\n\n[mqtt]\nurl = \"mqtt://localhost:1883\"\n";
    let is_single = servers.len() == 1;
    for (server, tenant) in servers {
        text += &account(&server.url(), &tenant.settings(), is_single);
    }
    for (_, tenant) in servers {
        text += &followed(&tenant.settings(), &tenant.people(), is_single);
    }
    servers.first().map_or(String::new(), |(server, tenant)| text + &by_hand(&server.url(), tenant))
}

fn introduced(url: &str, settings: &Settings, people: &[Person]) -> String {
    let Settings { tenant_id, client_id, client_secret, .. } = settings;
    let named = &people[..people.len().min(NAMED)];
    let list: String =
        named.iter().map(|p| format!("  {}  {:<26} {}\n", p.id, p.principal_name, p.display_name)).collect();
    let more = match people.len() - named.len() {
        0 => String::new(),
        more => format!("  and {more} more\n"),
    };
    format!(
        "A simulated tenant is listening on {url} (Microsoft Graph and sign-in).

  tenant   {tenant_id}
  client   {client_id}
  secret   {client_secret}

People:
{list}{more}
"
    )
}

/// The way into a tenant: `[graph]`, or one of several accounts.
fn account(url: &str, settings: &Settings, is_single: bool) -> String {
    let Settings { tenant_id, client_id, client_secret, .. } = settings;
    let (heading, auth) = match is_single {
        true => ("[graph]".to_owned(), "[graph.auth]"),
        false => (format!("[[accounts]]\nname = \"{}\"", account_name(settings)), "[accounts.auth]"),
    };
    format!(
        r#"
{heading}
tenant_id = "{tenant_id}"
client_id = "{client_id}"
graph_url = "{url}"
login_url = "{url}"

{auth}
method = "client-secret"
client_secret = "{client_secret}"
"#
    )
}

fn account_name(settings: &Settings) -> String {
    format!("tenant{}", settings.number + 1)
}

/// Who is followed in a tenant. The people of several have the same names, and the bridge needs different
/// ones.
fn followed(settings: &Settings, people: &[Person], is_single: bool) -> String {
    let account = match is_single {
        true => String::new(),
        false => format!("account = \"{}\"\n", account_name(settings)),
    };
    let behind = match settings.number {
        0 => String::new(),
        number => format!("-{}", number + 1),
    };
    if settings.groups {
        let id = settings.everybody();
        let name = if is_single { String::new() } else { format!("name = \"{{upn_local}}{behind}\"\n") };
        return format!(
            "\n# Everybody\n[[groups]]\nid = \"{id}\"\n{account}{name}refresh_members = \"1m\"\n"
        );
    }
    let table = |person: &Person| {
        let alias = person.principal_name.split('@').next().unwrap_or_default();
        let (id, display_name) = (person.id, &person.display_name);
        format!(
            "\n[[users]]\n{account}name = \"{alias}{behind}\"\nid = \"{id}\"\ndisplay_name = \"{display_name}\"\n"
        )
    };
    people.iter().take(NAMED).map(table).collect()
}

fn by_hand(url: &str, tenant: &Tenant) -> String {
    let Settings { tenant_id, client_id, client_secret, .. } = tenant.settings();
    let someone = tenant.people().first().map_or_else(|| "…".to_owned(), |p| p.id.to_string());
    format!(
        r#"
By hand:

curl -s {url}/{tenant_id}/oauth2/v2.0/token -d grant_type=client_credentials -d client_id={client_id} -d client_secret={client_secret} -d scope={url}/.default
curl -s {url}/v1.0/users/{someone}/presence -H "Authorization: Bearer $TOKEN"

Sign in as a person (read /v1.0/me/presence then): get a code, type it at {url}/devicelogin, ask for the token.

curl -s {url}/{tenant_id}/oauth2/v2.0/devicecode -d client_id={client_id} -d "scope=offline_access Presence.Read"
curl -s {url}/{tenant_id}/oauth2/v2.0/token -d grant_type=urn:ietf:params:oauth:grant-type:device_code -d client_id={client_id} -d device_code=$DEVICE_CODE

With a browser: authorization code and PKCE at {url}/{tenant_id}/oauth2/v2.0/authorize, back to http://localhost:<port>.

Stop with Ctrl-C.
"#
    )
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::config::{self, Environment};

    const OPTIONS: Options = Options {
        listen: SocketAddr::new(std::net::IpAddr::V4(std::net::Ipv4Addr::LOCALHOST), 0),
        tenants: 1,
        users: 12,
        groups: false,
        speed: 60.0,
        seed: 1,
        read_write: false,
        trouble: None,
    };

    async fn guide_of(options: Options) -> String {
        let mut out = Vec::new();
        run(options, std::future::ready(()), &mut out).await.unwrap();
        String::from_utf8(out).unwrap()
    }

    fn configuration(guide: &str) -> &str {
        &guide[guide.find("[mqtt]").unwrap()..guide.find("By hand").unwrap()]
    }

    #[tokio::test]
    async fn the_guide_holds_a_configuration_and_the_server_ends_with_it() {
        let text = guide_of(OPTIONS).await;
        assert!(text.contains("and 2 more"), "{text}");
        let config: toml::Table = configuration(&text).parse().unwrap();
        assert_eq!(config["users"].as_array().unwrap().len(), NAMED);
        assert_eq!(config["users"][0]["name"].as_str(), Some("alice"));
        let url = config["graph"]["graph_url"].as_str().unwrap();
        let address = url.strip_prefix("http://").unwrap();
        assert!(std::net::TcpStream::connect(address).is_err(), "still listening");

        let text = guide_of(Options { groups: true, ..OPTIONS }).await;
        assert!(text.contains("[[groups]]\nid = \"02bd9fd6-8f93-4758-87c3-1fb73740a315\""), "{text}");
        assert!(!text.contains("[[users]]"), "{text}");
    }

    #[tokio::test]
    async fn the_guide_to_several_tenants_has_an_account_for_each() {
        for groups in [false, true] {
            let text = guide_of(Options { tenants: 3, groups, ..OPTIONS }).await;
            let none = Environment::from_iter([]);
            let config = config::parse(configuration(&text), Path::new("guide"), &none).unwrap();
            assert_eq!((config.accounts.len(), config.users.len()), (3, if groups { 0 } else { 3 * NAMED }));
            assert_eq!(config.groups.len(), if groups { 3 } else { 0 });
        }
        let first = SocketAddr::from(([127, 0, 0, 1], 9000));
        let addresses: Vec<u16> = Options { tenants: 3, listen: first, ..OPTIONS }
            .addresses()
            .map(|address| address.port())
            .collect();
        assert_eq!(addresses, [9000, 9001, 9002]);
    }

    #[tokio::test]
    async fn a_taken_address_is_an_error_that_names_it() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let options = Options { listen: taken.local_addr().unwrap(), ..OPTIONS };
        let error = run(options, std::future::ready(()), &mut Vec::new()).await.unwrap_err();
        assert!(error.to_string().contains(&options.listen.to_string()));
    }
}
