//! The fetcher task: orders in, normalised presence events out.

use std::sync::Arc;

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::client::GraphClient;
use crate::core::command::{Read, Write};
use crate::core::event::PresenceEvent;

/// An order to the fetcher.
#[derive(Debug)]
pub enum FetchOrder {
    /// Do this, and report its end.
    Read(Read),
    /// Likewise.
    Write(Write),
    /// Drop what is under way without a report, and begin with new connections.
    ForgetConnections,
}

/// Obeys until the orders end, then drops what is under way.
///
/// The core bounds the reads and writes under way, so `orders` is never full. When `events` is full the fetcher waits and
/// the reads that are under way finish meanwhile; nothing waits for the fetcher.
pub async fn run(
    client: Arc<GraphClient>,
    mut orders: mpsc::Receiver<FetchOrder>,
    events: mpsc::Sender<PresenceEvent>,
) {
    let mut under_way = JoinSet::new();
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(FetchOrder::ForgetConnections) => {
                    under_way.shutdown().await;
                    if let Err(error) = client.forget_connections() {
                        tracing::warn!(%error, "the old connections to Graph are kept");
                    }
                }
                Some(FetchOrder::Read(read)) => {
                    let client = Arc::clone(&client);
                    under_way.spawn(async move {
                        let outcome = client.read(&read).await;
                        PresenceEvent { request: read.request, outcome }
                    });
                }
                Some(FetchOrder::Write(write)) => {
                    let client = Arc::clone(&client);
                    under_way.spawn(async move {
                        let outcome = client.write(&write).await;
                        PresenceEvent { request: write.request, outcome }
                    });
                }
                None => break,
            },
            Some(ended) = under_way.join_next() => match ended {
                Ok(event) => if events.send(event).await.is_err() { break },
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
        }
    }
    under_way.shutdown().await;
}
