//! Whether a light's device is online and receives commands: by its own reports, and by whether the broker
//! delivers the commands.

use std::collections::BTreeSet;
use std::time::Duration;

use tokio::time::timeout;

use crate::core::lights::preset::{Device, Ear, Sign};
use crate::core::lights::settings::Settings;
use crate::core::model::effect::Message;
use crate::core::model::event::Incoming;
use crate::core::model::foreign::Legible;
use crate::mqtt::one_shot::{OneShot, OneShotError};

/// How long to wait for an answer. A Zigbee lamp that slept takes a second or two.
const ANSWER_WAIT: Duration = Duration::from_secs(4);

/// An AWTRIX clock reports every ten seconds, and retains nothing on the broker.
const CLOCK_ANSWER_WAIT: Duration = Duration::from_secs(12);

/// One light, and what its device has reported.
pub(crate) struct Hearing<'l> {
    light: &'l Settings,
    ears: Vec<Ear>,
    /// The topic of its commands.
    orders: BTreeSet<String>,
    /// The broker delivered a command back to us.
    passed: bool,
    /// The device reported that it is online, or answered.
    there: bool,
    heard: bool,
    gone_at: Option<String>,
    refused: Option<Legible>,
    /// The broker refused a subscription or a message, with a reason.
    denied: Option<String>,
    was_asked: bool,
}

/// The result for one light.
pub(crate) enum Verdict {
    /// The device is there; the text says how that is known.
    Well(String),
    /// This cannot be found out.
    Unknown(String),
    /// What is wrong, and what to do.
    Wrong(String),
}

impl<'l> Hearing<'l> {
    pub(crate) fn new(light: &'l Settings) -> Self {
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

    /// Uses a message, if it is about this light.
    pub(crate) fn take(&mut self, message: &Incoming) {
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

    /// A command was sent.
    pub(crate) fn was_told(&mut self) {
        self.was_asked = true;
    }

    /// Whether it is known to be there now.
    pub(crate) fn answers(&self) -> bool {
        self.heard
    }

    /// Nothing better can be heard.
    fn is_decided(&self) -> bool {
        self.heard || self.refused.is_some() || self.denied.is_some() || !self.was_asked
    }

    pub(crate) fn verdict(&self) -> Verdict {
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
            return Verdict::Wrong(format!("the device refuses its commands ({why}); check preset, {hint}"));
        }
        if self.heard {
            return Verdict::Well("the device is there and answers".to_owned());
        }
        if let Some(topic) = &self.gone_at {
            return Verdict::Wrong(format!(
                "the device reports at {topic} that it is offline; check its power and its network"
            ));
        }
        if self.was_asked && !self.passed {
            return Verdict::Wrong(format!(
                "the broker does not deliver messages to {order}, probably because of an access list; \
                allow this user to read and write there"
            ));
        }
        if self.there {
            let passed = if self.passed { ", and the broker delivers its commands" } else { "" };
            return Verdict::Well(format!("the device is there{passed}"));
        }
        if !self.was_asked || matches!(light.device, Device::Custom(_)) {
            let passed = if self.passed { "the broker delivers its commands; " } else { "" };
            return Verdict::Unknown(format!("{passed}such a device does not confirm commands"));
        }
        Verdict::Wrong(format!(
            "no device answered at {topics}; switch on MQTT in the device, and check that topic = {:?} is \
            the one there",
            light.topic
        ))
    }
}

/// Subscribes to the topics of all these devices.
///
/// # Errors
///
/// If the connection ends.
pub(crate) async fn listen(all: &mut [Hearing<'_>], broker: &mut OneShot) -> Result<(), OneShotError> {
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

/// Sends each device a request that changes nothing, and waits for the answers.
///
/// # Errors
///
/// If the connection ends.
pub(crate) async fn ask(all: &mut [Hearing<'_>], broker: &mut OneShot) -> Result<(), OneShotError> {
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

/// Waits until each device has answered, or its time is over.
///
/// # Errors
///
/// If the connection ends.
pub(crate) async fn wait(all: &mut [Hearing<'_>], broker: &mut OneShot) -> Result<(), OneShotError> {
    let has_clock = all.iter().any(|hearing| matches!(hearing.light.device, Device::Awtrix(_)));
    let patience = if has_clock { CLOCK_ANSWER_WAIT } else { ANSWER_WAIT };
    hear(patience, true, all, broker).await
}

/// Uses all messages until this moment.
///
/// # Errors
///
/// If the connection ends.
pub(crate) async fn hear_for(
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
    // The end of the time is no error.
    timeout(patience, hearing).await.unwrap_or(Ok(()))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::core::lights::color::{Instead, Shade};
    use crate::core::lights::preset::{Custom, Profile};

    fn light(device: Device, topic: &str) -> Settings {
        Settings {
            name: "door".parse().unwrap(),
            users: vec!["alice".parse().unwrap()],
            device,
            topic: topic.to_owned(),
            white: false,
            brightness: 100,
            transition: Duration::ZERO,
            active: None,
            stale: Instead::Shade(Shade::Off),
            shutdown: Instead::Unchanged,
            colors: Default::default(),
            effects: Default::default(),
            also: Vec::new(),
        }
    }

    fn said(topic: &str, payload: &str, retained: bool) -> Incoming {
        Incoming { topic: topic.to_owned(), payload: payload.into(), retained, reply_to: None }
    }

    #[test]
    fn one_shelly_does_not_speak_for_another() {
        let shelly = |topic| light(Device::ShellyGen2 { channel: 0, profile: Profile::Rgb }, topic);
        let (well, dead) = (shelly("well"), shelly("dead"));
        let question = dead.device.questions("dead", false).remove(0).payload;
        assert!(question.contains(r#""src":"presence2mqtt/dead""#), "{question}");
        let (mut well, mut dead) = (Hearing::new(&well), Hearing::new(&dead));
        for hearing in [&mut well, &mut dead] {
            hearing.take(&said("dead/rpc", "{}", false));
            hearing.take(&said("presence2mqtt/well/rpc", r#"{"id":1,"src":"well","result":{}}"#, false));
        }
        assert!(matches!(well.verdict(), Verdict::Well(_)));
        let Verdict::Wrong(says) = dead.verdict() else { panic!("it did not answer") };
        assert!(says.starts_with("no device answered at dead/online, presence2mqtt/dead/rpc;"), "{says}");
    }

    #[test]
    fn of_a_custom_device_nothing_is_said_that_is_not_known() {
        let custom = Custom::new("{{ color }}", Some("lamp/online".to_owned())).unwrap();
        let light = light(Device::Custom(custom), "lamp/set");
        let mut not_told = Hearing::new(&light);
        not_told.take(&said("lamp/online", "online", true));
        assert!(matches!(not_told.verdict(), Verdict::Well(says) if says == "the device is there"));
        let mut silent = Hearing::new(&light);
        silent.was_told();
        silent.take(&said("lamp/set", "#ff0000", false));
        let Verdict::Unknown(says) = silent.verdict() else { panic!("nobody knows") };
        assert!(
            says.starts_with("the broker delivers its commands; such a device does not confirm"),
            "{says}"
        );
    }
}
