//! The bridge as it is shipped, configured for a whole tenant.

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use uuid::Uuid;

use super::options::{Follow, Options};
use super::people;
use super::process::Process;
use super::tls::AUTHORITY;

/// The first tenant's group, which holds everybody.
const GROUP: u128 = 0x02bd_9fd6_8f93_4758_87c3_1fb7_3740_a315;

/// The configuration, in the run's folder.
const FILE: &str = "presence2mqtt.toml";

/// Where the bridge finds a tenant.
pub(crate) struct Place {
    pub(crate) number: usize,
    pub(crate) url: String,
    pub(crate) certificates: PathBuf,
}

/// Writes what it is told, and starts it.
pub(crate) fn start(options: &Options, tenants: &[Place], broker: u16, home: &Path) -> Process {
    fs::write(home.join(FILE), configuration(options, tenants, broker)).unwrap();
    again(options, home)
}

/// Starts it as before.
pub(crate) fn again(options: &Options, home: &Path) -> Process {
    let program = options.program.as_deref().unwrap_or(Path::new(env!("CARGO_BIN_EXE_presence2mqtt")));
    let mut command = Command::new(program);
    command
        .arg("run")
        .arg("--config")
        .arg(home.join(FILE))
        .env("RUST_LOG", &options.log)
        .env("NO_COLOR", "1");
    let log = fs::File::create(home.join("bridge.log")).unwrap();
    Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log))
}

/// The one place that says who is followed, and how.
fn configuration(options: &Options, tenants: &[Place], broker: u16) -> String {
    let mut text = format!(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:{broker}\"\nprotocol = \"{}\"\n\n[home_assistant]\ndiscovery = false\n\n\
         [graph]\nclient_id = \"a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d\"\npoll_interval = \"{}s\"\n",
        options.protocol, options.cycle
    );
    let is_single = tenants.len() == 1;
    for Place { number, url, certificates } in tenants {
        let (heading, auth) = match is_single {
            true => (String::new(), "graph"),
            false => (format!("\n[[accounts]]\nname = \"tenant{number}\"\n"), "accounts"),
        };
        let ca_file = match url.starts_with("https") {
            true => format!("ca_file = \"{}\"\n", certificates.join(AUTHORITY).display()),
            false => String::new(),
        };
        // Writing into memory does not fail.
        let _written = write!(
            text,
            "{heading}tenant_id = \"contoso{number}.example\"\ngraph_url = \"{url}\"\nlogin_url = \"{url}\"\n{ca_file}\n\
             [{auth}.auth]\nmethod = \"client-secret\"\nclient_secret = \"load\"\n"
        );
    }
    for &Place { number, .. } in tenants {
        let account = if is_single { String::new() } else { format!("account = \"tenant{number}\"\n") };
        match options.follow {
            Follow::Users => {
                for place in number * options.people..(number + 1) * options.people {
                    let (name, id) = (people::name(place), people::id(options.seed, place));
                    let _written = write!(text, "\n[[users]]\nname = \"{name}\"\nid = \"{id}\"\n{account}");
                }
            }
            Follow::Group => {
                let id = Uuid::from_u128(GROUP + number as u128);
                let _written = write!(text, "\n[[groups]]\nid = \"{id}\"\n{account}");
            }
        }
    }
    text
}
