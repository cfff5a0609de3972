//! Results on standard output, logs on standard error, in the form that was asked for, for every command.

use std::collections::BTreeSet;
use std::io::{BufRead, BufReader};
use std::net::{Ipv4Addr, SocketAddr};
use std::process::{Child, Stdio};

use clap::CommandFactory;
use presence2mqtt::cli::Arguments;
use serde_json::Value;
use tokio::net::TcpSocket;

use crate::program::{Home, program, told};

/// The simulated tenant in a process of its own, and a configuration that goes with it.
struct Simulation(Child);

impl Simulation {
    fn start() -> (Self, String) {
        let mut child =
            program().args(["simulate", "--listen", "127.0.0.1:0"]).stdout(Stdio::piped()).spawn().unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap()).lines().map(Result::unwrap);
        let guide: Vec<String> = lines.take_while(|line| !line.starts_with("Stop with")).collect();
        let place = |words: &str| guide.iter().position(|line| line == words).unwrap();
        (Self(child), guide[place("[mqtt]")..place("By hand:")].join("\n"))
    }
}

impl Drop for Simulation {
    fn drop(&mut self) {
        self.0.kill().unwrap();
        self.0.wait().unwrap();
    }
}

const LIGHT: &str =
    "\n[[lights]]\nname = \"door\"\nusers = [\"alice\"]\npreset = \"wled\"\ntopic = \"wled/door\"\n";

/// Every command, as it ends with a tenant, without a broker, and whether it has results then.
const COMMANDS: &[(&[&str], i32, bool)] = &[
    (&["demo", "--for", "1s"], 0, true),
    (&["setup", "--yes"], 2, false),
    (&["check"], 0, true),
    (&["check", "--online"], 69, true),
    (&["login", "--yes"], 78, false),
    (&["logout"], 78, false),
    (&["whoami"], 78, false),
    (&["get"], 0, true),
    (&["get", "--json", "alice"], 0, true),
    (&["get", "--json", "zoe"], 2, false),
    (&["watch"], 69, false),
    (&["watch", "--once"], 69, false),
    (&["light", "test", "door"], 69, false),
    (&["light", "test", "window"], 2, false),
    (&["clean"], 69, false),
    (&["healthcheck"], 78, false),
    (&["schema"], 0, true),
    (&["completions", "zsh"], 0, true),
    (&["man"], 0, true),
];

/// Those that run until they are stopped, whose output is looked at by other tests.
const ENDLESS: [&str; 2] = ["run", "simulate"];

#[test]
fn of_every_command() {
    let (_simulation, configuration) = Simulation::start();
    let (_taken, nobody) = nobody();
    let home = Home::with(&(configuration + LIGHT));
    for (arguments, code, has_results) in COMMANDS {
        for environment in [&[][..], &[("NO_COLOR", "1")]] {
            let mut command = home.command(arguments);
            command.args(["--log-format", "json", "-v"]).envs(environment.iter().copied());
            let (ended, out, err) = told(command.env("PRESENCE2MQTT__MQTT__URL", format!("mqtt://{nobody}")));
            assert_eq!(ended, Some(*code), "{arguments:?}: {out}{err}");
            assert_eq!(!out.is_empty(), *has_results, "{arguments:?}: {out}");
            assert!(!out.contains('\x1b') && !err.contains('\x1b'), "{arguments:?}: {out}{err}");
            for line in err.lines() {
                let log: Value =
                    serde_json::from_str(line).unwrap_or_else(|_| panic!("{arguments:?}: {line}"));
                assert!(log["level"].is_string() && log["message"].is_string(), "{line}");
            }
            assert!(!out.contains("\"level\""), "{arguments:?}: {out}");
            let last = err.lines().last().map(|line| serde_json::from_str::<Value>(line).unwrap());
            if *code != 0 {
                assert_eq!(last.unwrap()["exit_code"], *code, "{arguments:?}: {err}");
            }
        }
    }
}

#[test]
fn no_command_is_left_out() {
    let all = Arguments::command();
    let all: BTreeSet<&str> = all.get_subcommands().map(|command| command.get_name()).collect();
    let looked_at = COMMANDS.iter().map(|(arguments, ..)| arguments[0]).chain(ENDLESS).collect();
    assert_eq!(all, looked_at);
}

#[test]
fn a_failure_is_a_sentence_unless_json_is_asked_for() {
    let home = Home::with("[mqtt]\n");
    let (code, out, err) = told(&mut home.command(&["check"]));
    assert_eq!((code, out.as_str()), (Some(78), ""));
    assert!(err.starts_with("presence2mqtt: presence2mqtt.toml"), "{err}");
}

/// An address that is taken, so that nobody else can, and at which nobody listens.
fn nobody() -> (TcpSocket, SocketAddr) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_io().build().unwrap();
    let _inside = runtime.enter();
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind((Ipv4Addr::LOCALHOST, 0).into()).unwrap();
    let address = socket.local_addr().unwrap();
    (socket, address)
}
