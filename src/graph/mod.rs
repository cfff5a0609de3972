//! The edge towards Microsoft: tokens, requests, answers. It carries out the core's orders and decides
//! nothing about people.
//!
//! In reading order: [`fetcher`] takes orders and reports their results, [`client`] sends the requests that
//! [`operation`] describes, [`answer`] turns bodies (`text`) into presence (`wire` is its shape, read by
//! `lenient`) and [`members`] into members of groups (both page by page: `next_page`), [`refusal`] turns
//! everything else into a reason, with the pause of [`retry_after`], `set_presence` has the requests that set
//! presence, and [`token`] keeps the token that [`sign_in`] gets for the [`caller`]. Only `clock` reads
//! clocks.

pub mod answer;
pub mod caller;
pub mod client;
mod clock;
pub mod fetcher;
mod http;
pub use http::HttpError;
mod lenient;
pub mod members;
mod next_page;
pub mod once;
pub mod operation;
pub mod refusal;
pub mod retry_after;
mod set_presence;
pub mod sign_in;
mod text;
pub mod token;
mod token_life;
mod wire;
