//! Finds out whether a broker sends retained messages to subscriptions with wildcards. RabbitMQ does not.

use std::time::Duration;

use super::one_shot::{OneShot, OneShotError};
use crate::core::model::effect::Message;
use crate::core::model::mqtt::Qos;
use crate::core::model::topic::Topics;

/// With MQTT 5 the broker deletes the test message by itself if it could not be removed.
const EXPIRES: Duration = Duration::from_secs(60);

/// Tries it with a test message, and removes that. If the message does not come back at all, the result is
/// not known.
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

/// Whether the retained test message at `topic` is sent to a subscription with wildcards.
///
/// # Errors
///
/// If the connection ends.
pub async fn come(broker: &mut OneShot, topics: &Topics, topic: &str) -> Result<bool, OneShotError> {
    Ok(broker.retained(&topics.every_check()).await?.iter().any(|message| message.topic == topic))
}
