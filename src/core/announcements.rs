//! What Home Assistant was told, and has to be told or spared because of it.

use std::collections::{BTreeMap, HashMap};

use crate::core::home_assistant::{CONTROLS, Controls, Described, DeviceId, Entities, of_person};
use crate::core::model::name::{BaseTopic, ClientId, ObjectId, TopicLevel};
use crate::core::model::time::Tick;
use crate::core::model::topic::Topics;
use crate::core::person::Person;
use crate::core::schedule::Place;

/// Announcements on the broker, of this run and of earlier ones.
#[derive(Debug, Default)]
pub(super) struct Announcements {
    /// Who is to be announced: one place each.
    pub places: HashMap<ObjectId, Place>,
    /// What was last said of whom in this run.
    told: BTreeMap<ObjectId, Words>,
    /// Entities that Home Assistant may have, by the topic of their device. One that is not wanted any more has to be
    /// named: leaving it out would not remove it.
    entities: BTreeMap<String, Entities>,
    /// The topics of devices that an earlier run announced for people whose object id is not known yet.
    pub undecided: BTreeMap<TopicLevel, String>,
    /// The filter of an earlier run's announcements, if it had another prefix.
    pub earlier_prefix: Option<String>,
    /// When everything is sent again because Home Assistant has started.
    pub birth_at: Option<Tick>,
}

/// What an announcement says that may change.
#[derive(Debug, PartialEq, Eq)]
struct Words {
    name: TopicLevel,
    display_name: String,
    settable: bool,
}

impl Announcements {
    /// Takes that a person is announced in the words of today; `true` if they are new.
    pub(super) fn tell(&mut self, id: ObjectId, topic: String, person: &Person) -> bool {
        if person.settable {
            let controls = CONTROLS.map(|(key, platform)| (key.to_owned(), platform.to_owned()));
            self.have(topic, controls);
        }
        let words = Words {
            name: person.name.clone(),
            display_name: person.display_name().to_owned(),
            settable: person.settable,
        };
        let news = self.told.get(&id) != Some(&words);
        self.told.insert(id, words);
        news
    }

    /// Takes that a device may have these entities.
    pub(super) fn have(&mut self, topic: String, entities: impl IntoIterator<Item = (String, String)>) {
        self.entities.entry(topic).or_default().extend(entities);
    }

    /// The entities that a device may have.
    pub(super) fn entities(&self, topic: &str) -> &Entities {
        static NONE: Entities = Entities::new();
        self.entities.get(topic).unwrap_or(&NONE)
    }

    /// A device is removed, and all its entities with it.
    pub(super) fn forget(&mut self, topic: &str) {
        self.entities.remove(topic);
    }

    /// Forgets what was told of people who are not to be announced any more, and says who they are.
    pub(super) fn forget_others(&mut self) -> Vec<ObjectId> {
        let others: Vec<ObjectId> =
            self.told.keys().filter(|id| !self.places.contains_key(id)).copied().collect();
        self.told.retain(|id, _| self.places.contains_key(id));
        others
    }

    /// The announcement of whoever is at a place, if they are to be announced under this name.
    pub(super) fn of(
        &self,
        (place, person): (Place, &Person),
        prefix: &BaseTopic,
        topics: &Topics,
        bridge: &ClientId,
    ) -> Option<(String, String)> {
        let id = person.id().filter(|id| self.places.get(id) == Some(&place))?;
        let topic = DeviceId::of_person(id).topic(prefix);
        let described = Described {
            display_name: person.display_name(),
            name: &person.name,
            id,
            bridge,
            controls: if person.settable { Controls::Shown } else { Controls::Absent },
            before: self.entities(&topic),
        };
        let payload = of_person(&described, topics);
        Some((topic, payload))
    }
}
