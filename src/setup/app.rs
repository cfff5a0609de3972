//! The app registration: its id, and how to make one.

use super::address::{self, Beginning};
use crate::config::{ApplicationId, Cloud};
use crate::core::model::name::InvalidName;

/// The id as it is written, or as the line for the Azure CLI prints it, with a domain of its tenant.
pub(crate) fn read(text: &str) -> Result<String, String> {
    if let Ok(Beginning::App(id, _)) = address::read(text) {
        return Ok(id);
    }
    let id = text.parse::<ApplicationId>();
    id.map(|id| id.to_string()).map_err(|InvalidName(allowed)| format!("must be {allowed}"))
}

/// Where apps are registered.
pub(crate) fn portal(cloud: Cloud) -> &'static str {
    match cloud {
        Cloud::Global => "https://entra.microsoft.com",
        Cloud::UsGovL4 | Cloud::UsGovL5 => "https://entra.microsoft.us",
    }
}

/// The form in which an app is registered.
pub(crate) fn form(cloud: Cloud) -> String {
    let form =
        "#view/Microsoft_AAD_RegisteredApps/CreateApplicationBlade/quickStartType~/null/isMSAApp~/false";
    format!("{}/{form}", portal(cloud))
}

/// What makes an app in one line, and prints its id with a domain of its tenant. As
/// docs/for-administrators.md has it, which says where all of it is written; 76bc735e… is the delegated
/// permission Presence.Read.
pub(crate) const LINE: &str = r#"az ad app create --display-name presence2mqtt \
    --sign-in-audience AzureADMyOrg \
    --is-fallback-public-client true \
    --public-client-redirect-uris http://localhost \
    --required-resource-accesses '[{"resourceAppId":
    "00000003-0000-0000-c000-000000000000",
    "resourceAccess":[{"type":"Scope","id":
    "76bc735e-aecd-4a1d-8b4c-2b915deabb79"}]}]' \
    --query "join('@',[appId,publisherDomain])" -o tsv"#;

/// The steps, by hand and by that line.
pub(crate) fn steps(cloud: Cloud) -> String {
    let portal = portal(cloud);
    // Cloud Shell wants a subscription, which a tenant may have none of.
    let into = match cloud {
        Cloud::Global => {
            "the Azure CLI, or (with an Azure\nsubscription) into https://shell.azure.com/bash, and copy\nwhat it prints:"
        }
        Cloud::UsGovL4 | Cloud::UsGovL5 => "the Azure CLI, and copy what\nit prints:",
    };
    format!(
        "The bridge signs in through an app registration of your
organisation. If there is none yet, make one, or ask an
administrator (docs/for-administrators.md). Open
{portal}
  1. App registrations > New registration
     Name: presence2mqtt
     Account types: this organizational directory only
     Redirect URI: Public client/native (mobile & desktop)
     and the address http://localhost
  2. To sign in with a code: Authentication > Settings,
     set Allow public client flows to Yes
  3. Overview: copy the Application (client) ID
Or paste this line into {into}
  {LINE}
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

    #[test]
    fn what_the_line_prints_is_an_id() {
        let id = "a1b2c3d4-e5f6-4a7b-8c9d-0e1f2a3b4c5d";
        for text in [id, "A1B2C3D4-E5F6-4A7B-8C9D-0E1F2A3B4C5D", &format!("{id}@contoso.onmicrosoft.com")] {
            assert_eq!(read(text).as_deref(), Ok(id));
        }
        assert!(read("a1b2c3d4@contoso.onmicrosoft.com").is_err());
    }

    /// Whoever changes one changes both.
    #[test]
    fn the_line_is_that_of_the_page_for_administrators() {
        let words = |text: &str| text.replace('\\', " ").split_whitespace().collect::<Vec<_>>().join(" ");
        let page = include_str!("../../docs/for-administrators.md");
        assert!(words(page).contains(&words(LINE)), "{LINE}");
    }
}
