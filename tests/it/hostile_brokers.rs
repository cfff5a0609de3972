//! Brokers that mean harm, and the program: it passes on to the next address, its memory stays what it was,
//! and its values are right.

use std::fs;
use std::time::Duration;

use presence2mqtt::simulate::Settings;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::task::JoinHandle;

use crate::program::{Home, Reader};
use crate::stage::{Listener, Stage, within};

/// The broker accepts the connection; MQTT 5 has properties, here none.
const ACCEPTED: [&[u8]; 2] = [&[0x20, 2, 0, 0], &[0x20, 3, 0, 0, 0]];

/// KiB that a bridge may need more after an attack than before.
const FLAT: u64 = 8 * 1024;

/// What a broker sends in place of a conversation.
struct Attack {
    scheme: &'static str,
    protocol: &'static str,
    /// Once, when it has read the CONNECT.
    first: Vec<u8>,
    /// Again and again, at most so often, until the bridge hangs up.
    flood: Vec<u8>,
    times: usize,
}

/// A live message of MQTT 5 with a topic alias that was never offered.
fn with_alias(alias: u16) -> Vec<u8> {
    let [high, low] = alias.to_be_bytes();
    let mut packet = vec![0x30, 0, 0, 3, b't', b'/', b'a', 3, 0x23, high, low];
    packet[1] = packet.len() as u8 - 2;
    packet
}

fn attacks() -> Vec<(&'static str, Attack)> {
    let mqtt = |version: usize, flood: Vec<u8>, times| Attack {
        scheme: "mqtt",
        protocol: ["3.1.1", "5"][version],
        first: ACCEPTED[version].to_vec(),
        flood,
        times,
    };
    let aliases = (1..=9_001).flat_map(with_alias).collect();
    // 256 MiB, as it says, of which it sends 64.
    let endless = [&[0x30, 0xff, 0xff, 0xff, 0x7f, 0, 1, b'a'][..], &[b'x'; 65_536]].concat();
    let pings = Attack { scheme: "ws", first: Vec::new(), ..mqtt(0, [0x89, 0].repeat(20_000), 50) };
    vec![
        ("pings without end before the connection is accepted", pings),
        ("topic aliases that were not offered", mqtt(1, aliases, 50)),
        ("a second acceptance", mqtt(0, ACCEPTED[0].to_vec(), 10_000)),
        ("a second acceptance in MQTT 5", mqtt(1, ACCEPTED[1].to_vec(), 10_000)),
        ("a message of 256 MiB", mqtt(0, endless, 1_024)),
        ("an authentication that nobody began", mqtt(1, vec![0xf0, 2, 0x18, 0], 10_000)),
        ("no packet at all", mqtt(0, vec![0xff; 4_096], 1_000)),
    ]
}

impl Attack {
    /// Does it to everybody who connects.
    fn begin(self, listener: TcpListener) -> JoinHandle<()> {
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                // The bridge hangs up in the middle of it, as it should.
                let _ended = self.meet(stream).await;
            }
        })
    }

    async fn meet(&self, mut stream: TcpStream) -> std::io::Result<()> {
        let mut stream = match self.scheme {
            "ws" => {
                let accepted = tokio_tungstenite::accept_hdr_async(stream, speaks_mqtt).await;
                let Ok(websocket) = accepted else { return Ok(()) };
                websocket.into_inner()
            }
            _ => {
                // The first byte of the CONNECT is enough to know that it comes.
                stream.read_u8().await?;
                stream
            }
        };
        stream.write_all(&self.first).await?;
        for _ in 0..self.times {
            stream.write_all(&self.flood).await?;
        }
        let mut rest = Vec::new();
        stream.take(1 << 20).read_to_end(&mut rest).await.map(drop)
    }
}

type Question = tokio_tungstenite::tungstenite::handshake::server::Request;
type Answer = tokio_tungstenite::tungstenite::handshake::server::Response;

#[expect(clippy::result_large_err, clippy::unnecessary_wraps, reason = "what the callback has to be")]
fn speaks_mqtt(
    _asked: &Question,
    mut answer: Answer,
) -> Result<Answer, tokio_tungstenite::tungstenite::handshake::server::ErrorResponse> {
    answer.headers_mut().insert("Sec-WebSocket-Protocol", "mqtt".parse().unwrap());
    Ok(answer)
}

/// The most memory that a process had, and what it has, in KiB.
fn memory(id: &str) -> [u64; 2] {
    let status = fs::read_to_string(format!("/proc/{id}/status")).unwrap();
    ["VmHWM:", "VmRSS:"].map(|name| {
        let line = status.lines().find_map(|line| line.strip_prefix(name)).unwrap();
        line.trim().trim_end_matches(" kB").parse().unwrap()
    })
}

#[tokio::test]
async fn a_hostile_broker_costs_neither_the_process_nor_its_memory() {
    let stage = Stage::set(Settings::default()).await;
    let config = stage.config("", &stage.everybody());
    let mut most_without = None;
    for (name, attack) in attacks() {
        let hostile = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("{}://{}", attack.scheme, hostile.local_addr().unwrap());
        let own = format!("protocol = {:?}\nkeep_alive = \"5s\"", attack.protocol);
        let good = config.mqtt.brokers.to_string();
        let bridge = |urls: &str| {
            let text = stage.text("", &stage.everybody());
            let text = text.replacen(&format!("url = \"{good}\""), &format!("url = {urls}\n{own}"), 1);
            Home::with(&text)
        };
        if most_without.is_none() {
            most_without =
                Some(peace(&bridge(&format!("[{good:?}]")), &mut stage.listen(&config).await).await);
        }
        let home = bridge(&format!("[{address:?}, {good:?}]"));
        let attacker = attack.begin(hostile);
        let most = peace(&home, &mut stage.listen(&config).await).await;
        attacker.abort();
        let without = most_without.unwrap();
        eprintln!("{name}: {most} KiB at most, {without} KiB without");
        assert!(most < without + FLAT, "{name}: {most} KiB at most, {without} KiB without");
    }
}

/// Runs a bridge until its values are right and it says so; returns the most memory that it had.
async fn peace(home: &Home, listener: &mut Listener) -> u64 {
    let log = tempfile::NamedTempFile::new().unwrap();
    let bridge = Reader::start(home.command(&["run"]).stderr(log.reopen().unwrap()));
    let right = [("presence/bridge/state", "online"), ("presence/carol/health", "ok")];
    let until = tokio::time::timeout(Duration::from_secs(18), listener.until(&right)).await;
    assert!(until.is_ok(), "{}", fs::read_to_string(log.path()).unwrap());
    let [most, _now] = memory(&bridge.id());
    assert_eq!(within(bridge.stop("TERM")).await, Some(0), "{}", fs::read_to_string(log.path()).unwrap());
    listener.until(&[("presence/bridge/state", "offline")]).await;
    most
}
