//! Sentences that the terminal and the page both say, without their end.

use std::fmt::Display;

/// What is asked first. An app as ID@domain is what the line for the Azure CLI prints.
pub(crate) const WHOSE: &str = "Your work e-mail address, or an app as ID@domain";

/// Why a broker which is there does not let this program in.
pub(crate) fn not_let_in(has_a_name: bool) -> &'static str {
    if has_a_name {
        "The broker does not let this user in"
    } else {
        "The broker wants a user name and a password"
    }
}

/// Somebody signed in, and Graph says nothing of them.
pub(crate) fn no_presence(why: &impl Display) -> String {
    format!("Your presence cannot be shown now: {why}")
}

/// The broker did not say which lights there are.
pub(crate) fn no_lights(why: &impl Display) -> String {
    format!("Lights cannot be looked for now: {why}")
}
