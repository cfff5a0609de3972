//! Signing in: how the bridge proves who it is, and what it gets for it.
//!
//! In reading order: [`method`] names the ways, `assertion` signs the proof of a certificate,
//! [`managed_identity`] asks Azure on the spot, [`authority`] posts to the sign-in service, [`answer`] reads
//! what it says, with its [`refusal`]s, and `advice` words what people can do about those. For people who
//! sign in: [`delegated`] uses what the [`store`] keeps (or `unstored`, when the disk takes nothing),
//! [`device_code`] and [`browser`] are the two ways to a new sign-in, [`identity`] tells whose it is,
//! [`scopes`] what has to be consented to, and the [`attendant`] task makes an `invitation` when a bridge
//! runs without one. [`discovery`] finds the tenant of a domain.

mod advice;
pub mod answer;
mod assertion;
pub mod attendant;
pub mod authority;
pub mod browser;
pub mod delegated;
pub mod device_code;
pub mod discovery;
pub mod identity;
mod invitation;
pub mod managed_identity;
pub mod method;
pub mod refusal;
pub mod scopes;
pub mod store;
mod unstored;
