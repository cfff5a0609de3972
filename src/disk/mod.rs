//! Files: reading those that a configuration names, and keeping tokens in a folder of the bridge's own.
//!
//! In reading order: [`named`] reads a file that somebody names, which may be anything; `owner` says who else
//! may read or write a file or folder; [`private`] is a folder that only this user can enter, with what is
//! kept in it, and `private_error` why it is refused; [`whole`] writes a file that somebody names.
//!
//! Nothing here changes a file or folder that the bridge did not make, unless somebody names it to be
//! written.

pub mod named;
mod owner;
#[cfg(unix)]
pub mod private;
#[cfg(not(unix))]
#[path = "private_elsewhere.rs"]
pub mod private;

mod private_error;

pub mod whole;

pub use owner::{Access, Holds};
pub use private_error::PrivateError;
