//! Who the bridge is for Microsoft.

/// Who the bridge is for Graph. This determines the kind of permission that it needs, and who can act after a
/// refusal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Caller {
    /// An app registration.
    App,
    /// A managed identity, which is an app without a registration.
    ManagedIdentity,
    /// The person who signed in.
    Person,
}
