//! The tenant under load, in a process of its own: as much of Graph and of the sign-in service as the bridge
//! asks for.
//!
//! One thread for each connection, blocking: at 50 answers a second that is the least there can be behind a
//! request. `presence2mqtt simulate` is a tenant to try things with; this one is fast and nothing else.

use std::fmt::Write as _;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::Arc;
use std::thread;
use std::time::Duration;

use flate2::Compression;
use flate2::write::GzEncoder;

use super::ledger::Ledger;
use super::options::Options;
use super::people::{self, People};
use super::tls;

/// Members on one page of a group.
const PAGE: usize = 999;

/// What every connection knows.
struct Tenant {
    people: People,
    away: Duration,
    seed: u64,
    ledger: Ledger,
    url: String,
}

/// A request, as far as it matters.
struct Asked {
    path: String,
    body: String,
    gzip: bool,
}

/// Serves for ever; prints the root of everything first. With a folder for a certificate it speaks TLS.
pub(crate) fn serve(options: &Options) {
    let &Options { people: count, first, seed, .. } = options;
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let control = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let tls = options.certificates.as_deref().map(tls::server);
    let scheme = if tls.is_some() { "https" } else { "http" };
    let url = format!("{scheme}://127.0.0.1:{port}");
    let (people, away) = (People::new(first, count, seed), Duration::from_millis(options.away));
    let tenant =
        Arc::new(Tenant { away, ledger: Ledger::new(people.places()), people, seed, url: url.clone() });
    println!("{url} {}", control.local_addr().unwrap());
    let commander = Arc::clone(&tenant);
    thread::spawn(move || control.incoming().flatten().for_each(|stream| commander.talk(stream)));
    for stream in listener.incoming().flatten() {
        stream.set_nodelay(true).unwrap();
        let (tenant, tls) = (Arc::clone(&tenant), tls.clone());
        thread::spawn(move || match tls {
            Some(config) => tenant.talk(tls::accept(config, stream)),
            None => tenant.talk(stream),
        });
    }
}

impl Tenant {
    /// Answers requests until the other end has enough.
    fn talk(&self, stream: impl Read + Write) {
        let mut stream = BufReader::new(stream);
        while let Some(asked) = asked(&mut stream) {
            if !asked.path.starts_with("/control/") {
                thread::sleep(self.away);
            }
            let (mut people, mut changes) = (Vec::new(), Vec::new());
            let (status, body) = self.answer(&asked, &mut people, &mut changes);
            let (encoding, body) = if asked.gzip && body.len() > 1_000 {
                ("Content-Encoding: gzip\r\n", zipped(&body))
            } else {
                ("", body)
            };
            let mut answer = format!(
                "HTTP/1.1 {status}\r\nContent-Type: application/json\r\n{encoding}Content-Length: {}\r\n\r\n",
                body.len()
            )
            .into_bytes();
            answer.extend_from_slice(&body);
            let written = stream.get_mut().write_all(&answer).and_then(|()| stream.get_mut().flush());
            if written.is_err() {
                return;
            }
            if !people.is_empty() {
                self.ledger.answered(&people, &changes);
            }
        }
    }

    fn answer(
        &self,
        asked: &Asked,
        people: &mut Vec<usize>,
        changes: &mut Vec<(usize, u32)>,
    ) -> (&'static str, Vec<u8>) {
        let path = asked.path.as_str();
        if path.ends_with("/token") {
            let token = r#"{"token_type":"Bearer","expires_in":86399,"access_token":"load"}"#;
            return ("200 OK", token.into());
        }
        if let Some(share) = path.strip_prefix("/control/change/") {
            self.people.change(share.parse().unwrap());
            return ("200 OK", Vec::new());
        }
        match path {
            "/control/begin" => {
                self.ledger.begin();
                return ("200 OK", Vec::new());
            }
            "/control/counts" => return ("200 OK", self.ledger.text().into()),
            "/control/changes" => return ("200 OK", self.ledger.changes().into()),
            _ if path.contains("/groups/") => return ("200 OK", self.members(path)),
            _ => {}
        }
        if !self.ledger.count() {
            return ("429 Too Many Requests\r\nRetry-After: 1", b"{}".to_vec());
        }
        let ids = if asked.body.is_empty() { path } else { &asked.body };
        let mut body = Vec::with_capacity(512 + ids.len() * 8);
        body.extend_from_slice(br#"{"@odata.context":"https://graph.microsoft.com/v1.0/$metadata#Collection(microsoft.graph.presence)","value":["#);
        let found =
            ids.split(['"', '/']).filter(|text| text.len() == 36).filter_map(|id| self.people.place(id));
        for place in found {
            if !people.is_empty() {
                body.push(b',');
            }
            people.push(place);
            changes.extend(self.people.look(place, &mut body).map(|count| (place, count)));
        }
        body.extend_from_slice(b"]}");
        ("200 OK", body)
    }

    /// A page of the one group, which holds everybody (Graph: `group-list-transitivemembers`).
    fn members(&self, path: &str) -> Vec<u8> {
        let all = self.people.places();
        let from = path.rsplit_once("skiptoken=").map_or(all.start, |(_, from)| from.parse().unwrap());
        let to = all.end.min(from + PAGE);
        let mut page = String::from("{");
        if to < all.end {
            let root = path.split(['?', '&']).next().unwrap();
            write!(page, r#""@odata.nextLink":"{}{root}?$skiptoken={to}","#, self.url).unwrap();
        }
        write!(page, r#""@odata.count":{},"value":["#, all.len()).unwrap();
        for place in from..to {
            let (comma, id, name) =
                (if place > from { "," } else { "" }, people::id(self.seed, place), people::name(place));
            write!(
                page,
                r#"{comma}{{"id":"{id}","userPrincipalName":"{name}@contoso.example","displayName":"Anna Adams {place}"}}"#
            )
            .unwrap();
        }
        page.push_str("]}");
        page.into_bytes()
    }
}

fn zipped(body: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::fast());
    encoder.write_all(body).unwrap();
    encoder.finish().unwrap()
}

/// Reads a request; nothing when the connection is over.
fn asked(stream: &mut impl BufRead) -> Option<Asked> {
    let mut line = String::new();
    if stream.read_line(&mut line).ok()? == 0 {
        return None;
    }
    let path = line.split(' ').nth(1)?.to_owned();
    let (mut length, mut gzip) = (0, false);
    loop {
        line.clear();
        stream.read_line(&mut line).ok()?;
        let header = line.trim().to_ascii_lowercase();
        if header.is_empty() {
            break;
        }
        if let Some(value) = header.strip_prefix("content-length:") {
            length = value.trim().parse().ok()?;
        }
        gzip |= header.starts_with("accept-encoding:") && header.contains("gzip");
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).ok()?;
    Some(Asked { path, body: String::from_utf8(body).ok()?, gzip })
}

/// Asks the tenant's process something about itself.
pub(crate) fn control(address: &str, path: &str) -> String {
    let mut stream = TcpStream::connect(address).unwrap();
    stream.write_all(format!("GET /control/{path} HTTP/1.1\r\n\r\n").as_bytes()).unwrap();
    let mut stream = BufReader::new(stream);
    let mut length = 0;
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).unwrap();
        if let Some(value) = line.strip_prefix("Content-Length: ") {
            length = value.trim().parse().unwrap();
        }
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).unwrap();
    String::from_utf8(body).unwrap()
}
