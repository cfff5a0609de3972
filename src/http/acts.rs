//! What a form of the page asks for, and what its sender is told.

use hyper::HeaderMap;
use hyper::header::HOST;

use super::form::Form;
use crate::core::model::act::Act;
use crate::core::model::name::TopicLevel;
use crate::core::model::sign_in::{LandingAddress, SignInBy};

/// What a form asks for; nothing if it is of no use.
pub(super) fn asked(form: &Form, headers: &HeaderMap) -> Option<Act> {
    let name = |field: &str| form.value(field).and_then(|name| name.parse::<TopicLevel>().ok());
    // The only account has no name.
    let account = || match form.value("account") {
        None | Some("") => Some(None),
        Some(name) => name.parse().ok().map(Some),
    };
    Some(match form.value("act")? {
        "refresh" => Act::Refresh,
        "pause" => Act::Follow(name("light")?, false),
        "follow" => Act::Follow(name("light")?, true),
        "test" => Act::TestLight(name("light")?),
        "set" => Act::SetPresence(name("user")?, presence(form)?),
        "message" => Act::SetStatusMessage(name("user")?, status_message(form)?),
        "browser" => Act::SignIn(account()?, SignInBy::Browser, loopback_port(headers)),
        "code" => Act::SignIn(account()?, SignInBy::DeviceCode, None),
        "landed" => Act::Landed(LandingAddress::pasted(form.value("address")?)),
        "change" => Act::Change(account()?, true),
        "keep" => Act::Change(account()?, false),
        "sign_out" => Act::SignOut(account()?),
        _ => return None,
    })
}

/// What a browser brings that comes back from the sign-in service; nothing if this is any other visit.
pub(super) fn landed(query: Option<&str>) -> Option<Act> {
    landing(query).map(Act::Landed)
}

/// The same as an address.
pub(super) fn landing(query: Option<&str>) -> Option<LandingAddress> {
    let query = query?;
    let form = Form::parse(query.as_bytes());
    form.value("state")?;
    let is_answer = form.value("code").is_some() || form.value("error").is_some();
    is_answer.then(|| LandingAddress::pasted(&format!("http://localhost/?{query}")))
}

/// A payload of `<base>/<user>/set`.
fn presence(form: &Form) -> Option<String> {
    let word = form.value("presence")?;
    let lasts = form.value("lasts").unwrap_or_default();
    if word.is_empty() || lasts.is_empty() || word == "auto" {
        return Some(word.to_owned());
    }
    Some(serde_json::json!({ "availability": word, "duration": lasts }).to_string())
}

/// A payload of `<base>/<user>/set_status_message`.
fn status_message(form: &Form) -> Option<String> {
    let message = form.value("message")?.trim();
    Some(
        match form.value("lasts").unwrap_or_default() {
            "" => serde_json::json!({ "message": message }),
            lasts => serde_json::json!({ "message": message, "expires_in": lasts }),
        }
        .to_string(),
    )
}

/// The port of the page on the visitor's own machine: a browser that signs in there can come back to it by
/// itself, also through a port that is forwarded to the bridge.
pub(super) fn loopback_port(headers: &HeaderMap) -> Option<u16> {
    let host = headers.get(HOST)?.to_str().ok()?;
    let (name, port) = host.rsplit_once(':')?;
    ["localhost", "127.0.0.1", "[::1]"]
        .contains(&name.to_ascii_lowercase().as_str())
        .then(|| port.parse().ok())?
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(host: &str) -> HeaderMap {
        [(HOST, host.parse().unwrap())].into_iter().collect()
    }

    fn name(text: &str) -> TopicLevel {
        text.parse().unwrap()
    }

    #[test]
    fn each_form_means_one_act() {
        let set = |payload: &str| Some(Act::SetPresence(name("alice"), payload.to_owned()));
        let message = |payload: &str| Some(Act::SetStatusMessage(name("alice"), payload.to_owned()));
        let browser = |account, port| Some(Act::SignIn(account, SignInBy::Browser, port));
        for (form, expected) in [
            ("act=refresh", Some(Act::Refresh)),
            ("act=pause&light=door", Some(Act::Follow(name("door"), false))),
            ("act=follow&light=door", Some(Act::Follow(name("door"), true))),
            ("act=test&light=door", Some(Act::TestLight(name("door")))),
            ("act=set&user=alice&presence=Busy", set("Busy")),
            ("act=set&user=alice&presence=Busy&lasts=", set("Busy")),
            ("act=set&user=alice&presence=auto&lasts=1h", set("auto")),
            ("act=set&user=alice&presence=Busy&lasts=1h", set(r#"{"availability":"Busy","duration":"1h"}"#)),
            ("act=set&user=alice&presence=%22&lasts=%22", set(r#"{"availability":"\"","duration":"\""}"#)),
            // Nothing was chosen: its sender is told so.
            ("act=set&user=alice&presence=&lasts=1h", set("")),
            ("act=message&user=alice&message=+At+lunch+", message(r#"{"message":"At lunch"}"#)),
            ("act=message&user=alice&message=%22&lasts=1h", message(r#"{"expires_in":"1h","message":"\""}"#)),
            ("act=message&user=alice&message=", message(r#"{"message":""}"#)),
            ("act=message&user=alice", None),
            ("act=browser&account=", browser(None, Some(9642))),
            ("act=browser&account=work", browser(Some(name("work")), Some(9642))),
            ("act=code", Some(Act::SignIn(None, SignInBy::DeviceCode, None))),
            ("act=change&account=work", Some(Act::Change(Some(name("work")), true))),
            ("act=keep", Some(Act::Change(None, false))),
            ("act=sign_out&account=work", Some(Act::SignOut(Some(name("work"))))),
            ("", None),
            ("act=", None),
            ("act=Refresh", None),
            ("act=pause", None),
            ("act=pause&light=a%2fb", None),
            ("act=set&user=alice", None),
            ("act=set&presence=Busy", None),
            ("act=landed", None),
            // Of no sign-in: its sender is told so.
            ("act=landed&address=+", Some(Act::Landed(LandingAddress::pasted("")))),
            ("act=sign_out&account=%23", None),
        ] {
            assert_eq!(asked(&Form::parse(form.as_bytes()), &headers("localhost:9642")), expected, "{form}");
        }
        let pasted = b"act=landed&address=+http%3A%2F%2Flocalhost%2F%3Fcode%3D%0D%0Ax%26state%3Dy";
        let pasted = Form::parse(pasted);
        let Some(Act::Landed(address)) = asked(&pasted, &HeaderMap::new()) else { panic!() };
        assert_eq!(
            (address.expose(), address.state().as_deref()),
            ("http://localhost/?code=x&state=y", Some("y"))
        );
    }

    #[test]
    fn a_browser_comes_back_to_the_page_only_on_the_visitors_own_machine() {
        for (host, expected) in [
            ("localhost:9642", Some(9642)),
            ("LOCALHOST:80", Some(80)),
            ("127.0.0.1:9642", Some(9642)),
            ("[::1]:9642", Some(9642)),
            ("localhost", None),
            ("192.0.2.1:9642", None),
            ("ha.example:8123", None),
            ("localhost:99999", None),
            ("localhost.evil.example:80", None),
        ] {
            assert_eq!(loopback_port(&headers(host)), expected, "{host}");
        }
        for (query, is_answer) in [
            (Some("code=a&state=b"), true),
            (Some("error=access_denied&state=b"), true),
            (Some("state=busy"), false),
            (Some("code=a"), false),
            (Some(""), false),
            (None, false),
        ] {
            assert_eq!(landed(query).is_some(), is_answer, "{query:?}");
        }
    }
}
