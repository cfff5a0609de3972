//! Health checks, metrics and a status page for whoever asks over HTTP. Off unless `[http] listen` is set.
//!
//! In reading order: [`door`] listens and bounds what strangers can cost, `answer` says what is at which
//! path, by what `site` holds, `guard` who may see it and `guesses` how fast passwords may be tried,
//! `same_origin` which `form` may act and `acts` what it asks for, `told` what its sender is told,
//! [`question`] asks the loop what is known, `ready`, `metrics` (with `of_accounts`) and `page` make text of
//! that, with `people`, `words` and `links` for people and `filter` for which of them. The page is
//! `page/frame.html`, a template for each idea beside it, and `page.css` and `page.js` in it; it needs
//! nothing else from anywhere.
//!
//! At a first start, `first_start` (with `first_start.html` and `first_start.css`) shows the set-up instead.
//!
//! Nothing here knows Graph, MQTT or the core's decisions; nothing here is waited for by anybody but those
//! who ask.

mod acts;
mod answer;
pub mod door;
mod filter;
pub(crate) mod first_start;
mod form;
mod guard;
mod guesses;
mod links;
mod metrics;
mod of_accounts;
mod page;
mod people;
pub mod question;
mod ready;
mod same_origin;
mod site;
#[cfg(test)]
mod tests;
mod told;
mod words;
