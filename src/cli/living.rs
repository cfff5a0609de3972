//! Whether a bridge lives on the topics at hand: commands ask it, as the bridge itself does before it starts.

use tokio::time::timeout;

use crate::core::model::effect::Message;
use crate::core::model::process::{ANSWER_WITHIN, Process};
use crate::core::model::topic::Topics;
use crate::mqtt::one_shot::{OneShot, OneShotError};

/// Who answers a ping of `asker`; nothing if nobody does.
///
/// # Errors
///
/// If the broker lets nobody ask, or the connection ends.
pub(super) async fn answers(
    asker: &Process,
    topics: &Topics,
    broker: &mut OneShot,
) -> Result<Option<Process>, OneShotError> {
    let pong = topics.pong();
    broker.subscribe(&pong).await?;
    broker.publish(Message::handed_on(topics.ping(), asker.ping())).await?;
    let answering = async {
        loop {
            let message = broker.message().await?;
            if message.topic == pong
                && !message.retained
                && let Some(other) = asker.answered_by(&message.payload)
            {
                return Ok(Some(other));
            }
        }
    };
    timeout(ANSWER_WITHIN, answering).await.unwrap_or(Ok(None))
}
