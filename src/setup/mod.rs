//! What a set-up knows, whoever asks: the terminal (`cli/setup`) or the page (`http/first_start`, driven by
//! `run/first_start`).
//!
//! In reading order: `draft` is the configuration as far as it is known, which begins with an `address` and
//! is made of an `app`, a `broker` and one of the `lights`, which are found and tried here; `place` says
//! where the files go and writes them. `events` are the answers and outcomes that the page's set-up takes,
//! and its orders; `steps` decides by them what is asked and done next, and does nothing itself: `view` is
//! what it shows. `words` are sentences of both.
//!
//! Nothing here knows a terminal, a page or the bridge's loop, and nothing is written before the last answer.

pub(crate) mod address;
pub(crate) mod app;
pub(crate) mod broker;
pub(crate) mod draft;
pub(crate) mod events;
pub(crate) mod lights;
pub(crate) mod place;
pub(crate) mod steps;
pub(crate) mod view;
pub(crate) mod words;
