//! The app registration: its id, and how to make one.

use crate::config::{ApplicationId, Cloud};
use crate::core::model::name::InvalidName;

/// The id as it is written.
pub(crate) fn read(text: &str) -> Result<String, String> {
    let id = text.parse::<ApplicationId>();
    id.map(|id| id.to_string()).map_err(|InvalidName(allowed)| format!("must be {allowed}"))
}

/// As docs/for-administrators.md has it.
pub(crate) fn steps(cloud: Cloud) -> String {
    let portal = match cloud {
        Cloud::Global => "https://entra.microsoft.com",
        Cloud::UsGovL4 | Cloud::UsGovL5 => "https://entra.microsoft.us",
    };
    format!(
        "The bridge signs in through an app registration of your
organisation. If there is none yet, make one (or ask an
administrator, with docs/for-administrators.md). Open
{portal}
  1. App registrations > New registration
     Name: presence2mqtt
     Account types: this organizational directory only
     Redirect URI: Public client/native (mobile & desktop)
     and the address http://localhost
  2. Authentication: set Allow public client flows to Yes
  3. Overview: copy the Application (client) ID
The Azure CLI does the same in one line and prints the id:
  az ad app create --display-name presence2mqtt \\
    --sign-in-audience AzureADMyOrg \\
    --is-fallback-public-client true \\
    --public-client-redirect-uris http://localhost \\
    --query appId -o tsv
"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_steps_fit_a_narrow_window() {
        for cloud in [Cloud::Global, Cloud::UsGovL5] {
            for line in steps(cloud).lines() {
                assert!(line.chars().count() <= 60, "{line}");
            }
        }
    }

    /// Whoever changes one changes both.
    #[test]
    fn the_line_is_that_of_the_page_for_administrators() {
        let words = |text: &str| text.replace('\\', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let steps = words(&steps(Cloud::Global));
        let line = &steps[steps.find("az ad app").unwrap()..];
        let page = include_str!("../../docs/for-administrators.md");
        assert!(words(page).contains(line), "{line}");
    }
}
