//! How many messages go out together when everybody is sent, and what that asks of a broker.

use std::time::Duration;

use super::topic::Field;

/// Messages a second that slow subscribers still keep up with.
pub(in crate::core) const SUSTAINED_RATE: f64 = 1500.0;

/// A burst never takes longer for its own sake: beyond [`PACED_PEOPLE_MAX`] it is faster than
/// [`SUSTAINED_RATE`], and the broker's limit should be raised.
pub(in crate::core) const BURST_DURATION_MAX: Duration = Duration::from_secs(5);

/// Beyond this there is no pace: 6,000 messages a second are more than a slow subscriber handles, and for so
/// many people `check --online` asks for a larger queue at the broker.
pub(in crate::core) const PACED_MESSAGES_MAX: u32 = 30_000;

/// All topics of one person, with the announcement.
pub(in crate::core) const MESSAGES_OF_ONE: usize = Field::IN_ORDER.len() + 1;

/// Of more people than these slow subscribers lose messages, unless the broker keeps more for each than
/// Mosquitto does by default.
pub const PACED_PEOPLE_MAX: usize =
    SUSTAINED_RATE as usize * BURST_DURATION_MAX.as_secs() as usize / MESSAGES_OF_ONE;

/// What the broker should keep for each subscriber, with so many people: messages.
#[must_use]
pub const fn queue_for(people: usize) -> usize {
    people * MESSAGES_OF_ONE
}
