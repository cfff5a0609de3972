//! MQTT over a WebSocket, where whoever is at the other end does what it wants.

use futures_util::{SinkExt, StreamExt};
use tokio_tungstenite::tungstenite::handshake::server::{ErrorResponse, Request as Asked, Response};
use tokio_tungstenite::tungstenite::http::HeaderValue;
use tokio_tungstenite::tungstenite::{Bytes, Message as Frame};
use tokio_tungstenite::{WebSocketStream, accept_hdr_async};

use super::*;
use crate::config::Broker;

fn over_websocket(broker: &Scripted) -> Address {
    let text = format!("ws://{}/mqtt", broker.address());
    let mut mqtt = mqtt("127.0.0.1:1");
    mqtt.brokers = text.parse::<Broker>().unwrap().into();
    Address::of_command(&mqtt, "test")
}

#[expect(clippy::result_large_err, reason = "so the library wants it")]
fn speaks_mqtt(asked: &Asked, mut answer: Response) -> Result<Response, ErrorResponse> {
    assert_eq!(asked.headers()["sec-websocket-protocol"], "mqtt");
    answer.headers_mut().insert("sec-websocket-protocol", HeaderValue::from_static("mqtt"));
    Ok(answer)
}

/// The broker's end, the client's CONNECT taken.
async fn taken(broker: &Scripted) -> WebSocketStream<TcpStream> {
    let (stream, _) = within(broker.0.accept()).await.unwrap();
    let mut end = within(accept_hdr_async(stream, speaks_mqtt)).await.unwrap();
    let frame = within(end.next()).await.unwrap().unwrap();
    assert_eq!(frame.into_data()[0], 0x10, "CONNECT");
    end
}

#[tokio::test]
async fn messages_go_both_ways_however_they_are_cut() {
    let broker = Scripted::start().await;
    for protocol in BOTH {
        let mut session = Session::open(&over_websocket(&broker), protocol).unwrap();
        let mut seen = VecDeque::new();
        let scripted = async {
            let mut end = taken(&broker).await;
            for byte in accepted(protocol) {
                end.send(Frame::Binary(Bytes::copy_from_slice(&[*byte]))).await.unwrap();
                end.send(Frame::Ping(Bytes::new())).await.unwrap();
                end.send(Frame::Binary(Bytes::new())).await.unwrap();
            }
            end
        };
        let (event, mut end) = tokio::join!(next(&mut session, &mut seen), scripted);
        assert!(matches!(event, SessionEvent::Connected), "{event:?}");
        session.ask(Request::Publish(message("a", "x".repeat(100_000), Qos::AtMostOnce))).unwrap();
        let arrives = async {
            let mut bytes = Vec::new();
            while bytes.len() < 100_000 {
                match within(end.next()).await.unwrap().unwrap() {
                    Frame::Binary(more) => bytes.extend_from_slice(&more),
                    Frame::Pong(_) => {}
                    other => panic!("{other:?}"),
                }
            }
            bytes
        };
        let (event, bytes) = tokio::join!(next(&mut session, &mut seen), arrives);
        assert!(matches!(event, SessionEvent::Acknowledged { .. }), "{event:?}");
        assert!(bytes.ends_with(&[b'x'; 1000]));
        end.close(None).await.unwrap();
        drop(end);
        assert_eq!(super::end(&mut session).await, LinkFailure::Closed);
    }
}

/// 40 kilobytes of pings once overflowed the stack (each was answered one call deeper).
#[tokio::test]
async fn pings_without_end_do_no_harm() {
    let broker = Scripted::start().await;
    let mut session = Session::open(&over_websocket(&broker), Protocol::V3).unwrap();
    let mut seen = VecDeque::new();
    let scripted = async {
        let mut end = taken(&broker).await;
        end.get_mut().write_all(&[0x89, 0].repeat(200_000)).await.unwrap();
        end.send(Frame::Binary(ACCEPTED_V3.into())).await.unwrap();
        end
    };
    let (event, _end) = tokio::join!(next(&mut session, &mut seen), scripted);
    assert!(matches!(event, SessionEvent::Connected), "{event:?}");
}

#[tokio::test]
async fn what_is_no_websocket_is_named() {
    let broker = Scripted::start().await;
    #[rustfmt::skip]
    let rows: [(&[u8], &str); 3] = [
        (b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n", "the WebSocket is refused with HTTP status 404; check the path in mqtt.url"),
        (b"SSH-2.0-OpenSSH_9.2\r\n\r\n", "no MQTT over a WebSocket here"),
        (b"", "the broker closed the connection when a WebSocket was asked for"),
    ];
    for (answer, says) in rows {
        let mut session = Session::open(&over_websocket(&broker), Protocol::V3).unwrap();
        let scripted = async {
            let mut end = End(within(broker.0.accept()).await.unwrap().0);
            let mut request = [0; 1024];
            assert_ne!(end.0.read(&mut request).await.unwrap(), 0);
            end.says(answer).await;
        };
        let failure = tokio::join!(end(&mut session), scripted).0.to_string();
        assert!(failure.starts_with(says), "{failure}");
    }
}
