//! The runnable examples do what they say: another source of presence on one side of the broker, a light on
//! the other.

use std::io::{self, Write};
use std::path::Path;
use std::sync::{Arc, Mutex};

use presence2mqtt::config::{self, Config, Environment};
use presence2mqtt::core::model::effect::Ending;
use presence2mqtt::demo::broker::EmbeddedBroker;
use tokio::sync::{mpsc, oneshot};

use crate::stage::{Listener, within};

#[path = "../../examples/another_source.rs"]
#[expect(dead_code, reason = "its main reads the arguments and standard input")]
mod another_source;
#[path = "../../examples/terminal_light.rs"]
#[expect(dead_code, reason = "its main reads the arguments and opens the terminal")]
mod terminal_light;

/// The example's configuration, but for the broker.
fn configuration(port: u16) -> Config {
    let url = ("PRESENCE2MQTT__MQTT__URL".to_owned(), format!("mqtt://127.0.0.1:{port}"));
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/minimal.toml");
    config::load(Some(&file), &Environment::from_iter([url])).unwrap()
}

/// Something to stop, and how it ended.
struct Example<T> {
    stop: oneshot::Sender<()>,
    task: tokio::task::JoinHandle<T>,
}

impl<T> Example<T> {
    async fn stop(self) -> T {
        self.stop.send(()).unwrap();
        within(self.task).await.unwrap()
    }
}

fn another_source(config: &Config) -> (mpsc::Sender<String>, Example<Ending>) {
    let (stop, stopped) = oneshot::channel::<()>();
    let (lines, said) = mpsc::channel(16);
    let config = config.clone();
    let task =
        tokio::spawn(async move { another_source::run(&config, said, async { drop(stopped.await) }).await });
    (lines, Example { stop, task })
}

#[tokio::test]
async fn another_source_is_published_like_graph() {
    let broker = EmbeddedBroker::start(0).await.unwrap();
    let config = configuration(broker.port());
    let mut listener = Listener::to(&config).await;
    let (lines, bridge) = another_source(&config);
    listener.until(&[("presence/bridge/state", "online"), ("presence/alice/health", "stale")]).await;
    for line in ["alice busy inacall", "nobody Busy", "alice"] {
        lines.send(line.to_owned()).await.unwrap();
    }
    let busy = [("presence/alice/availability", "Busy"), ("presence/alice/activity", "InACall")];
    listener.until(&[&busy[..], &[("presence/alice/health", "ok")]].concat()).await;
    // The end of the input is an end of what is known.
    drop(lines);
    listener.until(&[&busy[..], &[("presence/alice/health", "stale")]].concat()).await;
    assert_eq!(bridge.stop().await, Ending::Stopped);
    listener.until(&[("presence/bridge/state", "offline")]).await;
    broker.stop().await;
}

/// What a screen was told.
#[derive(Clone, Default)]
struct Paper(Arc<Mutex<Vec<u8>>>);

impl Write for Paper {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Paper {
    async fn until(&self, last_line: &str) {
        let told = || String::from_utf8(self.0.lock().unwrap().clone()).unwrap();
        let wait = async {
            while told().lines().last() != Some(last_line) {
                tokio::time::sleep(std::time::Duration::from_millis(5)).await;
            }
        };
        if tokio::time::timeout(crate::stage::LIMIT, wait).await.is_err() {
            panic!("waited for {last_line:?}, told {}", told());
        }
    }
}

#[tokio::test]
async fn the_terminal_shows_what_may_be_believed() {
    let broker = EmbeddedBroker::start(0).await.unwrap();
    let (port, config) = (broker.port(), configuration(broker.port()));
    let paper = Paper::default();
    let (stop, stopped) = oneshot::channel::<()>();
    let mut screen = terminal_light::Screen { out: paper.clone(), in_color: false, showed: String::new() };
    let light = Example {
        stop,
        task: tokio::spawn({
            let (config, user) = (config.clone(), "alice".parse().unwrap());
            async move { terminal_light::watch(&config, &user, &mut screen, async { drop(stopped.await) }).await }
        }),
    };
    paper.until("nothing is known of alice yet").await;
    let (lines, bridge) = another_source(&config);
    paper.until("alice is not seen: health is stale").await;
    lines.send("alice BusyIdle".to_owned()).await.unwrap();
    paper.until("alice is BusyIdle, BusyIdle: #ff0000").await;
    // The broker goes and comes back, and has forgotten everything; both come back too.
    broker.stop().await;
    lines.send("alice Away".to_owned()).await.unwrap();
    let broker = EmbeddedBroker::start(port).await.unwrap();
    paper.until("alice is Away, Away: #ffbf00").await;
    assert_eq!(bridge.stop().await, Ending::Stopped);
    paper.until("alice is not seen: the bridge is offline").await;
    light.stop().await.unwrap();
    broker.stop().await;
}
