//! Decides; never does. Knows nothing of sockets, clocks, the environment or tasks.
//!
//! In reading order: [`event`] comes in, [`command`] goes out, [`bridge`] lies between them. It is made of a
//! schedule within a budget, people with their health, the source's and the broker link's state, an invitation to
//! sign in, and an outbox. `commanding` listens to those who set presence, [`setting`] is what they may say,
//! `settable` whom they may set, `writing` when it is done and `echo` what they are answered. `sleep` makes time go on
//! while the machine sleeps and `waking` says what that means, `sequence` tells answers out of order, `protocol` and
//! `rival` read a broker's manners, `reload` goes on with other settings; [`words`] and [`sequence_number`] keep in little
//! room what many people have, `knowledge` is what is known of one, `index` finds one and `asked` those of an answer;
//! [`group`] is what is known of groups, `members`
//! reads them, `joining` says what a complete reading changes, `naming` who may have which name, and `unsettled` what was
//! open until then; [`discovery`] is what Home Assistant is told,
//! `announcing` when, and `announcements` what it was told already; [`light`] is what a light shows, and `lighting` when
//! it is told; [`overview`] is what the status page and the metrics are made of;
//! [`certificate`] words a warning, [`token_life`] says when a token is renewed.

mod announcements;
mod announcing;
mod asked;
pub mod bridge;
mod broker;
mod budget;
pub mod certificate;
mod commanding;
mod echo;
pub mod group;
pub mod home_assistant;
mod index;
mod inviting;
mod joining;
mod knowledge;
mod lighting;
pub mod lights;
mod link;
mod members;
pub mod model;
mod naming;
mod outbox;
pub mod overview;
mod pending;
pub mod person;
mod protocol;
mod reading;
mod reload;
mod rival;
mod schedule;
mod sequence;
mod settable;
mod sleep;
mod source;
mod status;
pub mod token_life;
mod unsettled;
mod waking;
mod writing;

#[cfg(test)]
mod tests;
