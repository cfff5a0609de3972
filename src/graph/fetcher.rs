//! The fetcher task: takes orders of the core, and reports presence.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::client::GraphClient;
use super::operation::Ask;
use crate::chain::chain;
use crate::core::model::effect::GraphOrder;
use crate::core::model::event::PresenceEvent;
use crate::core::model::request::{Ended, Request};

/// Carries out orders until their channel closes, then drops requests under way.
///
/// The core limits the reads and writes under way, so `orders` is never full. If `events` is full the fetcher
/// waits, while reads under way finish; nothing waits for the fetcher.
pub async fn run(
    client: Arc<GraphClient>,
    mut orders: mpsc::Receiver<GraphOrder>,
    events: mpsc::Sender<PresenceEvent>,
) {
    let mut under_way = JoinSet::new();
    let is_cold = Arc::new(AtomicBool::new(false));
    loop {
        tokio::select! {
            order = orders.recv() => match order {
                Some(GraphOrder::ForgetConnections) => {
                    under_way.shutdown().await;
                    if let Err(error) = client.forget_connections() {
                        tracing::warn!(%error, "the old connections to Graph are kept");
                    }
                }
                Some(GraphOrder::WarmUp) => {
                    under_way.spawn(warm_up(Arc::clone(&client), Arc::clone(&is_cold)));
                }
                Some(GraphOrder::Read(request)) => {
                    under_way.spawn(ask(Arc::clone(&client), request, PresenceEvent::Read));
                }
                Some(GraphOrder::Resolve(request)) => {
                    under_way.spawn(ask(Arc::clone(&client), request, PresenceEvent::Resolved));
                }
                Some(GraphOrder::ReadMembers(request)) => {
                    under_way.spawn(ask(Arc::clone(&client), request, PresenceEvent::Members));
                }
                Some(GraphOrder::Set(request)) => {
                    under_way.spawn(ask(Arc::clone(&client), request, PresenceEvent::Set));
                }
                None => break,
            },
            Some(ended) = under_way.join_next() => match ended {
                Ok(Some(event)) => if events.send(event).await.is_err() { break },
                Ok(None) => {}
                Err(error) => std::panic::resume_unwind(error.into_panic()),
            },
        }
    }
    under_way.shutdown().await;
}

async fn ask<O: Ask>(
    client: Arc<GraphClient>,
    request: Request<O>,
    event: impl FnOnce(Ended<O>) -> PresenceEvent,
) -> Option<PresenceEvent> {
    let mut further = 0;
    let outcome = client.ask_counting(&request, &mut further).await;
    Some(event(Ended { request: request.id, further, outcome }))
}

/// Logs a failure once, and again only after a success in between.
async fn warm_up(client: Arc<GraphClient>, is_cold: Arc<AtomicBool>) -> Option<PresenceEvent> {
    let outcome = client.sign_in().await;
    let was_cold = is_cold.swap(outcome.is_err(), Ordering::Relaxed);
    if let Err(error) = outcome
        && !was_cold
    {
        tracing::warn!("standby: this instance could not take over now: {}", chain(&error));
    }
    None
}
