//! What a tenant is made of.

use std::ops::Range;
use std::time::Duration;

use uuid::Uuid;

use super::groups::EVERYBODY;
use super::identity_provider::FederatedCredential;

/// What a tenant is made of. The default has three people, a working day sixty times faster than life, and
/// Microsoft's limits.
#[derive(Debug, Clone)]
pub struct Settings {
    /// Which of several tenants this is, from 0; see [`Settings::nth`].
    pub number: usize,
    /// How many people there are.
    pub users: usize,
    /// Whether there is a group of everybody who is there at the beginning, [`Settings::everybody`].
    pub groups: bool,
    /// What people, tokens and days are derived from; the same seed gives the same ones.
    pub seed: u64,
    /// Simulated seconds per second.
    pub speed: f64,
    /// The simulated time when the tenant begins, counted from a Monday's midnight.
    pub day_starts: Duration,
    /// The tenant's GUID; its [domain](Settings::domain) is accepted as well.
    pub tenant_id: String,
    /// The registered app.
    pub client_id: String,
    /// The app's secret. It opens nothing but the simulation.
    pub client_secret: String,
    /// The certificates registered for the app, each as PEM.
    pub certificates: Vec<String>,
    /// The other identity providers' subjects that stand for the app.
    pub federated: Vec<FederatedCredential>,
    /// The machine's own identity, which has the app's permissions.
    pub managed_identity: ManagedIdentity,
    /// The permissions an administrator gave the app. Writing presence needs `Presence.ReadWrite.All` among
    /// them, which it is not by itself.
    pub permissions: Vec<String>,
    /// How long a device code waits for a person.
    pub device_code_lifetime: Duration,
    /// How long an app waits between two questions about a device code, in whole seconds.
    pub device_code_interval: Duration,
    /// How long a refresh token lives unused.
    pub refresh_token_lifetime: Duration,
    /// Between which bounds tokens live, in whole seconds of real time.
    pub token_lifetime: Range<Duration>,
    /// The cloud, which decides over some fields.
    pub cloud: Cloud,
    /// Presence requests in any `window`, refused ones included.
    pub request_limit: usize,
    /// The length of the window.
    pub window: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            number: 0,
            users: 3,
            groups: false,
            seed: 1,
            speed: 60.0,
            day_starts: Duration::from_secs(9 * 60 * 60),
            tenant_id: "0f1e2d3c-4b5a-4678-9a0b-c1d2e3f4a5b6".into(),
            client_id: "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d".into(),
            client_secret: "simulated-secret".into(),
            certificates: Vec::new(),
            federated: Vec::new(),
            managed_identity: ManagedIdentity::default(),
            device_code_lifetime: Duration::from_secs(15 * 60),
            device_code_interval: Duration::from_secs(5),
            refresh_token_lifetime: Duration::from_secs(90 * 24 * 60 * 60),
            permissions: vec![
                "Presence.Read.All".into(),
                "User.ReadBasic.All".into(),
                "GroupMember.Read.All".into(),
            ],
            token_lifetime: Duration::from_secs(60 * 60)..Duration::from_secs(90 * 60),
            cloud: Cloud::Global,
            request_limit: 1_500,
            window: Duration::from_secs(30),
        }
    }
}

impl Settings {
    /// The same for another of several tenants, with an id, an app and people of its own. The first is as it
    /// was.
    #[must_use]
    pub fn nth(self, number: usize) -> Self {
        if number == 0 {
            return self;
        }
        Self {
            number,
            seed: self.seed.wrapping_add(number as u64),
            tenant_id: format!("{:08x}-4b5a-4678-9a0b-c1d2e3f4a5b6", 0x0f1e_2d3c + number),
            client_id: format!("{:08x}-e5f6-4a7b-8c9d-0e1f2a3b4c5d", 0xa1b2_c3d4 + number),
            ..self
        }
    }

    /// The tenant's domain, which names it as well as its GUID: `contoso.example`, `contoso2.example` and so
    /// on.
    #[must_use]
    pub fn domain(&self) -> String {
        match self.number {
            0 => "contoso.example".to_owned(),
            number => format!("contoso{}.example", number + 1),
        }
    }

    /// The group of everybody who is there at the beginning.
    #[must_use]
    pub fn everybody(&self) -> Uuid {
        Uuid::from_u128(EVERYBODY.as_u128() ^ self.number as u128)
    }
}

/// Which national cloud the tenant is in, as far as presence differs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Cloud {
    /// Global, with all fields.
    #[default]
    Global,
    /// US Government: no `outOfOfficeSettings`, `sequenceNumber` and `workLocation`.
    UsGov,
}

impl Cloud {
    /// The root of Graph in this cloud.
    pub(super) fn graph(self) -> &'static str {
        match self {
            Self::Global => "https://graph.microsoft.com",
            Self::UsGov => "https://graph.microsoft.us",
        }
    }
}

/// The machine's identity and what opens it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ManagedIdentity {
    /// Its client id, by which a request may choose it.
    pub client_id: String,
    /// Its object id (principal id), likewise.
    pub object_id: String,
    /// Its resource id, likewise.
    pub resource_id: String,
    /// What App Service puts into `IDENTITY_HEADER`, and wants to see in `X-IDENTITY-HEADER`.
    pub header: String,
}

impl Default for ManagedIdentity {
    fn default() -> Self {
        Self {
            client_id: "b7c8d9e0-f1a2-4b3c-8d4e-5f6a7b8c9d0e".into(),
            object_id: "c1d2e3f4-a5b6-4c7d-8e9f-0a1b2c3d4e5f".into(),
            resource_id: "/subscriptions/00000000-0000-0000-0000-000000000000/resourcegroups/office/providers/Microsoft.ManagedIdentity/userAssignedIdentities/presence".into(),
            header: "simulated-identity-header".into(),
        }
    }
}
