//! As whom the bridge asks Microsoft.

/// As whom Graph sees the bridge, which decides over the kind of permission that it needs, and over who can
/// do something about a refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// An app registration.
    App,
    /// A managed identity, which is an app without a registration.
    ManagedIdentity,
    /// The person who signed in.
    Person,
}
