//! A broker that keeps what is retained and does not send all of it: MQTT 3.1.1, as far as the program speaks
//! it.
//!
//! As the field has them: RabbitMQ sends nothing retained for a filter with wildcards, ejabberd and rumqttd
//! send no more at once than their queues hold.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard};

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::mpsc;
use tokio::task::JoinSet;

/// What is wrong with it.
#[derive(Debug, Clone)]
pub(crate) struct Manners {
    /// Whether a filter with wildcards brings what is retained.
    pub(crate) wildcards: bool,
    /// Retained messages that wait for one client; more are dropped.
    pub(crate) queue: usize,
    /// Topics that nobody may empty; nobody is told either.
    pub(crate) sticky: BTreeSet<String>,
}

/// The broker. Dropping it ends it.
pub(crate) struct Partial {
    pub(crate) port: u16,
    store: Arc<Mutex<Store>>,
    _task: JoinSet<()>,
}

#[derive(Default)]
struct Store {
    retained: BTreeMap<String, Vec<u8>>,
    clients: Vec<Client>,
    /// The most filters that a client was subscribed to at once.
    most_filters: usize,
}

struct Client {
    filters: Vec<String>,
    live: mpsc::UnboundedSender<Vec<u8>>,
}

impl Default for Manners {
    fn default() -> Self {
        Self { wildcards: true, queue: usize::MAX, sticky: BTreeSet::new() }
    }
}

impl Partial {
    pub(crate) async fn start(manners: Manners) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let store = Arc::new(Mutex::new(Store::default()));
        let shared = Arc::clone(&store);
        let mut task = JoinSet::new();
        task.spawn(async move {
            let mut connections = JoinSet::new();
            while let Ok((stream, _)) = listener.accept().await {
                connections.spawn(serve(stream, Arc::clone(&shared), manners.clone()));
            }
        });
        Self { port, store, _task: task }
    }

    /// What is retained by now.
    pub(crate) fn retained(&self) -> BTreeMap<String, String> {
        let text = |(topic, payload): (&String, &Vec<u8>)| {
            (topic.clone(), String::from_utf8(payload.clone()).unwrap())
        };
        lock(&self.store).retained.iter().map(text).collect()
    }

    /// As if somebody had published it.
    pub(crate) fn keep(&self, topic: &str, payload: &str) {
        lock(&self.store).retained.insert(topic.to_owned(), payload.as_bytes().to_vec());
    }

    pub(crate) fn most_filters(&self) -> usize {
        lock(&self.store).most_filters
    }
}

fn lock(store: &Mutex<Store>) -> MutexGuard<'_, Store> {
    store.lock().unwrap()
}

async fn serve(mut stream: TcpStream, store: Arc<Mutex<Store>>, manners: Manners) {
    let (live, mut news) = mpsc::unbounded_channel();
    let mut filters = Vec::new();
    let mut buffer = Vec::new();
    // A reset is an end too.
    loop {
        let out = tokio::select! {
            read = stream.read_buf(&mut buffer) => {
                if read.unwrap_or(0) == 0 {
                    break;
                }
                let (mut out, mut room) = (Vec::new(), manners.queue);
                while let Some((kind, packet)) = next_packet(&mut buffer) {
                    let mut store = lock(&store);
                    store.take(kind, &packet, &mut filters, &manners, &mut room, &mut out);
                    store.clients.retain(|client| !client.live.same_channel(&live));
                    store.clients.push(Client { filters: filters.clone(), live: live.clone() });
                }
                out
            }
            message = news.recv() => message.unwrap(),
        };
        if stream.write_all(&out).await.is_err() {
            break;
        }
    }
    lock(&store).clients.retain(|client| !client.live.same_channel(&live));
}

impl Store {
    fn take(
        &mut self,
        kind: u8,
        packet: &[u8],
        filters: &mut Vec<String>,
        manners: &Manners,
        room: &mut usize,
        out: &mut Vec<u8>,
    ) {
        match kind >> 4 {
            1 => out.extend([0x20, 2, 0, 0]),
            3 => {
                let (topic, mut rest) = text(packet);
                if kind & 0b110 != 0 {
                    out.extend([0x40, 2, rest[0], rest[1]]);
                    rest = &rest[2..];
                }
                if kind & 1 == 1 && !rest.is_empty() {
                    self.retained.insert(topic.clone(), rest.to_vec());
                } else if kind & 1 == 1 && !manners.sticky.contains(&topic) {
                    self.retained.remove(&topic);
                }
                let message = publish(&topic, rest, false);
                for client in self.clients.iter().filter(|c| c.filters.iter().any(|f| matches(f, &topic))) {
                    // Whoever has just gone hears nothing more.
                    let _gone = client.live.send(message.clone());
                }
            }
            8 => {
                let mut rest = &packet[2..];
                let mut granted = vec![packet[0], packet[1]];
                let mut found = Vec::new();
                while !rest.is_empty() {
                    let (filter, behind) = text(rest);
                    rest = &behind[1..];
                    granted.push(0);
                    let is_answered = manners.wildcards || !filter.contains(['+', '#']);
                    let kept =
                        self.retained.iter().filter(|(topic, _)| is_answered && matches(&filter, topic));
                    let kept = kept.map(|(topic, payload)| publish(topic, payload, true)).take(*room);
                    let before = found.len();
                    found.extend(kept);
                    *room -= found.len() - before;
                    filters.push(filter);
                }
                self.most_filters = self.most_filters.max(filters.len());
                out.extend(framed(0x90, &granted));
                out.extend(found.concat());
            }
            10 => {
                let (gone, _) = text(&packet[2..]);
                filters.retain(|filter| *filter != gone);
                out.extend([0xb0, 2, packet[0], packet[1]]);
            }
            12 => out.extend([0xd0, 0]),
            _ => {}
        }
    }
}

/// The first byte of a packet that is there, and what follows its length.
fn next_packet(buffer: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let (mut length, mut at) = (0, 1);
    loop {
        let byte = *buffer.get(at)?;
        length |= usize::from(byte & 0x7f) << (7 * (at - 1));
        at += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    (buffer.len() >= at + length).then(|| {
        let packet: Vec<u8> = buffer.drain(..at + length).collect();
        (packet[0], packet[at..].to_vec())
    })
}

fn text(bytes: &[u8]) -> (String, &[u8]) {
    let length = usize::from(u16::from_be_bytes([bytes[0], bytes[1]]));
    (String::from_utf8(bytes[2..2 + length].to_vec()).unwrap(), &bytes[2 + length..])
}

fn publish(topic: &str, payload: &[u8], retained: bool) -> Vec<u8> {
    let length = u16::try_from(topic.len()).unwrap().to_be_bytes();
    framed(0x30 | u8::from(retained), &[&length, topic.as_bytes(), payload].concat())
}

fn framed(kind: u8, rest: &[u8]) -> Vec<u8> {
    let (mut packet, mut length) = (vec![kind], rest.len());
    while length >= 0x80 {
        packet.push(u8::try_from(length & 0x7f).unwrap() | 0x80);
        length >>= 7;
    }
    packet.push(u8::try_from(length).unwrap());
    packet.extend(rest);
    packet
}

fn matches(filter: &str, topic: &str) -> bool {
    let (mut filter, mut topic) = (filter.split('/'), topic.split('/'));
    loop {
        match (filter.next(), topic.next()) {
            (Some("#"), _) | (None, None) => return true,
            (Some(level), Some(given)) if level == "+" || level == given => {}
            _ => return false,
        }
    }
}
