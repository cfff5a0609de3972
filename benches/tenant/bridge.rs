//! The bridge as it is shipped, configured for a whole tenant.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::options::{Follow, Options};
use super::people;
use super::process::Process;
use super::tls::AUTHORITY;

/// The group that holds everybody.
const GROUP: &str = "02bd9fd6-8f93-4758-87c3-1fb73740a315";

/// Where the bridge finds everything.
pub(crate) struct Places<'a> {
    pub(crate) tenant: &'a str,
    pub(crate) broker: u16,
    pub(crate) home: &'a Path,
}

/// Starts it.
pub(crate) fn start(options: &Options, places: &Places<'_>) -> Process {
    let file = places.home.join("presence2mqtt.toml");
    fs::write(&file, configuration(options, places)).unwrap();
    let program = options.program.as_deref().unwrap_or(Path::new(env!("CARGO_BIN_EXE_presence2mqtt")));
    let mut command = Command::new(program);
    command.arg("run").arg("--config").arg(file).env("RUST_LOG", &options.log).env("NO_COLOR", "1");
    let log = fs::File::create(places.home.join("bridge.log")).unwrap();
    Process::start(command.stdin(Stdio::null()).stdout(Stdio::null()).stderr(log))
}

/// The one place that says who is followed, and how.
fn configuration(options: &Options, places: &Places<'_>) -> String {
    let Places { tenant, broker, home } = places;
    let ca_file = match tenant.starts_with("https") {
        true => format!("ca_file = \"{}\"\n", home.join(AUTHORITY).display()),
        false => String::new(),
    };
    let mut text = format!(
        "[mqtt]\nurl = \"mqtt://127.0.0.1:{broker}\"\nprotocol = \"{}\"\n\n\
         [graph]\ntenant_id = \"contoso.example\"\nclient_id = \"a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d\"\n\
         graph_url = \"{tenant}\"\nlogin_url = \"{tenant}\"\npoll_interval = \"{}s\"\n{ca_file}\n\
         [graph.auth]\nmethod = \"client-secret\"\nclient_secret = \"load\"\n\n\
         [home_assistant]\ndiscovery = false\n",
        options.protocol, options.cycle
    );
    match options.follow {
        Follow::Users => {
            for place in 0..options.people {
                let (name, id) = (people::name(place), people::id(options.seed, place));
                // Writing into memory does not fail.
                let _written = write!(text, "\n[[users]]\nname = \"{name}\"\nid = \"{id}\"\n");
            }
        }
        Follow::Group => {
            let _written = write!(text, "\n[[groups]]\nid = \"{GROUP}\"\n");
        }
    }
    text
}
