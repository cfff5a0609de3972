//! The edge towards Microsoft: tokens, requests, answers. It obeys the core and decides nothing about people.
//!
//! In reading order: [`fetcher`] takes orders and reports their ends, [`client`] makes the requests,
//! [`answer`] turns bodies into presence, `refusal` turns everything else into a reason, [`token`] keeps
//! the token that [`sign_in`] gets.

pub mod answer;
pub mod client;
pub mod fetcher;
mod http;
pub use http::HttpError;
pub mod once;
mod refusal;
mod retry_after;
pub mod sign_in;
pub mod token;
