//! The gate for the text of others: whatever comes, what leaves it is harmless, short, and not changed a
//! second time.

use presence2mqtt::core::model::foreign::{Legible, WebAddress, escaped, is_obeyed};
use url::Url;

/// `input` is what others say.
pub(super) fn check(input: &[u8]) {
    let text = String::from_utf8_lossy(input);
    for (clean, longest) in [
        (Legible::new(&text), 1000),
        (Legible::quoted(&text), 300),
        (Legible::at_most(&text, 3), 3),
        (Legible::at_most(&text, 0), 0),
    ] {
        legible(&clean, longest);
    }
    if let Ok(address) = text.parse::<WebAddress>() {
        web_address(&address);
    }
    json(&text);
}

fn legible(clean: &Legible, longest: usize) {
    assert!(!clean.chars().any(|c| is_obeyed(c) || c.is_control()), "{clean:?}");
    // The mark that something was cut comes on top.
    assert!(clean.chars().count() <= longest + 1 && clean.trim() == clean.as_str(), "{clean:?}");
    assert_eq!(Legible::at_most(clean, longest + 1), *clean, "cleaned once is clean");
    let json = serde_json::to_string(clean).unwrap();
    assert_eq!(serde_json::from_str::<Legible>(&json).unwrap().as_str(), Legible::new(clean).as_str());
}

fn web_address(address: &WebAddress) {
    let text = address.as_str();
    let url: Url = text.parse().expect("an address");
    assert!(text.len() <= 2048 && text.is_ascii() && !text.contains(|c: char| c <= ' '), "{text:?}");
    assert!(url.username().is_empty() && url.password().is_none(), "{text:?}");
    let host = url.host_str().expect("a host");
    let is_loopback = host == "localhost" || host.starts_with("127.") || host == "[::1]";
    assert!(url.scheme() == "https" || (url.scheme() == "http" && is_loopback), "{text:?}");
    assert_eq!(text.parse::<WebAddress>().as_ref(), Ok(address), "cleaned once is clean");
}

/// What `get --json` prints.
fn json(text: &str) {
    let json = serde_json::to_string(text).unwrap();
    let printed = escaped(&json);
    assert!(!printed.chars().any(is_obeyed), "{printed:?}");
    assert_eq!(serde_json::from_str::<String>(&printed).unwrap(), text, "it means the same");
}
