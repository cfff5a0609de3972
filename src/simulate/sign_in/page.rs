//! The pages people see: plain HTML without scripts.

use std::fmt::Write;

use crate::simulate::message::Answer;
use crate::simulate::person::Person;

/// How many people a page offers, so that it stays readable in a tenant of thousands; requests may name
/// anybody.
const OFFERED: usize = 50;

/// A page with this status, heading and content, which must be HTML already.
pub(super) fn page(status: u16, heading: &str, content: &str) -> Answer {
    let heading = escape(heading);
    Answer::page(
        status,
        format!(
            "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\
             <meta name=\"viewport\" content=\"width=device-width\"><title>{heading}</title>\
             <style>body{{font:1rem/1.6 sans-serif;max-width:32rem;margin:3rem auto;padding:0 1rem}}\
             button,input{{font:inherit;margin:.2rem 0}}</style></head>\n\
             <body><h1>{heading}</h1>\n{content}\n\
             <p><small>This is the simulated tenant of presence2mqtt.</small></p></body></html>\n"
        ),
    )
}

/// The form that asks for the code of a device, perhaps after a wrong one.
pub(super) fn ask_for_code(complaint: Option<&str>) -> Answer {
    let complaint = complaint.map(|text| format!("<p><b>{}</b></p>\n", escape(text))).unwrap_or_default();
    let form = "<form method=\"post\"><p><label>Code shown on the device<br>\
                <input name=\"user_code\" autocomplete=\"off\" autofocus></label></p>\
                <p><button>Next</button></p></form>";
    page(200, "Enter code", &(complaint + form))
}

/// The form in which somebody signs in for the device that shows this code.
pub(super) fn choose_for_device(user_code: &str, people: &[Person]) -> Answer {
    let code = escape(user_code);
    let mut form = format!(
        "<form method=\"post\"><input type=\"hidden\" name=\"user_code\" value=\"{code}\">\n<p>Sign in for <b>{code}</b> as</p>\n"
    );
    for person in people.iter().take(OFFERED) {
        let (id, name) = (person.id, escape(&person.display_name));
        // Writing to a string cannot fail.
        let _ = writeln!(form, "<p><button name=\"person\" value=\"{id}\">{name}</button></p>");
    }
    form += "<p><button name=\"decline\" value=\"yes\">Nobody: decline</button></p></form>";
    page(200, "Pick an account", &form)
}

/// Links that sign somebody in and lead back to the app; `query` is the app's request.
pub(super) fn choose_for_browser(query: &str, people: &[Person]) -> Answer {
    let query = escape(query);
    let mut list = String::from("<ul>\n");
    for person in people.iter().take(OFFERED) {
        let (id, name) = (person.id, escape(&person.display_name));
        let _ = writeln!(list, "<li><a href=\"?{query}&amp;person={id}\">{name}</a></li>");
    }
    let _ = writeln!(list, "<li><a href=\"?{query}&amp;person=none\">Nobody: cancel</a></li>\n</ul>");
    page(200, "Pick an account", &list)
}

/// Text as it may stand in HTML, also inside quotes.
fn escape(text: &str) -> String {
    let mut safe = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => safe += "&amp;",
            '<' => safe += "&lt;",
            '>' => safe += "&gt;",
            '"' => safe += "&quot;",
            '\'' => safe += "&#39;",
            other => safe.push(other),
        }
    }
    safe
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_people_write_stays_text() {
        assert_eq!(escape("<a href=\"x\">'&"), "&lt;a href=&quot;x&quot;&gt;&#39;&amp;");
        let answer = ask_for_code(Some("<script>"));
        assert!(answer.text().contains("<b>&lt;script&gt;</b>"));
    }
}
