//! Somebody who listens on the broker: MQTT 3.1.1 by hand, so that listening costs next to nothing.

use std::io::{BufReader, Read, Write};
use std::net::{Ipv4Addr, TcpStream};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread;
use std::time::{Duration, Instant};

use super::ledger::wall;

/// A message as it came.
pub(crate) struct Heard<'a> {
    pub(crate) topic: &'a str,
    pub(crate) payload: &'a [u8],
    pub(crate) retained: bool,
    /// By both clocks; the second is shared by all processes.
    pub(crate) at: Instant,
    pub(crate) wall: u128,
}

/// What somebody makes of what they hear, shared with the one who listens.
pub(crate) struct Listener<T>(Arc<(Mutex<T>, Condvar)>);

impl<T: Send + 'static> Listener<T> {
    /// Listens to these filters until the broker ends; `take` keeps what matters in `kept`.
    pub(crate) fn start(
        port: u16,
        filters: &[&str],
        kept: T,
        take: impl Fn(&mut T, &Heard<'_>) + Send + 'static,
    ) -> Self {
        let shared = Arc::new((Mutex::new(kept), Condvar::new()));
        let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).unwrap();
        stream.set_nodelay(true).unwrap();
        stream.write_all(&connect()).unwrap();
        stream.write_all(&subscribe(filters)).unwrap();
        let mut stream = BufReader::with_capacity(256 * 1024, stream);
        // Both answers, so that nothing is missed that is published from now on; retained messages may come
        // between.
        let (mut acknowledged, mut early) = (0, Vec::new());
        while acknowledged < 2 {
            let packet = packet(&mut stream).unwrap();
            match packet.0 >> 4 {
                3 => early.push((packet, Instant::now(), wall())),
                _ => acknowledged += 1,
            }
        }
        let listener = Self(Arc::clone(&shared));
        thread::spawn(move || {
            let hear = |(kind, packet): &(u8, Vec<u8>), at: Instant, wall: u128| {
                if kind >> 4 == 3 {
                    let length = usize::from(packet[0]) << 8 | usize::from(packet[1]);
                    let topic = std::str::from_utf8(&packet[2..2 + length]).unwrap();
                    let heard =
                        Heard { topic, payload: &packet[2 + length..], retained: kind & 1 == 1, at, wall };
                    take(&mut shared.0.lock().unwrap(), &heard);
                    shared.1.notify_all();
                }
            };
            early.iter().for_each(|(packet, at, wall)| hear(packet, *at, *wall));
            while let Some(packet) = packet(&mut stream) {
                hear(&packet, Instant::now(), wall());
            }
        });
        listener
    }

    /// What was kept so far.
    pub(crate) fn kept(&self) -> MutexGuard<'_, T> {
        self.0.0.lock().unwrap()
    }

    /// Waits until what was kept satisfies the condition.
    pub(crate) fn until(
        &self,
        what: &str,
        limit: Duration,
        mut condition: impl FnMut(&T) -> bool,
    ) -> MutexGuard<'_, T> {
        let (kept, timeout) =
            self.0.1.wait_timeout_while(self.kept(), limit, |kept| !condition(kept)).unwrap();
        assert!(!timeout.timed_out(), "not within {limit:?}: {what}");
        kept
    }
}

/// MQTT 3.1.1 section 3.1: a clean session without a keep-alive.
fn connect() -> Vec<u8> {
    let name = format!("listener-{:08x}", fastrand::u32(..));
    let mut body = b"\0\x04MQTT\x04\x02\0\0".to_vec();
    body.extend([0, name.len() as u8]);
    body.extend(name.bytes());
    [&[0x10, body.len() as u8], body.as_slice()].concat()
}

/// Section 3.8, at quality 0: Mosquitto cuts the queue of a late subscriber at quality 1.
fn subscribe(filters: &[&str]) -> Vec<u8> {
    let mut body = vec![0, 1];
    for filter in filters {
        body.extend([0, filter.len() as u8]);
        body.extend(filter.bytes());
        body.push(0);
    }
    [&[0x82, body.len() as u8], body.as_slice()].concat()
}

/// The first byte of a packet and what follows its length; nothing at the end of the connection.
fn packet(stream: &mut impl Read) -> Option<(u8, Vec<u8>)> {
    let mut byte = [0];
    stream.read_exact(&mut byte).ok()?;
    let kind = byte[0];
    let (mut length, mut shift) = (0_usize, 0);
    loop {
        stream.read_exact(&mut byte).ok()?;
        length |= usize::from(byte[0] & 0x7f) << shift;
        shift += 7;
        if byte[0] & 0x80 == 0 {
            break;
        }
    }
    let mut packet = vec![0; length];
    stream.read_exact(&mut packet).ok()?;
    Some((kind, packet))
}
