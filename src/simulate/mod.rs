//! A simulated tenant: stands in for Microsoft Graph and the Entra sign-in service, for tests and
//! demonstrations.
//!
//! In reading order: `settings` and `switches` say what is wanted of it, [`person`] and `working_day` who
//! lives in the tenant and what they do; [`action`] is what apps may write about them, `sessions` and
//! `status_message` what comes of it, and `resident` all of that about one person; [`groups`] is who belongs
//! together. `state` holds what the tenant knows, within the limits of `token` and `window`. `route` says who
//! answers a request: `sign_in`, `managed_identity`, or `graph` with `members` to read, page by page with
//! `pages`, and `writing` to write, which take a request apart by `graph_request`, refuse by `refusal` and
//! put an answer together by `wire`. `message` is what goes in and out of them; none of these knows
//! connections or tasks.
//!
//! `tenant` is how it is held, with `handle` for what tests do for people; [`identity_provider`] is somebody
//! else whom the tenant may trust; [`fault`] and `spoil` make it fail, and a [`trouble`] is a bad day with a
//! name; `exchange`, `response`, `script` and [`server`] bring it to a socket; [`ledger`] remembers what was
//! asked; [`command`] is `presence2mqtt simulate`. Only `clock` reads clocks.

pub mod action;
mod clock;
pub mod command;
mod exchange;
pub mod fault;
mod graph;
mod graph_request;
pub mod groups;
mod handle;
pub mod identity_provider;
mod iso_duration;
pub mod ledger;
mod managed_identity;
mod members;
mod message;
mod pages;
pub mod person;
mod refusal;
mod resident;
mod response;
mod route;
mod script;
pub mod server;
mod sessions;
mod settings;
mod sign_in;
mod spoil;
mod state;
mod status_message;
mod switches;
mod tenant;
#[cfg(test)]
mod tests;
mod token;
pub mod trouble;
mod window;
mod wire;
mod working_day;
mod writing;

pub use action::Action;
pub use fault::{Fault, RetryAfter, Scope, Times};
pub use identity_provider::{FederatedCredential, IdentityProvider};
pub use ledger::{Request, Requests, Written};
pub use person::Person;
pub use route::Endpoint;
pub use server::Server;
pub use settings::{Cloud, ManagedIdentity, Settings};
pub use state::Truth;
pub use switches::{AutoApprove, Browser, DeviceCodes, StrangeLink, Switches, UnknownIds};
pub use tenant::Tenant;
pub use trouble::Trouble;
