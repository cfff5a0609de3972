//! rumqttc with nothing around it: what the bridge's rate of publishing is measured by.

use std::time::{Duration, Instant};

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, NetworkOptions, Packet, QoS};

/// As the bridge has it.
const INFLIGHT: u16 = 100;

/// Publishes all of it at quality 1, retained, and returns how long it took to the last acknowledgement.
pub(crate) fn publish(port: u16, messages: Vec<(String, Vec<u8>)>) -> Duration {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let mut options = MqttOptions::new("bare", "127.0.0.1", port);
        options.set_inflight(INFLIGHT);
        options.set_max_packet_size(256 * 1024, 256 * 1024);
        let (client, mut event_loop) = AsyncClient::new(options, 512);
        let mut network = NetworkOptions::new();
        network.set_tcp_nodelay(true);
        event_loop.set_network_options(network);
        let count = messages.len();
        // The first client stays until everything has arrived: without any, the loop ends.
        let sender = client.clone();
        let send = async move {
            for (topic, payload) in messages {
                sender.publish(topic, QoS::AtLeastOnce, true, payload).await.unwrap();
            }
        };
        let sending = tokio::spawn(send);
        let took = acknowledged(&mut event_loop, count).await;
        sending.await.unwrap();
        took
    })
}

async fn acknowledged(event_loop: &mut EventLoop, count: usize) -> Duration {
    let mut began = Instant::now();
    let mut left = count;
    while left > 0 {
        match event_loop.poll().await.unwrap() {
            Event::Incoming(Packet::ConnAck(_)) => began = Instant::now(),
            Event::Incoming(Packet::PubAck(_)) => left -= 1,
            Event::Incoming(_) | Event::Outgoing(_) => {}
        }
    }
    began.elapsed()
}
