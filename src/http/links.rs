//! Documents and addresses that a sentence names, as links.

use minijinja::{HtmlEscape, Value};

/// Where the documents are.
pub(super) const DOCUMENTS: &str = concat!(env!("CARGO_PKG_REPOSITORY"), "/blob/HEAD/docs");

/// The same; nothing as long as `Cargo.toml` does not say whose repository this is.
pub(super) fn documents() -> Option<&'static str> {
    (DOCUMENTS.starts_with("https://") && !DOCUMENTS.contains("/OWNER/")).then_some(DOCUMENTS)
}

/// The addresses of Microsoft's that this program itself names. A list of hosts would be too wide: anybody
/// can have a name under azure.com, and a query at login.microsoft.com can ask for consent to anything.
const MICROSOFTS: [&str; 7] = [
    "https://aka.ms/mfasetup",
    "https://entra.microsoft.com",
    "https://entra.microsoft.us",
    "https://microsoft.com/devicelogin",
    "https://myaccount.microsoft.com",
    "https://mysignins.microsoft.com",
    "https://shell.azure.com/bash",
];

/// A sentence for a template, in which a document such as `docs/lights.md` is a link where it is known what
/// leads to it, and a known address of Microsoft's is one. No other is: parts of a sentence may be a
/// broker's.
pub(super) fn linked(sentence: &str, documents: Option<&str>) -> Value {
    let mut html = String::new();
    for word in sentence.split_inclusive(char::is_whitespace) {
        let begun = word.trim_start_matches('(');
        let bare = begun.trim_end().trim_end_matches(['.', ',', ';', ':', ')']);
        let (before, after) = (&word[..word.len() - begun.len()], &begun[bare.len()..]);
        html += before;
        let text = HtmlEscape(bare);
        html += &match address(bare, documents) {
            Some(address) => {
                let address = HtmlEscape(&address);
                format!("<a href=\"{address}\" rel=\"noopener noreferrer\" target=\"_blank\">{text}</a>")
            }
            None => text.to_string(),
        };
        html += after;
    }
    Value::from_safe_string(html)
}

fn address(word: &str, documents: Option<&str>) -> Option<String> {
    if let Some(page) = word.strip_prefix("docs/") {
        let name = page.strip_suffix(".md")?;
        let is_name = name.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        return Some(format!("{}/{page}", documents.filter(|_| is_name)?));
    }
    MICROSOFTS.contains(&word).then(|| word.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_and_addresses_of_microsofts_are_links() {
        let link = |to: &str, text: &str| {
            let [to, text] = [to, text].map(|of| HtmlEscape(of).to_string());
            format!("<a href=\"{to}\" rel=\"noopener noreferrer\" target=\"_blank\">{text}</a>")
        };
        let lights = link("https://git.example/docs/lights.md", "docs/lights.md");
        for (sentence, expected) in [
            ("see (docs/lights.md), or", format!("see ({lights}), or")),
            (
                "do so at https://aka.ms/mfasetup, then",
                format!("do so at {}, then", link("https://aka.ms/mfasetup", "https://aka.ms/mfasetup")),
            ),
            ("https://entra.microsoft.us", link("https://entra.microsoft.us", "https://entra.microsoft.us")),
            ("a <b>\n docs/../x.md", "a &lt;b&gt;\n docs&#x2f;..&#x2f;x.md".to_owned()),
            ("https://evil.example", "https:&#x2f;&#x2f;evil.example".to_owned()),
            ("https://microsoft.com.evil.example", "https:&#x2f;&#x2f;microsoft.com.evil.example".to_owned()),
            ("https://a.cloudapp.azure.com", "https:&#x2f;&#x2f;a.cloudapp.azure.com".to_owned()),
            ("https://aka.ms/mfasetup?a=b", "https:&#x2f;&#x2f;aka.ms&#x2f;mfasetup?a=b".to_owned()),
            ("http://localhost", "http:&#x2f;&#x2f;localhost".to_owned()),
            ("(", "(".to_owned()),
            ("", String::new()),
        ] {
            assert_eq!(linked(sentence, Some("https://git.example/docs")).to_string(), expected);
        }
        assert_eq!(linked("docs/lights.md", None).to_string(), "docs&#x2f;lights.md");
    }
}
