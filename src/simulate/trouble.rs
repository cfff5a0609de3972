//! Bad days with a name, for people who want to see what the bridge makes of them.

use super::fault::{Fault, Scope, Times};
use super::switches::DeviceCodes;
use super::tenant::Tenant;

/// People on a page, where answers come page by page.
const PAGE: usize = 20;

/// What is wrong with the tenant for as long as it is there.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Trouble {
    /// Device codes are refused, as security defaults do it (AADSTS530035)
    CodesBlocked,
    /// Device codes expire unused: the page rejects people, and the app gets no answer
    CodesIgnored,
    /// Every other request to Graph is answered 401, at random
    #[value(name = "half-401")]
    Half401,
    /// Every request to Graph is answered 400
    #[value(name = "all-400")]
    All400,
    /// Every request to Graph is answered 401
    #[value(name = "all-401")]
    All401,
    /// Every request to Graph is answered 403
    #[value(name = "all-403")]
    All403,
    /// Every request to Graph is answered 404
    #[value(name = "all-404")]
    All404,
    /// Bulk answers and members of groups come in pages of 20
    Pages,
    /// Names and messages hold half a character
    HalfCharacters,
}

impl Trouble {
    /// Makes it so. What was wrong before stays.
    pub fn begin(self, tenant: &Tenant) {
        let all = |status| tenant.fault(Fault::status(status), Scope::Graph, Times::UntilCleared);
        match self {
            Self::CodesBlocked => {
                tenant.switch(|switches| {
                    switches.device_codes = DeviceCodes::Blocked(530_035, "access_denied")
                });
            }
            Self::CodesIgnored => tenant.switch(|switches| switches.device_codes = DeviceCodes::Ignored),
            Self::Half401 => tenant.fault(Fault::status(401), Scope::Graph, Times::Chance(50)),
            Self::All400 => all(400),
            Self::All401 => all(401),
            Self::All403 => all(403),
            Self::All404 => all(404),
            Self::Pages => tenant.switch(|switches| {
                (switches.people_page, switches.members_page) = (Some(PAGE), Some(PAGE));
            }),
            Self::HalfCharacters => {
                tenant.fault(Fault::HalfCharacters, Scope::Graph, Times::UntilCleared);
            }
        }
    }
}
