//! Files: reads those that a configuration names, and keeps tokens in the bridge's own folder.
//!
//! In reading order: [`named`] reads a file that the configuration names, which may be anything; `owner`
//! finds out who else may read or write a file or folder; [`private`] is a folder that only this user can
//! enter, with its files, and `private_error` says why it cannot be used; [`whole`] writes a whole file.
//!
//! Nothing here changes a file or folder that the bridge did not make, except a file that it was asked to
//! write.

pub mod named;
mod owner;
pub mod private;
mod private_error;
pub mod whole;

pub use owner::{Access, Holds};
pub use private_error::PrivateError;
