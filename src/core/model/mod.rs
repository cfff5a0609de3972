//! Plain values: what the departments of the core and the edges hand to one another. Nothing here
//! decides when or whether something happens.
//!
//! In reading order: [`event`] comes in, [`effect`] goes out and [`request`] ties the two for Graph;
//! [`report`] is what the log gets, [`foreign`] is what others write, made harmless. [`name`], [`word`],
//! [`words`], [`presence`], [`sequence_number`] and [`members`] are what Graph tells, [`topic`], [`payload`],
//! [`mqtt`] and [`burst`] what the broker gets, [`heard`] what comes from it, `dirty_topics` what has to be
//! sent, and [`process`] who asks and answers there whether a bridge lives. [`health`] says what may be
//! believed, `terms` what that depends on, `remembered` what an earlier run left, [`place`] where somebody
//! stands, `moves` who comes and goes, [`snapshot`] how all of it is shown, and [`people_page`] how much of
//! many people. [`settings`] is what is configured, [`name_pattern`] how members are named and
//! [`name_conflict`] what happens when two have one name. [`presence_change`] is what users may set,
//! `command` that with who wants it, [`act`] what visitors of the status page ask for, [`sign_in`] what
//! happens with signing in, [`certificate`] when an app's ends, [`account`] by whom, and `successors` what a
//! reload makes of the accounts. [`time`], `backoff` and `budget` say when.

pub mod account;
pub mod act;
pub(crate) mod backoff;
pub(in crate::core) mod budget;
pub mod burst;
pub mod certificate;
pub(in crate::core) mod command;
pub(in crate::core) mod dirty_topics;
pub mod effect;
pub mod event;
pub mod foreign;
pub mod health;
pub mod heard;
pub mod members;
pub(in crate::core) mod moves;
pub mod mqtt;
pub mod name;
pub mod name_conflict;
pub mod name_pattern;
pub mod payload;
pub mod people_page;
pub mod place;
pub mod presence;
pub mod presence_change;
pub mod process;
pub(in crate::core) mod remembered;
pub mod report;
pub mod request;
pub mod sequence_number;
pub mod settings;
pub mod sign_in;
pub mod snapshot;
pub(in crate::core) mod successors;
pub(in crate::core) mod terms;
pub mod time;
pub mod topic;
pub mod word;
pub mod words;
