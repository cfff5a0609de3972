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
pub(crate) mod backoff;
pub mod bridge;
mod broker;
mod budget;
pub mod certificate;
pub mod command;
mod commanding;
pub mod discovery;
mod echo;
pub mod event;
pub mod group;
mod index;
mod inviting;
mod joining;
mod knowledge;
pub mod light;
mod lighting;
mod link;
mod members;
pub mod name;
mod naming;
mod outbox;
pub mod overview;
pub mod payload;
mod pending;
pub mod person;
pub mod presence;
mod protocol;
mod reading;
mod reload;
pub mod report;
mod rival;
mod schedule;
mod sequence;
pub mod sequence_number;
mod settable;
pub mod setting;
pub mod settings;
pub mod sign_in;
mod sleep;
mod source;
mod status;
pub mod time;
pub mod token_life;
pub mod topic;
mod unsettled;
mod waking;
pub mod word;
pub mod words;
mod writing;

#[cfg(test)]
mod tests;
