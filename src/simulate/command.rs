//! `presence2mqtt simulate`: the tenant alone, with a guide to using it.

use std::io::{self, Write};
use std::net::SocketAddr;

use tokio::net::TcpListener;

use super::groups::EVERYBODY;
use super::{Person, Server, Settings, Tenant, Trouble};

/// What the command line says.
#[derive(Debug, Clone, Copy, PartialEq, clap::Args)]
pub struct Options {
    /// Where to listen; port 0 takes a free one
    #[arg(long, value_name = "ADDRESS", default_value = "127.0.0.1:8765")]
    pub listen: SocketAddr,
    /// How many people there are
    #[arg(long, value_name = "N", default_value_t = 3)]
    pub users: usize,
    /// Simulated seconds per second
    #[arg(long, value_name = "FACTOR", default_value_t = 60.0)]
    pub speed: f64,
    /// What people and their days are derived from
    #[arg(long, default_value_t = 1)]
    pub seed: u64,
    /// There is a group of everybody, and the guide's configuration follows it
    #[arg(long)]
    pub groups: bool,
    /// The app may set presence too: it has the permission Presence.ReadWrite.All
    #[arg(long)]
    pub read_write: bool,
    /// What is wrong with the tenant
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
/// When the address is taken or `out` refuses the guide.
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
    let listen = |source| Error::Listen { address: options.listen, source };
    let listener = TcpListener::bind(options.listen).await.map_err(listen)?;
    let tenant = Tenant::new(settings.clone());
    if let Some(trouble) = options.trouble {
        trouble.begin(&tenant);
    }
    let server = Server::start(listener, tenant.clone()).map_err(listen)?;
    let guide = guide(&server.url(), &settings, &tenant.people());
    out.write_all(guide.as_bytes()).map_err(Error::Print)?;
    out.flush().map_err(Error::Print)?;
    stop.await;
    server.stop().await;
    Ok(())
}

/// How many people the guide names; the others follow the same pattern.
const NAMED: usize = 10;

fn guide(url: &str, settings: &Settings, people: &[Person]) -> String {
    let Settings { tenant_id, client_id, client_secret, .. } = settings;
    let named = &people[..people.len().min(NAMED)];
    let list: String =
        named.iter().map(|p| format!("  {}  {:<26} {}\n", p.id, p.principal_name, p.display_name)).collect();
    let more = match people.len() - named.len() {
        0 => String::new(),
        more => format!("  and {more} more\n"),
    };
    let users: String = match settings.groups {
        true => format!("\n# Everybody\n[[groups]]\nid = \"{EVERYBODY}\"\nrefresh_members = \"1m\"\n"),
        false => named.iter().map(user_table).collect(),
    };
    let someone = named.first().map_or_else(|| "…".to_owned(), |p| p.id.to_string());
    format!(
        r#"A simulated tenant is listening on {url} (Microsoft Graph and sign-in).

  tenant   {tenant_id}
  client   {client_id}
  secret   {client_secret}

People:
{list}{more}
A configuration for the bridge:

[mqtt]
url = "mqtt://localhost:1883"

[graph]
tenant_id = "{tenant_id}"
client_id = "{client_id}"
graph_url = "{url}"
login_url = "{url}"

[graph.auth]
method = "client-secret"
client_secret = "{client_secret}"
{users}
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

fn user_table(person: &Person) -> String {
    let alias = person.principal_name.split('@').next().unwrap_or_default();
    let (id, display_name) = (person.id, &person.display_name);
    format!("\n[[users]]\nname = \"{alias}\"\nid = \"{id}\"\ndisplay_name = \"{display_name}\"\n")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_guide_holds_a_configuration_and_the_server_ends_with_it() {
        let options = Options {
            listen: ([127, 0, 0, 1], 0).into(),
            users: 12,
            groups: false,
            speed: 60.0,
            seed: 1,
            read_write: false,
            trouble: None,
        };
        let mut out = Vec::new();
        run(options, std::future::ready(()), &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("and 2 more"), "{text}");
        let from = text.find("[mqtt]").unwrap();
        let to = text.find("By hand").unwrap();
        let config: toml::Table = text[from..to].parse().unwrap();
        assert_eq!(config["users"].as_array().unwrap().len(), NAMED);
        assert_eq!(config["users"][0]["name"].as_str(), Some("alice"));
        let url = config["graph"]["graph_url"].as_str().unwrap();
        let address = url.strip_prefix("http://").unwrap();
        assert!(std::net::TcpStream::connect(address).is_err(), "still listening");

        let mut out = Vec::new();
        run(Options { groups: true, ..options }, std::future::ready(()), &mut out).await.unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.contains("[[groups]]\nid = \"02bd9fd6-8f93-4758-87c3-1fb73740a315\""), "{text}");
        assert!(!text.contains("[[users]]"), "{text}");
    }

    #[tokio::test]
    async fn a_taken_address_is_an_error_that_names_it() {
        let taken = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let options = Options {
            listen: taken.local_addr().unwrap(),
            users: 1,
            groups: false,
            speed: 1.0,
            seed: 1,
            read_write: false,
            trouble: None,
        };
        let error = run(options, std::future::ready(()), &mut Vec::new()).await.unwrap_err();
        assert!(error.to_string().contains(&options.listen.to_string()));
    }
}
