//! Decides; never does. Knows nothing of sockets, clocks, the environment or tasks.
//!
//! In reading order: [`event`] comes in, [`command`] goes out, [`bridge`] lies between them. It is made of a
//! schedule within a budget, people with their health, the source's and the broker link's state, an invitation to
//! sign in, and an outbox. `commanding` listens to those who set presence, [`setting`] is what they may say,
//! `settable` whom they may set, `writing` when it is done and `echo` what they are answered. `sleep` makes time go on
//! while the machine sleeps and `waking` says what that means, `sequence` tells answers out of order, [`words`] and
//! [`sequence_number`] keep what many people have in little room, `knowledge` is what is known of one, `by_name` finds one, `protocol` and
//! `rival` read a broker's manners, `reload` goes on with other settings; [`discovery`] is what Home Assistant is told,
//! `announcing` when, and `announcements` what it was told already; [`light`] is what a light shows, and `lighting` when
//! it is told;
//! [`certificate`] words a warning, [`token_life`] says when a token is renewed.

mod announcements;
mod announcing;
mod asked;
mod backoff;
pub mod bridge;
mod broker;
mod budget;
mod by_name;
pub mod certificate;
pub mod command;
mod commanding;
pub mod discovery;
mod echo;
pub mod event;
mod inviting;
mod knowledge;
pub mod light;
mod lighting;
mod link;
pub mod name;
mod outbox;
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
mod waking;
pub mod word;
pub mod words;
mod writing;

#[cfg(test)]
mod tests;
