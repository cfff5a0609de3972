//! When lights are told what to show, and who may pause them.

use std::collections::{BTreeMap, BTreeSet};

use super::busiest::busiest;
use super::driven::{Light, Sight};
use super::settings::Settings;
use super::snapshot::LightSnapshot;
use crate::core::broker::outbox::Outbox;
use crate::core::context::Context;
use crate::core::model::act::{Act, Acted};
use crate::core::model::effect::Message;
use crate::core::model::event::Incoming;
use crate::core::model::foreign::Legible;
use crate::core::model::heard::Heard;
use crate::core::model::mqtt::Qos;
use crate::core::model::name::TopicLevel;
use crate::core::model::place::Place;
use crate::core::model::report::Report;
use crate::core::model::time::Tick;
use crate::core::model::topic::{LightField, Topics};
use crate::core::people::Roster;

/// What `…/light/<name>/follow` holds while the light shows presence, and what makes it.
const ON: &str = "ON";

/// The same while it is paused.
const OFF: &str = "OFF";

/// What a visitor is answered about a light that is not configured any more.
const NO_SUCH: &str = "this light does not exist any more";

/// What `…/light/<name>/because` holds unless another topic wins.
const PRESENCE: &str = "presence";

/// All lights, and whom they follow.
#[derive(Debug, Default)]
pub(in crate::core) struct Lights {
    lights: Vec<Light>,
    followers: BTreeMap<Place, Vec<usize>>,
    /// When all are told again though nothing changed.
    again_at: Option<Tick>,
    /// Lights that an earlier run left something of, found before it is known which are configured.
    found: BTreeSet<TopicLevel>,
}

/// What is different when the lights are configured.
#[derive(Debug)]
pub(in crate::core) struct Reconfigured {
    /// Where nothing is listened to any more.
    pub unneeded: Vec<String>,
    /// Where something has to be heard.
    pub needed: Vec<String>,
}

impl Lights {
    /// Somebody may look different now.
    pub(in crate::core) fn somebody_changed(&mut self, place: Place) {
        for &light in self.followers.get(&place).into_iter().flatten() {
            self.lights[light].due = true;
        }
    }

    /// There is another connection: what was sent may not have arrived, and devices may have come and gone.
    pub(in crate::core) fn connected(&mut self) {
        self.found.clear();
        self.lights.iter_mut().for_each(Light::connected);
    }

    /// Somebody wants everything again.
    pub(in crate::core) fn tell_again(&mut self) {
        self.lights.iter_mut().for_each(Light::tell_again);
    }

    /// The broker did not take what was sent to these topics.
    pub(in crate::core) fn were_refused(&mut self, topics: &BTreeMap<String, Legible>) {
        let refused = |light: &&mut Light| topics.keys().any(|topic| light.is_told_on(topic));
        self.lights.iter_mut().filter(refused).for_each(Light::tell_again);
    }

    /// The earliest time at which a clock has something to say.
    pub(in crate::core) fn wake_at(&self) -> Option<Tick> {
        self.lights.iter().filter_map(Light::wake_at).chain(self.again_at).min()
    }

    /// In the order configured.
    pub(in crate::core) fn names(&self) -> Vec<TopicLevel> {
        self.lights.iter().map(|light| light.settings.name.clone()).collect()
    }

    /// All lights as they are now.
    pub(in crate::core) fn snapshots(&self) -> Vec<LightSnapshot> {
        let snapshot = |light: &Light| LightSnapshot {
            name: light.settings.name.clone(),
            users: light.settings.users.clone(),
            shade: light.shade,
            because: light.because.clone(),
            follows: light.follows,
            is_tested: light.is_tested(),
        };
        self.lights.iter().map(snapshot).collect()
    }

    /// Drives the lights that are configured now.
    pub(in crate::core) fn configured(
        &mut self,
        people: &Roster,
        outbox: &mut Outbox,
        cx: &Context,
    ) -> Reconfigured {
        let before = self.filters(&cx.topics);
        self.replace(cx.settings.lights.clone(), outbox, cx);
        self.follow(people);
        let (now, unheard) = (self.filters(&cx.topics), self.unheard());
        // A topic may be listened to already, but not for this light: what is retained there has to come
        // again.
        let needed = now.difference(&before).chain(unheard.intersection(&before)).cloned().collect();
        let unneeded = before.difference(&now).cloned().collect();
        Reconfigured { unneeded, needed }
    }

    /// A light keeps what is known of it; a device that is left is told goodbye.
    fn replace(&mut self, configured: Vec<Settings>, outbox: &mut Outbox, cx: &Context) {
        let before = std::mem::take(&mut self.lights);
        let mut known: BTreeMap<TopicLevel, Light> =
            before.into_iter().map(|light| (light.settings.name.clone(), light)).collect();
        for settings in configured {
            let light = match known.remove(&settings.name) {
                Some(light) => {
                    if !light.settings.same_device(&settings) {
                        leave_device(&light, outbox);
                    }
                    light.configured(settings, cx.now)
                }
                None => {
                    let light = Light::new(settings, cx.now);
                    publish(&light, LightField::Follow, outbox, &cx.topics);
                    light
                }
            };
            self.lights.push(light);
        }
        for (name, light) in &known {
            leave_device(light, outbox);
            remove(name, outbox, &cx.topics);
        }
    }

    /// Lets every light follow whoever has the names now.
    pub(in crate::core) fn follow(&mut self, people: &Roster) {
        self.followers.clear();
        for (index, light) in self.lights.iter_mut().enumerate() {
            light.places = light.settings.users.iter().filter_map(|name| people.by_name(name)).collect();
            light.due = true;
            for &place in &light.places {
                self.followers.entry(place).or_default().push(index);
            }
        }
    }

    /// Tells every light what is news to it. `is_expected` says whether somebody of a name, who is missing,
    /// may be in a group that was not read yet.
    pub(in crate::core) fn light_up(
        &mut self,
        is_expected: impl Fn(&TopicLevel) -> bool,
        people: &Roster,
        outbox: &mut Outbox,
        cx: &Context,
    ) {
        if self.again_at.is_none_or(|at| at <= cx.now) {
            if self.again_at.is_some() {
                self.tell_again();
            }
            self.again_at = cx.settings.mqtt.refresh_interval.map(|every| cx.now + every);
        }
        for light in &mut self.lights {
            light.look_at_clock(cx.wall, cx.now);
            light.expects(|name| people.by_name(name).is_none() && is_expected(name));
            if outbox.is_open() {
                let orders = light.orders_of_test(cx.now).into_iter().map(Message::from).collect();
                outbox.light(Some(&light.settings.name), orders);
            }
            if light.is_tested() {
                continue;
            }
            if !outbox.is_open() || !std::mem::take(&mut light.due) || !light.follows {
                continue;
            }
            let before = (light.shade, light.because.clone());
            let orders = light.orders(sight(light, people)).into_iter().map(Message::from).collect();
            outbox.light(Some(&light.settings.name), orders);
            if light.shade != before.0 {
                publish(light, LightField::State, outbox, &cx.topics);
            }
            if before.0.is_none() || light.because != before.1 {
                publish(light, LightField::Because, outbox, &cx.topics);
            }
        }
    }

    /// Queues what is retained about every light.
    pub(in crate::core) fn publish_all(&self, outbox: &mut Outbox, cx: &Context) {
        for light in &self.lights {
            for field in LightField::ALL {
                publish(light, field, outbox, &cx.topics);
            }
        }
    }

    /// The last messages of all lights.
    pub(in crate::core) fn goodbye(&mut self, cx: &Context) -> Vec<Message> {
        let mut last = Vec::new();
        for light in &mut self.lights {
            let (orders, shade) = light.goodbye();
            last.extend(orders.into_iter().map(Message::from));
            let Some(shade) = shade else { continue };
            (light.shade, light.because) = (Some(shade), None);
            let said = [LightField::State, LightField::Because];
            last.extend(said.into_iter().filter_map(|field| retained(light, field, &cx.topics)));
        }
        last
    }

    /// Takes what an earlier run, or the one before a reload, published about a light. It has `driven` these.
    pub(in crate::core) fn found(
        &mut self,
        heard: &Heard,
        message: &Incoming,
        driven: Vec<TopicLevel>,
        outbox: &mut Outbox,
        cx: &Context,
    ) {
        driven.into_iter().for_each(|light| self.was_driven(light, outbox, cx));
        let Heard::Light(name, field) = heard else { return };
        match (self.named(name), field) {
            (Some(light), LightField::Follow) => {
                light.follows = message.payload != OFF.as_bytes();
                light.due = true;
                // If it came late, the broker holds something else by now.
                publish(light, LightField::Follow, outbox, &cx.topics);
            }
            (Some(_), LightField::State | LightField::Because) => {}
            (None, _) => self.was_driven(name.clone(), outbox, cx),
        }
    }

    /// An earlier run drove a light of this name: what is retained about it is emptied, if it is not
    /// configured any more.
    fn was_driven(&mut self, name: TopicLevel, outbox: &mut Outbox, cx: &Context) {
        if !outbox.is_open() {
            self.found.insert(name);
        } else if self.named(&name).is_none() {
            remove(&name, outbox, &cx.topics);
        }
    }

    /// Reading back is over: what is retained about lights that are not configured any more is emptied.
    pub(in crate::core) fn remove_found(&mut self, outbox: &mut Outbox, cx: &Context) {
        for name in std::mem::take(&mut self.found) {
            if self.named(&name).is_none() {
                remove(&name, outbox, &cx.topics);
            }
        }
    }

    /// The word that the switch of a light received: `ON` or `OFF`.
    pub(in crate::core) fn heard_switch(
        &mut self,
        name: &TopicLevel,
        payload: &[u8],
        outbox: &mut Outbox,
        cx: &mut Context,
    ) {
        let says = |word: &str| payload.trim_ascii().eq_ignore_ascii_case(word.as_bytes());
        if says(ON) || says(OFF) {
            // Nobody waits for what came of it.
            let _ = self.follow_or_pause(name, says(ON), outbox, cx);
        } else if self.named(name).is_some() {
            cx.report(Report::LightWord(name.clone()));
        }
    }

    /// A visitor of the status page wants something of a light. Returns how it went; nothing if it is about
    /// none.
    pub(in crate::core) fn act(&mut self, act: &Act, outbox: &mut Outbox, cx: &mut Context) -> Option<Acted> {
        match act {
            Act::Follow(light, follows) => Some(self.follow_or_pause(light, *follows, outbox, cx)),
            Act::TestLight(light) => Some(self.test(light, cx.now)),
            Act::Refresh
            | Act::SetPresence(..)
            | Act::SetStatusMessage(..)
            | Act::SignIn(..)
            | Act::Landed(_)
            | Act::Change(..)
            | Act::SignOut(_) => None,
        }
    }

    /// Somebody pauses a light, or lets it show presence again.
    fn follow_or_pause(
        &mut self,
        name: &TopicLevel,
        follows: bool,
        outbox: &mut Outbox,
        cx: &mut Context,
    ) -> Acted {
        let light = self.named(name).ok_or(NO_SUCH)?;
        light.follows = follows;
        light.end_test();
        // Whoever paused it may have used it otherwise. What still waits is not sent to a paused one.
        light.tell_again();
        outbox.forget_light(name);
        publish(light, LightField::Follow, outbox, &cx.topics);
        cx.report(Report::LightFollows(name.clone(), follows));
        Ok(if follows { "The light shows presence again." } else { "The light is paused." })
    }

    /// Somebody wants to see what a light can show, or has seen enough.
    fn test(&mut self, name: &TopicLevel, now: Tick) -> Acted {
        match self.named(name).ok_or(NO_SUCH)?.test(now) {
            true => Ok("The light shows every state now, for two seconds each."),
            false => Ok("The test is over."),
        }
    }

    /// Takes what a device says of itself, and what other topics say that may win over presence; `false` if
    /// it is neither.
    pub(in crate::core) fn heard(&mut self, message: &Incoming, now: Tick) -> bool {
        let mut is_for_a_light = false;
        for light in &mut self.lights {
            is_for_a_light |= light.heard_also(message, now);
            if light.announced_on() == Some(&message.topic) {
                is_for_a_light = true;
                // What is retained was said before; after a connect everything is sent anyway.
                if !message.retained {
                    light.device_said(&message.payload, now);
                }
            }
        }
        is_for_a_light
    }

    /// Where lights are heard: their devices, what may win over presence, and whoever pauses them.
    pub(in crate::core) fn filters(&self, topics: &Topics) -> BTreeSet<String> {
        let devices = self.lights.iter().filter_map(Light::announced_on).map(str::to_owned);
        let also = self.lights.iter().flat_map(|light| &light.settings.also).map(|also| also.topic.clone());
        let pause = (!self.lights.is_empty()).then(|| topics.pause_any_light());
        devices.chain(also).chain(pause).collect()
    }

    /// Topics that may win over presence on which some light has heard nothing.
    fn unheard(&self) -> BTreeSet<String> {
        self.lights.iter().flat_map(Light::unheard).map(str::to_owned).collect()
    }

    /// Where an earlier run left whether each was paused.
    pub(in crate::core) fn left_at(&self, topics: &Topics) -> impl Iterator<Item = String> {
        self.lights.iter().map(|light| topics.of_light(&light.settings.name, LightField::Follow))
    }

    fn named(&mut self, name: &TopicLevel) -> Option<&mut Light> {
        self.lights.iter_mut().find(|light| light.settings.name == *name)
    }
}

/// Who is seen of those whom a light follows.
fn sight(light: &Light, people: &Roster) -> Sight {
    let followed = || light.places.iter().filter_map(|&place| people.get(place));
    match busiest(followed().filter_map(|person| person.shown())) {
        Some(shown) => Sight::Somebody(shown),
        None if followed().any(|person| person.is_awaited()) || light.expects_somebody => Sight::Awaited,
        None => Sight::Nobody,
    }
}

/// Why a light shows what it shows.
fn because(light: &Light) -> &str {
    light.because.as_deref().unwrap_or(PRESENCE)
}

/// What a topic of a light should hold; nothing where there is nothing to say yet.
fn retained(light: &Light, field: LightField, topics: &Topics) -> Option<Message> {
    let payload = match field {
        LightField::State => light.shade?.to_string(),
        LightField::Because => light.shade.map(|_| because(light).to_owned())?,
        LightField::Follow => if light.follows { ON } else { OFF }.to_owned(),
    };
    Some(Message::retained(topics.of_light(&light.settings.name, field), payload, Qos::AtLeastOnce))
}

fn publish(light: &Light, field: LightField, outbox: &mut Outbox, topics: &Topics) {
    outbox.light(Some(&light.settings.name), retained(light, field, topics).into_iter().collect());
}

fn leave_device(light: &Light, outbox: &mut Outbox) {
    outbox.forget_light(&light.settings.name);
    let (orders, _) = light.goodbye();
    outbox.light(None, orders.into_iter().map(Message::from).collect());
}

fn remove(name: &TopicLevel, outbox: &mut Outbox, topics: &Topics) {
    for field in LightField::ALL {
        outbox.remove(topics.of_light(name, field));
    }
}
