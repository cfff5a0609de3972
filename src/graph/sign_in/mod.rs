//! Signing in: how the bridge proves who it is, and what it gets for it.
//!
//! In reading order: [`method`] names the ways, [`authority`] posts to the sign-in service, `answer` reads what it
//! says, `advice` words what people can do.

mod advice;
pub mod answer;
pub mod authority;
pub mod method;
