//! What the sign-in service remembers from one request to the next.

mod assertions;
mod bounded;
mod codes;
mod device_codes;
mod refresh_tokens;
mod secrets;
mod signed_in;

pub(super) use codes::Code;
pub(super) use device_codes::{DeviceCode, Outcome};
pub(super) use signed_in::SignedIn;

/// What the service remembers from one request to the next.
#[derive(Debug, Default)]
pub(in crate::simulate) struct Memory {
    pub(in crate::simulate) device_codes: device_codes::DeviceCodes,
    pub(super) codes: codes::Codes,
    pub(in crate::simulate) refresh_tokens: refresh_tokens::RefreshTokens,
    pub(in crate::simulate) assertions: assertions::Assertions,
    pub(in crate::simulate) secrets: secrets::Secrets,
}
