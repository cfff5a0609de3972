//! Why a run ended.

use crate::graph::HttpError;
use crate::graph::sign_in::store::StoreError;
use crate::http::door::DoorError;
use crate::mqtt::address::AddressError;
use crate::setup::place::NotWritten;

/// Why a run ended without being asked to.
#[derive(Debug, thiserror::Error)]
pub enum RunError {
    /// The HTTP client for Graph cannot be made.
    #[error(transparent)]
    Http(#[from] HttpError),
    /// Another bridge uses the same stored sign-in, or it cannot be stored.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// A file of the broker's configuration cannot be used.
    #[error(transparent)]
    Broker(#[from] AddressError),
    /// The status page cannot listen on its address.
    #[error(transparent)]
    Door(#[from] DoorError),
    /// A first start cannot write the configuration that it would ask for.
    #[error("the set-up page cannot start, because its answers could not be written")]
    NotWritten(#[from] NotWritten),
    /// A task ended. The bridge stops, because half a bridge would publish wrong values.
    #[error("the {0} task ended unexpectedly")]
    TaskDied(&'static str),
}
