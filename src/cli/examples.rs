//! The examples at the end of each help text: lines to copy, of at most 80 columns. A paragraph is one line,
//! which is broken where the terminal ends.

pub(super) const ALL: &str = "\
Examples:
  presence2mqtt demo            shows all of it, without a set-up
  presence2mqtt setup           sets up the bridge for you
  presence2mqtt check --online  tries sign-in, Graph and broker
  presence2mqtt run             runs the bridge
  presence2mqtt watch           shows what is on the broker

Exit codes: 0 done, 1 unexpected, 2 wrong usage, 69 Graph or broker unreachable, 77 sign-in or permission needed, \
78 configuration. More: `presence2mqtt man`.";

pub(super) const RUN: &str = "\
Examples:
  presence2mqtt run
  presence2mqtt run -c /etc/presence2mqtt/config.toml
  presence2mqtt run --log-format json  for programs that collect logs

SIGHUP reads the configuration again; SIGTERM and Ctrl-C publish `offline` and exit.";

pub(super) const SETUP: &str = "\
Examples:
  presence2mqtt setup
  presence2mqtt setup --broker homeassistant.local
  presence2mqtt setup --sign-in browser
  presence2mqtt setup --yes --email alice@contoso.com --client-id $CLIENT_ID

Ctrl-C at any question writes nothing. Answers may also come through a pipe, one line each. Variables such as \
HTTPS_PROXY and PRESENCE2MQTT__GRAPH__CA_FILE work as for every command.";

#[cfg(feature = "demo")]
pub(super) const DEMO: &str = "\
Examples:
  presence2mqtt demo
  presence2mqtt demo --for 30s --users 20
  presence2mqtt demo --sign-in  shows how a person signs in with a code";

pub(super) const CHECK: &str = "\
Examples:
  presence2mqtt check
  presence2mqtt check -c presence2mqtt.toml
  presence2mqtt check --online

A bridge may run meanwhile. Test messages are removed again. With --online, exits with 78 for a wrong configuration, \
otherwise with 77 for a refused sign-in or permission, otherwise with 69 for Graph or a broker that cannot be used.";

pub(super) const LOGIN: &str = "\
Examples:
  presence2mqtt login            shows an address and a code, for any device
  presence2mqtt login --browser  where codes are blocked
  presence2mqtt login --browser --no-open
  presence2mqtt login --browser --no-open --port 8400

With --no-open the browser may be on another machine: paste the address it ends on, or go through \
ssh -L 8400:localhost:8400.";

pub(super) const LOGOUT: &str = "\
Examples:
  presence2mqtt logout
  presence2mqtt logout -c /etc/presence2mqtt/config.toml";

pub(super) const WHOAMI: &str = "\
Examples:
  presence2mqtt whoami

Exits with 77 if no account is signed in.";

pub(super) const GET: &str = "\
Examples:
  presence2mqtt get
  presence2mqtt get alice bob
  presence2mqtt get --json alice | jq -r .alice.availability";

pub(super) const WATCH: &str = "\
Examples:
  presence2mqtt watch
  presence2mqtt watch alice bob           only these two
  presence2mqtt watch --once              the table, once
  presence2mqtt watch | tee presence.log  a line for each change

In the table Enter shows the next page, and Ctrl-C ends it. Needs only [mqtt] of the configuration, and permission to subscribe to <base>/#.";

#[cfg(feature = "demo")]
pub(super) const SIMULATE: &str = "\
Examples:
  presence2mqtt simulate              prints a configuration to use with it
  presence2mqtt simulate --listen 127.0.0.1:0 --users 50 --speed 600
  presence2mqtt simulate --tenants 3  several accounts, one bridge";

pub(super) const LIGHT_TEST: &str = "\
Examples:
  presence2mqtt light test office-door
  presence2mqtt light test office-door --pause 500ms";

pub(super) const CLEAN: &str = "\
Examples:
  presence2mqtt clean                      stop the bridge first
  presence2mqtt clean --base old/presence  what an earlier base topic left";

pub(super) const HEALTHCHECK: &str = "\
Examples:
  presence2mqtt healthcheck

Needs http.listen in the configuration. Exits with 69 if the bridge does not answer. For Graph and the broker, ask /readyz.";

pub(super) const SCHEMA: &str = "\
Examples:
  presence2mqtt schema > presence2mqtt.schema.json";

pub(super) const COMPLETIONS: &str = "\
Examples:
  source <(presence2mqtt completions bash)    in ~/.bashrc
  presence2mqtt completions zsh > ~/.zfunc/_presence2mqtt
  presence2mqtt completions fish > ~/.config/fish/completions/presence2mqtt.fish";

pub(super) const MAN: &str = "\
Examples:
  presence2mqtt man | man -l -
  presence2mqtt man > /usr/local/share/man/man1/presence2mqtt.1";
