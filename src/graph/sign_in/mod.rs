//! Signing in: how the bridge proves who it is, and what it gets for it.
//!
//! In reading order: [`method`] names the ways, `assertion` signs the proof of a certificate, [`managed_identity`]
//! asks Azure on the spot, [`authority`] posts to the sign-in service, `answer` reads what it says, `advice` words
//! what people can do.

mod advice;
pub mod answer;
mod assertion;
pub mod authority;
pub mod managed_identity;
pub mod method;
