//! A busy light in the terminal: the whole window shows one person's presence.
//!
//! ```text
//! $ cargo run --example terminal_light -- -c examples/minimal.toml alice
//! ```
//!
//! It listens to the broker as any other light would, and a value counts while the bridge is online and the
//! person's health is ok. It ends at Ctrl-C, and comes back when the broker does. The colours are those of
//! the first configured light that follows the person, or else those that are built in. Where there is no
//! terminal, or no colour is wanted (`NO_COLOR=1`), it writes one line for each change.

use std::io::{self, IsTerminal, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use presence2mqtt::cli::exit;
use presence2mqtt::config::{self, Config, Environment};
use presence2mqtt::core::lights::color::{Color, Instead};
use presence2mqtt::core::lights::look::Look;
use presence2mqtt::core::lights::preset::Device;
use presence2mqtt::core::lights::settings::Settings;
use presence2mqtt::core::model::event::Incoming;
use presence2mqtt::core::model::name::TopicLevel;
use presence2mqtt::core::model::payload::RememberedState;
use presence2mqtt::core::model::presence::Shown;
use presence2mqtt::core::model::topic::{BridgeField, Field, Topics};
use presence2mqtt::core::model::word::{Activity, Availability};
use presence2mqtt::mqtt::address::Address;
use presence2mqtt::mqtt::one_shot::{OneShot, OneShotError};

/// Between two attempts to reach the broker.
const PAUSE: Duration = Duration::from_secs(1);

/// Shows one person's presence in the terminal.
#[derive(Parser)]
struct Arguments {
    /// The person's name in the configuration
    user: TopicLevel,
    /// The configuration of the bridge: where the broker is, and colours
    #[arg(short, long)]
    config: Option<PathBuf>,
}

#[tokio::main(flavor = "current_thread")]
#[expect(clippy::disallowed_methods, reason = "main reads the environment")]
async fn main() -> ExitCode {
    // For brokers behind TLS: which implementation is meant must be said once. Only a second call fails.
    let _first = rustls::crypto::aws_lc_rs::default_provider().install_default();
    let Arguments { user, config } = Arguments::parse();
    let environment = Environment::from_iter(std::env::vars());
    let config = match config::load(config.as_deref(), &environment) {
        Ok(config) => config,
        Err(error) => {
            let _told = writeln!(io::stderr(), "{error}");
            return ExitCode::from(exit::CONFIG);
        }
    };
    let in_color = io::stdout().is_terminal() && environment.get("NO_COLOR").is_none();
    let mut screen = Screen { out: io::stdout(), in_color, showed: String::new() };
    let stop = async { drop(tokio::signal::ctrl_c().await) };
    let watched = match screen.open() {
        Ok(()) => watch(&config, &user, &mut screen, stop).await,
        Err(error) => Err(error),
    };
    // Whoever read the lines may have seen enough.
    match watched.and(screen.close()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => ExitCode::SUCCESS,
        Err(error) => {
            let _told = writeln!(io::stderr(), "cannot write to the terminal: {error}");
            ExitCode::from(exit::UNEXPECTED)
        }
    }
}

/// Shows somebody until `stop`.
///
/// # Errors
///
/// If it cannot be shown.
pub(crate) async fn watch(
    config: &Config,
    user: &TopicLevel,
    screen: &mut Screen<impl Write>,
    stop: impl Future<Output = ()>,
) -> io::Result<()> {
    let watching = async {
        loop {
            let why = follow(config, user, screen).await?;
            screen.show(None, &format!("{user} is not seen: {why}"))?;
            tokio::time::sleep(PAUSE).await;
        }
    };
    tokio::select! {
        failed = watching => failed,
        () = stop => Ok(()),
    }
}

/// Shows somebody until the connection to the broker ends, and says why it did.
async fn follow(
    config: &Config,
    user: &TopicLevel,
    screen: &mut Screen<impl Write>,
) -> io::Result<OneShotError> {
    let topics = Topics::from_settings(&config.mqtt.settings);
    // State holds availability and activity in one message, so the two always go together.
    let [bridge, health, state] = [
        topics.of_bridge(BridgeField::State),
        topics.of_user(user, Field::Health),
        topics.of_user(user, Field::State),
    ];
    let mut broker = match connect(config, [&bridge, &health, &state]).await {
        Ok(broker) => broker,
        Err(why) => return Ok(why),
    };
    let colors = colors(config, user);
    let mut known = Known::default();
    screen.show(None, &format!("nothing is known of {user} yet"))?;
    loop {
        let Incoming { topic, payload, .. } = match broker.message().await {
            Ok(message) => message,
            Err(why) => return Ok(why),
        };
        if topic == state {
            known.words = words(&payload);
        } else {
            let said = String::from_utf8_lossy(&payload).into_owned();
            *(if topic == bridge { &mut known.bridge } else { &mut known.health }) = said;
        }
        match known.may_be_believed() {
            Ok((availability, activity)) => {
                let line = format!("{user} is {availability}, {activity}");
                let look = colors.look_of(Shown { user: user.clone(), availability, activity });
                screen.show(Some(&look), &line)?;
            }
            Err(why) => screen.show(None, &format!("{user} is not seen: {why}"))?,
        }
    }
}

/// Connects, and listens to these topics.
async fn connect(config: &Config, topics: [&str; 3]) -> Result<OneShot, OneShotError> {
    let mut broker = OneShot::connect(&Address::of_command(&config.mqtt, "terminal")).await?;
    for topic in topics {
        broker.subscribe(topic).await?;
    }
    Ok(broker)
}

/// What was heard on the topics since the connection was made.
#[derive(Default)]
struct Known {
    bridge: String,
    health: String,
    words: Option<(Availability, Activity)>,
}

impl Known {
    /// The words, or why they do not count.
    fn may_be_believed(&self) -> Result<(Availability, Activity), String> {
        match (&*self.bridge, &*self.health) {
            ("online", "ok") => self.words.clone().ok_or_else(|| "no state".to_owned()),
            ("online", "") => Err("no such person".to_owned()),
            ("online", health) => Err(format!("health is {health}")),
            ("", _) => Err("no bridge".to_owned()),
            (bridge, _) => Err(format!("the bridge is {bridge}")),
        }
    }
}

/// The two words in the JSON of `state`.
fn words(state: &[u8]) -> Option<(Availability, Activity)> {
    let state: RememberedState = serde_json::from_slice(state).ok()?;
    Some((Availability::from_graph(&state.availability)?, Activity::from_graph(Some(&state.activity))))
}

/// A light without a device: only its colours are used, as bright as the terminal can be.
fn colors(config: &Config, user: &TopicLevel) -> Settings {
    let configured = config.lights.iter().find(|light| light.users.contains(user)).cloned();
    let built_in = || Settings {
        name: user.clone(),
        users: vec![user.clone()],
        device: Device::Openhasp,
        topic: String::new(),
        white: false,
        brightness: 100,
        transition: Duration::ZERO,
        active: None,
        stale: Instead::Unchanged,
        shutdown: Instead::Unchanged,
        colors: std::collections::BTreeMap::new(),
        effects: std::collections::BTreeMap::new(),
        also: Vec::new(),
    };
    Settings { brightness: 100, ..configured.unwrap_or_else(built_in) }
}

/// Where it is shown.
pub(crate) struct Screen<W> {
    pub(crate) out: W,
    /// The whole window in a colour, instead of lines.
    pub(crate) in_color: bool,
    /// The line that is there.
    pub(crate) showed: String,
}

impl<W: Write> Screen<W> {
    /// Takes the terminal's other screen, without a cursor.
    fn open(&mut self) -> io::Result<()> {
        if self.in_color { self.write("\x1b[?1049h\x1b[?25l") } else { Ok(()) }
    }

    /// Gives the terminal back as it was.
    fn close(&mut self) -> io::Result<()> {
        if self.in_color { self.write("\x1b[0m\x1b[?25h\x1b[?1049l") } else { Ok(()) }
    }

    fn show(&mut self, look: Option<&Look>, line: &str) -> io::Result<()> {
        let line = match look.map(Look::shade) {
            Some(shade) => format!("{line}: {shade}"),
            None => line.to_owned(),
        };
        if line == self.showed {
            return Ok(());
        }
        if self.in_color {
            let lit = look.and_then(|look| look.lit.as_ref());
            let paint = lit.map_or(String::new(), |lit| background(lit.color, lit.brightness));
            // What is cleared takes the colour of the background.
            self.write(&format!("\x1b[0m{paint}\x1b[2J\x1b[H{line}"))?;
        } else {
            self.write(&format!("{line}\n"))?;
        }
        self.showed = line;
        Ok(())
    }

    fn write(&mut self, text: &str) -> io::Result<()> {
        self.out.write_all(text.as_bytes())?;
        self.out.flush()
    }
}

/// A background in this colour, with letters that can be read on it.
fn background(color: Color, brightness: u8) -> String {
    let of = |part: u8| u32::from(part) * u32::from(brightness) / 100;
    let (red, green, blue) = (of(color.red), of(color.green), of(color.blue));
    let letters = if 3 * red + 6 * green + blue > 1200 { 0 } else { 255 };
    format!("\x1b[48;2;{red};{green};{blue}m\x1b[38;2;{letters};{letters};{letters}m")
}
