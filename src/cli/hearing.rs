//! Whether a light's device is there and hears: by what it says of itself, and by what becomes of an order.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::timeout;

use crate::core::lights::preset::{Device, Ear, Sign};
use crate::core::lights::settings::Settings;
use crate::core::model::effect::Message;
use crate::core::model::event::Incoming;
use crate::core::model::foreign::Legible;
use crate::mqtt::one_shot::{OneShot, OneShotError};

/// For an answer; a Zigbee lamp that slept takes a second or two.
const PATIENCE: Duration = Duration::from_secs(4);

/// A clock says something every ten seconds, and keeps nothing on the broker.
const PATIENCE_WITH_CLOCKS: Duration = Duration::from_secs(12);

/// One light, and what was heard of its device.
pub(super) struct Hearing<'l> {
    light: &'l Settings,
    ears: Vec<Ear>,
    /// Where its orders go.
    orders: BTreeSet<String>,
    /// An order came back from the broker.
    passed: bool,
    /// The topics where the device said something of itself, and what that was.
    there: bool,
    heard: bool,
    gone_at: Option<String>,
    refused: Option<Legible>,
    /// A filter or a message that the broker refuses in so many words.
    denied: Option<String>,
    was_asked: bool,
}

/// What has become of it.
pub(super) enum Verdict {
    /// It is there; how that is known.
    Well(String),
    /// It cannot be known.
    Unknown(String),
    /// What is wrong, and what to do.
    Wrong(String),
}

impl<'l> Hearing<'l> {
    pub(super) fn new(light: &'l Settings) -> Self {
        let Settings { device, topic, white, .. } = light;
        let orders = light.looks().flat_map(|look| light.orders(&look)).map(|order| order.topic);
        Self {
            light,
            ears: device.ears(topic),
            orders: orders.collect(),
            passed: false,
            there: false,
            heard: false,
            gone_at: None,
            refused: None,
            denied: None,
            was_asked: !device.questions(topic, *white).is_empty(),
        }
    }

    /// Takes a message, if it is about this light.
    pub(super) fn take(&mut self, message: &Incoming) {
        self.passed |= !message.retained && self.orders.contains(&message.topic);
        for ear in self.ears.iter().filter(|ear| ear.topic == message.topic) {
            match ear.sign(&message.payload, message.retained) {
                Some(Sign::There) => (self.there, self.gone_at) = (true, None),
                Some(Sign::Heard) => (self.heard, self.refused) = (true, None),
                Some(Sign::Gone) => self.gone_at = Some(ear.topic.clone()),
                Some(Sign::Refused(why)) => self.refused = Some(why),
                None => {}
            }
        }
    }

    /// An order was sent.
    pub(super) fn was_told(&mut self) {
        self.was_asked = true;
    }

    /// Nothing better can be heard.
    fn is_decided(&self) -> bool {
        self.heard || self.refused.is_some() || self.denied.is_some() || !self.was_asked
    }

    pub(super) fn verdict(&self) -> Verdict {
        let Self { light, ears, orders, .. } = self;
        let order = orders.first().map_or("", String::as_str);
        let topics: Vec<&str> = ears.iter().map(|ear| ear.topic.as_str()).collect();
        let topics = topics.join(", ");
        if let Some(denied) = &self.denied {
            return Verdict::Wrong(denied.clone());
        }
        if let Some(why) = &self.refused {
            let hint = if matches!(light.device, Device::ShellyGen2 { .. }) {
                "profile and channel"
            } else {
                "topic"
            };
            return Verdict::Wrong(format!("the device refuses its orders ({why}); check preset, {hint}"));
        }
        if self.heard {
            return Verdict::Well("the device is there and hears".to_owned());
        }
        if let Some(topic) = &self.gone_at {
            return Verdict::Wrong(format!(
                "the device says at {topic} that it is away; check its power and its network"
            ));
        }
        if self.was_asked && !self.passed {
            return Verdict::Wrong(format!(
                "the broker drops messages to {order}, as it does by an access list; allow this user to read and write there"
            ));
        }
        if self.there {
            return Verdict::Well("the device is there, and its orders pass the broker".to_owned());
        }
        if ears.is_empty() || !self.was_asked {
            let passed = if self.passed { "its orders pass the broker; " } else { "" };
            return Verdict::Unknown(format!(
                "{passed}whether anybody hears them cannot be known of such a device"
            ));
        }
        Verdict::Wrong(format!(
            "no device was heard at {topics}; switch on MQTT in the device, and check that topic = {:?} is the one there",
            light.topic
        ))
    }
}

/// Listens to all these devices.
///
/// # Errors
///
/// If the connection ends.
pub(super) async fn listen(all: &mut [Hearing<'_>], broker: &mut OneShot) -> Result<(), OneShotError> {
    for hearing in all {
        let filters: BTreeSet<&String> =
            hearing.ears.iter().map(|ear| &ear.topic).chain(&hearing.orders).collect();
        for filter in filters {
            match broker.subscribe(filter).await {
                Ok(()) => {}
                Err(error @ OneShotError::Refused(_)) => hearing.denied = Some(error.to_string()),
                Err(error) => return Err(error),
            }
        }
    }
    Ok(())
}

/// Asks all these devices something that changes nothing, and waits for answers.
///
/// # Errors
///
/// If the connection ends.
pub(super) async fn ask(all: &mut [Hearing<'_>], broker: &mut OneShot) -> Result<(), OneShotError> {
    for hearing in &mut *all {
        let Settings { device, topic, white, .. } = hearing.light;
        for question in device.questions(topic, *white) {
            let order = question.topic.clone();
            match broker.publish(Message::from(question)).await {
                Ok(()) => {}
                Err(error @ OneShotError::PublishRefused { .. }) => {
                    if hearing.orders.contains(&order) {
                        hearing.denied = Some(format!("{error}; allow it in the broker's access list"));
                    }
                }
                Err(error) => return Err(error),
            }
        }
    }
    wait(all, broker).await
}

/// Waits until all of them were heard, or have had their time.
///
/// # Errors
///
/// If the connection ends.
pub(super) async fn wait(all: &mut [Hearing<'_>], broker: &mut OneShot) -> Result<(), OneShotError> {
    let has_clock = all.iter().any(|hearing| matches!(hearing.light.device, Device::Awtrix(_)));
    let patience = if has_clock { PATIENCE_WITH_CLOCKS } else { PATIENCE };
    hear(patience, true, all, broker).await
}

/// Takes what comes until then.
///
/// # Errors
///
/// If the connection ends.
pub(super) async fn hear_for(
    pause: Duration,
    all: &mut [Hearing<'_>],
    broker: &mut OneShot,
) -> Result<(), OneShotError> {
    hear(pause, false, all, broker).await
}

async fn hear(
    patience: Duration,
    or_decided: bool,
    all: &mut [Hearing<'_>],
    broker: &mut OneShot,
) -> Result<(), OneShotError> {
    let hearing = async {
        while !(or_decided && all.iter().all(Hearing::is_decided)) {
            let message = broker.message().await?;
            all.iter_mut().for_each(|hearing| hearing.take(&message));
        }
        Ok(())
    };
    // That the time is over is no fault.
    timeout(patience, hearing).await.unwrap_or(Ok(()))
}
