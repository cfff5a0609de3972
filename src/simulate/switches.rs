//! Switches: how the tenant behaves where the documentation leaves a choice, or where tests want to see the
//! other one.

use crate::core::model::name::ObjectId;

/// Choices where Graph's behaviour is undocumented or has been seen both ways.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Switches {
    /// What a bulk read does about ids that nobody has.
    pub unknown_ids: UnknownIds,
    /// `GET /communications/presences/{id}` answers with a `value` array, as the documentation's example
    /// does.
    pub wrapped: bool,
    /// When a status message expires is told to nobody but the person themselves, as the documentation has
    /// it.
    pub expiry_hidden: bool,
    /// Values are spelled `inACall` instead of `InACall`.
    pub camel_case: bool,
    /// The app's secret has expired.
    pub secret_expired: bool,
    /// The app's certificates have expired.
    pub certificate_expired: bool,
    /// Assertions may be signed with the older RS256 as well.
    pub rs256_accepted: bool,
    /// The registration does not allow public client flows, so sign-ins of people need the app's credential
    /// too.
    pub no_public_flows: bool,
    /// What becomes of device codes.
    pub device_codes: DeviceCodes,
    /// Every question about a device code is answered `slow_down`.
    pub slow_down: bool,
    /// Device codes are approved by themselves.
    pub auto_approve: Option<AutoApprove>,
    /// What a browser does at the sign-in page.
    pub browser: Browser,
    /// The AADSTS number that every sign-in and refresh of people ends with, such as 53003 for Conditional
    /// Access.
    pub people_refused: Option<u32>,
    /// Members of a group on one page, if fewer than asked for.
    pub members_page: Option<usize>,
    /// People on one page of a bulk answer; all on one if nothing is said.
    pub people_page: Option<usize>,
    /// Links to the next page are strange.
    pub strange_link: Option<StrangeLink>,
}

/// Where a link to the next page leads that it should not lead to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum StrangeLink {
    /// To the same path at another host.
    OtherHost,
    /// To another list at this host.
    OtherPath,
    /// To the same page again and again.
    Same,
}

/// What the tenant does about device codes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum DeviceCodes {
    /// They are good.
    #[default]
    Allowed,
    /// Each question about one is answered with this AADSTS number, such as 530035 for security defaults,
    /// under this OAuth error: which one comes with it is not documented.
    Blocked(u32, &'static str),
    /// The page turns everybody away, and nobody tells the app: the codes expire unused.
    Ignored,
}

/// Somebody who signs in for every device code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct AutoApprove {
    /// How many times the app is told to wait before.
    pub after: u32,
    /// Who signs in.
    pub person: ObjectId,
}

/// What happens at the sign-in page of a browser.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Browser {
    /// The page asks who signs in.
    #[default]
    Asks,
    /// This person signs in at once.
    SignsIn(ObjectId),
    /// The person cancels at once.
    Cancels,
}

/// What a bulk read does about ids that nobody has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UnknownIds {
    /// Leaves them out.
    #[default]
    Missing,
    /// Refuses the whole request with 400.
    Refused,
    /// Answers `PresenceUnknown` for them.
    PresenceUnknown,
}
