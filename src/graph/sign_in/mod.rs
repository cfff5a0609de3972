//! Signing in: how the bridge proves its identity, and the tokens that it gets.
//!
//! In reading order: [`method`] lists the methods, `assertion` signs the proof with a certificate,
//! [`managed_identity`] asks Azure's local service, [`authority`] posts to the sign-in service, [`answer`]
//! reads its answers, [`refusal`] its refusals, and `advice` has the sentences about what people can do. For
//! people who sign in: [`delegated`] uses the sign-in in the [`store`] (or in `unstored`, when the disk
//! cannot be written to), [`device_code`] and [`browser`] are the two ways to a new sign-in, [`identity`]
//! reads who signed in, [`scopes`] lists the permissions to consent to, and the [`attendant`] task makes an
//! `invitation` when a running bridge has no sign-in. [`discovery`] finds the tenant of a domain.

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

#[cfg(test)]
pub(crate) use advice::to_people;
