//! From a host name to a stream of MQTT bytes: TCP, then TLS and a WebSocket if the broker's URL says so.

use std::io;
use std::sync::Arc;
use std::time::Duration;

use rustls::ClientConfig;
use rustls::pki_types::ServerName;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::time::timeout;
use tokio_rustls::TlsConnector;
use tokio_tungstenite::tungstenite::Error as WebSocketError;
use tokio_tungstenite::tungstenite::error::ProtocolError;

use super::dial::{Resolver, dial};
use super::failure::{has_gone, of_tls, tls_error};
use super::websocket;
use crate::core::model::event::LinkFailure;

/// The time for TLS and WebSocket together, after TCP. rumqttc waits ten seconds in all.
const HANDSHAKE_LIMIT: Duration = Duration::from_secs(4);

/// The host, and how to talk to it.
#[derive(Debug, Clone)]
pub(super) struct Target {
    /// A name or an address; IPv6 without brackets.
    pub(super) host: String,
    pub(super) port: u16,
    /// How many of the name's IP addresses to try last, because they did not work before.
    pub(super) turn: usize,
    pub(super) tls: Option<Arc<ClientConfig>>,
    /// The URL of a WebSocket.
    pub(super) websocket: Option<String>,
}

/// A stream in both directions.
pub(super) trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}
impl<S: AsyncRead + AsyncWrite + Send + Unpin> Stream for S {}

/// Connects.
///
/// # Errors
///
/// If there is no such stream; the error says what to do.
pub(super) async fn reach(target: &Target, resolver: &Resolver) -> Result<Box<dyn Stream>, LinkFailure> {
    let lost = |error: &dyn std::error::Error| LinkFailure::Lost(error.to_string().into());
    let stream =
        dial(resolver, &target.host, target.port, target.turn).await.map_err(|error| lost(&error))?;
    let handshakes = async {
        let stream: Box<dyn Stream> = match &target.tls {
            None => Box::new(stream),
            Some(config) => Box::new(encrypted(stream, config, &target.host).await?),
        };
        match &target.websocket {
            None => Ok(stream),
            Some(url) => {
                let opened = websocket::open(url, stream).await;
                Ok(Box::new(opened.map_err(|error| of_websocket(&error))?) as Box<dyn Stream>)
            }
        }
    };
    let silent = |_| {
        let what = if target.tls.is_some() { "TLS" } else { "a WebSocket" };
        LinkFailure::Lost(format!("no answer to the request for {what}; does this port speak it?").into())
    };
    timeout(HANDSHAKE_LIMIT, handshakes).await.map_err(silent)?
}

async fn encrypted(
    stream: tokio::net::TcpStream,
    config: &Arc<ClientConfig>,
    host: &str,
) -> Result<impl Stream + use<>, LinkFailure> {
    let name = ServerName::try_from(host.to_owned())
        .map_err(|_| LinkFailure::Refused("the host in mqtt.url cannot be in a certificate".into()))?;
    TlsConnector::from(Arc::clone(config)).connect(name, stream).await.map_err(|error| of_handshake(&error))
}

/// If the broker closes the connection during the handshake, it is unreachable, and has not refused.
fn of_handshake(error: &io::Error) -> LinkFailure {
    match tls_error(error) {
        Some(error) => of_tls(error),
        None if has_gone(error) => LinkFailure::Lost(
            "the broker closed the connection when TLS began; does this port speak TLS?".into(),
        ),
        None => LinkFailure::Lost(error.to_string().into()),
    }
}

/// Why the request for a WebSocket failed.
fn of_websocket(error: &WebSocketError) -> LinkFailure {
    if let Some(error) = tls_error(error) {
        return of_tls(error);
    }
    match error {
        WebSocketError::Http(answer) => LinkFailure::Refused(
            format!(
                "the WebSocket is refused with HTTP status {}; check the path in mqtt.url",
                answer.status().as_u16()
            )
            .into(),
        ),
        WebSocketError::Io(error) if !has_gone(error) => LinkFailure::Lost(error.to_string().into()),
        WebSocketError::Io(_)
        | WebSocketError::ConnectionClosed
        | WebSocketError::AlreadyClosed
        | WebSocketError::Protocol(ProtocolError::HandshakeIncomplete) => LinkFailure::Lost(
            "the broker closed the connection when a WebSocket was asked for; does this port speak it?"
                .into(),
        ),
        error @ (WebSocketError::Protocol(_)
        | WebSocketError::Tls(_)
        | WebSocketError::Capacity(_)
        | WebSocketError::WriteBufferFull(_)
        | WebSocketError::Utf8(_)
        | WebSocketError::AttackAttempt
        | WebSocketError::Url(_)
        | WebSocketError::HttpFormat(_)) => {
            LinkFailure::Refused(format!("no MQTT over a WebSocket here; check mqtt.url ({error})").into())
        }
    }
}
