//! Why a run ended.

use crate::graph::HttpError;
use crate::graph::sign_in::store::StoreError;
use crate::http::door::DoorError;
use crate::mqtt::address::AddressError;
use crate::setup::place::NotWritten;

/// Why a run ended that nobody asked to end.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The client for Graph could not be made.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// The tokens cannot be had for this bridge alone.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The broker's files cannot be used.
    #[error(transparent)]
    Broker(#[from] AddressError),
    /// The status page cannot be had where it should be.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// A first start has nowhere to write what it asks for.
    #[error("the set-up on the page cannot be served, for what it asks has to be written")]
    NotWritten(#[from] NotWritten),
    /// A task is gone; half a bridge would misinform.
    #[error("the {0} task ended unexpectedly")]
    TaskDied(&'static str),
}
