//! Several addresses, of which some do not work.

use super::*;
use crate::config::Brokers;
use crate::core::model::effect::{BrokerOrder, ConnectAs};
use crate::core::model::event::Event;
use crate::mqtt::one_shot::OneShot;
use crate::mqtt::publisher;
use tokio::sync::mpsc;

fn several(places: &[SocketAddr]) -> Address {
    let mut several = mqtt("127.0.0.1:1");
    let url = |place: &SocketAddr| format!("mqtt://{place}").parse().unwrap();
    several.brokers = Brokers::new(places.iter().map(url).collect()).unwrap();
    Address::of_command(&several, "test")
}

/// Takes connections and says nothing, until it is dropped.
fn mute(broker: Scripted) -> tokio::task::JoinHandle<()> {
    tokio::spawn(async move {
        let mut taken = Vec::new();
        while let Ok(connection) = broker.0.accept().await {
            taken.push(connection);
        }
    })
}

#[tokio::test]
async fn an_address_that_takes_connections_and_says_nothing_is_left_for_the_next() {
    let (hung, well) = (Scripted::start().await, Scripted::start().await);
    let (urls, name) = (several(&[hung.address(), well.address()]), mqtt("broker.example"));
    let answers = [vec![hung.address(), well.address()], vec![hung.address(), well.address()]];
    let name = Address::of_command(&name, "test").resolved_by(resolver(answers));
    let silent = mute(hung);
    for address in [urls, name] {
        let first = end(&mut Session::open(&address, Protocol::V3).unwrap()).await;
        assert_eq!(first, LinkFailure::Lost("no answer in time".into()));
        let mut second = Session::open(&address, Protocol::V3).unwrap();
        let mut seen = VecDeque::new();
        let (event, end_of_broker) = tokio::join!(next(&mut second, &mut seen), well.accepted(Protocol::V3));
        assert!(matches!(event, SessionEvent::Connected), "{event:?}");
        drop(end_of_broker);
        assert_eq!(end(&mut second).await, LinkFailure::Closed);
        // The one that worked is asked first when it has gone.
        let mut third = Session::open(&address, Protocol::V3).unwrap();
        if address.count() > 1 {
            let (event, _end) = tokio::join!(next(&mut third, &mut seen), well.accepted(Protocol::V3));
            assert!(matches!(event, SessionEvent::Connected), "{event:?}");
        }
    }
    silent.abort();
}

#[tokio::test]
async fn one_that_hangs_up_or_refuses_or_falls_silent_is_left_too() {
    let (first, second) = (Scripted::start().await, Scripted::start().await);
    let address = several(&[first.address(), second.address()]);
    let (orders, taken) = mpsc::channel(8);
    let (reports, mut reported) = mpsc::channel(8);
    let _publisher = tokio::spawn(publisher::run(address, taken, reports));
    let mut report = async || within(reported.recv()).await.unwrap();

    orders.send(BrokerOrder::Connect(ConnectAs::Holder, Protocol::V3)).await.unwrap();
    drop(first.taken().await);
    assert!(matches!(report().await, Event::Disconnected(LinkFailure::NotLetIn)));
    orders.send(BrokerOrder::Connect(ConnectAs::Holder, Protocol::V3)).await.unwrap();
    second.taken().await.says(&[0x20, 2, 0, 5]).await;
    assert!(matches!(report().await, Event::Disconnected(LinkFailure::Refused(_))));
    orders.send(BrokerOrder::Connect(ConnectAs::Holder, Protocol::V3)).await.unwrap();
    let frozen = first.accepted(Protocol::V3).await;
    assert!(matches!(report().await, Event::Connected));
    let failure = report().await;
    assert!(matches!(failure, Event::Disconnected(LinkFailure::Lost(_))), "{failure:?}");
    drop(frozen);
    orders.send(BrokerOrder::Connect(ConnectAs::Holder, Protocol::V3)).await.unwrap();
    let _up = second.accepted(Protocol::V3).await;
    assert!(matches!(report().await, Event::Connected));
}

#[tokio::test]
async fn a_command_goes_through_them() {
    let broker = Scripted::start().await;
    let refusing = TcpListener::bind("127.0.0.7:0").await.unwrap().local_addr().unwrap();
    let address = several(&[refusing, broker.address()]);
    let (connected, end) = tokio::join!(OneShot::connect(&address), broker.accepted(Protocol::V3));
    let connected = connected.unwrap_or_else(|error| panic!("{error}"));
    drop(end);
    connected.close().await;
}
