//! The app registration: its id, or how to make one.

use std::io::Write;

use super::ask::{Question, Questions, refused};
use super::draft::Draft;
use crate::cli::exit::Failure;
use crate::config::{ApplicationId, Cloud};

/// Asks for the id of an app.
pub(super) async fn ask(
    draft: &mut Draft,
    client_id: Option<&str>,
    questions: &mut Questions,
    out: &mut impl Write,
) -> Result<(), Failure> {
    let question = Question { words: "Application (client) ID", option: "--client-id" };
    let read = str::parse::<ApplicationId>;
    let id = match client_id {
        Some(id) => read(id).map_err(|error| refused(question.option, &format!("must be {error}")))?,
        None => {
            if !questions.are_answered() {
                out.write_all(steps(draft.cloud).as_bytes())?;
            }
            let read = |answer: &str| read(answer).map_err(|error| format!("must be {error}"));
            questions.ask(out, question, None, read).await?
        }
    };
    draft.client_id = id.to_string();
    Ok(())
}

/// As docs/for-administrators.md has it.
fn steps(cloud: Cloud) -> String {
    let portal = match cloud {
        Cloud::Global => "https://entra.microsoft.com",
        Cloud::UsGovL4 | Cloud::UsGovL5 => "https://entra.microsoft.us",
    };
    format!(
        "
The bridge signs in through an app registration of your
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
        let page = include_str!("../../../docs/for-administrators.md");
        assert!(words(page).contains(line), "{line}");
    }
}
