//! Whether a broker answers a subscription with wildcards with what is retained. RabbitMQ does not.

use std::time::Duration;

use super::one_shot::{OneShot, OneShotError};
use crate::core::model::effect::Message;
use crate::core::model::mqtt::Qos;
use crate::core::model::topic::Topics;

/// With MQTT 5 the broker forgets what could not be removed.
const EXPIRES: Duration = Duration::from_secs(60);

/// Finds out with a message of its own, and removes that. Where it does not come back at all nothing is
/// learned.
///
/// # Errors
///
/// If the connection ends.
pub async fn are_answered(broker: &mut OneShot, topics: &Topics) -> Result<bool, OneShotError> {
    let topic = topics.of_check(&uuid::Uuid::new_v4().as_simple().to_string()[..8]);
    let kept = Message::retained(topic.clone(), "kept".to_owned(), Qos::AtLeastOnce);
    match broker.publish(Message { expires: Some(EXPIRES), ..kept.clone() }).await {
        Err(OneShotError::PublishRefused { .. }) => return Ok(true),
        published => published?,
    }
    let tried =
        async { Ok(come(broker, topics, &topic).await? || broker.retained(&topic).await?.is_empty()) };
    let answered = tried.await;
    broker.publish(Message { payload: String::new(), ..kept }).await?;
    answered
}

/// Whether what is retained at `topic`, which is a check's, comes to a subscription with wildcards.
///
/// # Errors
///
/// If the connection ends.
pub async fn come(broker: &mut OneShot, topics: &Topics, topic: &str) -> Result<bool, OneShotError> {
    Ok(broker.retained(&topics.every_check()).await?.iter().any(|message| message.topic == topic))
}
