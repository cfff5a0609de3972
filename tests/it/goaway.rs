//! A server that speaks HTTP/2 over TLS and says goodbye at length: what is kept of its words is short and
//! harmless.

use std::io::{Read, Write};
use std::net::TcpListener;
use std::path::Path;
use std::sync::Arc;

use presence2mqtt::config::{self, Environment};
use rustls::pki_types::PrivateKeyDer;
use rustls::{ServerConfig, ServerConnection, StreamOwned};

use crate::program::{Home, Reader};
use crate::stage::{Listener, Stage};

/// As much as one frame may hold (RFC 9113, section 4.2), of bytes that are long when they are written out.
const WORDS: usize = 16 * 1024 - 8;

/// Listens on `localhost` with a certificate of its own. Returns the port and the certificate.
fn says_goodbye() -> (u16, String) {
    let own = rcgen::generate_simple_self_signed(["localhost".to_owned()]).unwrap();
    let key = PrivateKeyDer::try_from(own.signing_key.serialize_der()).unwrap();
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let builder =
        ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    let mut tls = builder.with_no_client_auth().with_single_cert(vec![own.cert.der().clone()], key).unwrap();
    tls.alpn_protocols = vec![b"h2".to_vec()];
    let tls = Arc::new(tls);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    std::thread::spawn(move || {
        for stream in listener.incoming() {
            let connection = ServerConnection::new(Arc::clone(&tls)).unwrap();
            let mut stream = StreamOwned::new(connection, stream.unwrap());
            // The client's preface and first frames; whoever goes away early has not been told.
            if !matches!(stream.read(&mut [0; 4096]), Ok(1..)) {
                continue;
            }
            let words = b"\x1b[2J\nforged \x9b".iter().copied().cycle().take(WORDS);
            let _told = stream.write_all(&settings()).and_then(|()| stream.write_all(&goodbye(words)));
            let _end = stream.flush().and_then(|()| stream.read_to_end(&mut Vec::new()).map(drop));
        }
    });
    (port, own.cert.pem())
}

fn settings() -> Vec<u8> {
    vec![0, 0, 0, 4, 0, 0, 0, 0, 0]
}

/// `GOAWAY` with `ENHANCE_YOUR_CALM` and its debug data.
fn goodbye(words: impl Iterator<Item = u8>) -> Vec<u8> {
    let mut frame = ((WORDS as u32 + 8).to_be_bytes()[1..]).to_vec();
    frame.extend([7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xb]);
    frame.extend(words);
    frame
}

#[tokio::test]
async fn a_long_goodbye_is_cut_on_the_terminal_and_on_the_broker() {
    let stage = Stage::set(presence2mqtt::simulate::Settings::default()).await;
    let (port, certificate) = says_goodbye();
    let folder = tempfile::tempdir().unwrap();
    let ca = folder.path().join("ca.pem");
    std::fs::write(&ca, certificate).unwrap();
    let own = stage.server.url();
    let text = stage
        .text(&format!("ca_file = {ca:?}"), &stage.everybody())
        .replace(&own, &format!("https://localhost:{port}"));
    let home = Home::with(&text);
    let (code, out, err) = home.told(&["get"]).await;
    let said = out + &err;
    assert_eq!(code, Some(69), "{said}");
    assert!(said.contains("http2 error") && said.len() < 3000, "{} bytes: {said}", said.len());
    assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{said:?}");

    let config = config::parse(&text, Path::new("x.toml"), &Environment::from_iter([])).unwrap();
    let mut listener = Listener::to(&config).await;
    let bridge = Reader::start(&mut home.command(&["run"]));
    let health =
        listener.until_topic("presence/bridge/health", |health| health.contains("unreachable")).await;
    assert!(health.len() < 3000 && health.contains("http2 error"), "{} bytes: {health}", health.len());
    assert_eq!(bridge.stop("TERM").await, Some(0));
}
