//! Turns an answer other than 200 into its meaning, and what a person can do.

use std::time::Duration;

use reqwest::StatusCode;

use super::caller::Caller;
use super::lenient::{self, Object};
use super::members::NotMembers;
use super::text::readable;
use crate::core::model::foreign::Legible;
use crate::core::model::request::{ReadFailure, ReadPresence};

/// What a request needs, for the sentence about a missing permission.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// What the request does.
    call: &'static str,
    permission: &'static str,
    /// What would work without the permission.
    instead: &'static str,
    /// The request reads the signed-in person.
    is_me: bool,
}

/// The permissions that a call needs, the least one first (Graph: `presence-get`,
/// `cloudcommunications-getpresencesbyuserid`, `user-get`, `group-list-transitivemembers`).
impl Needs {
    /// For looking up a user principal name.
    pub const TO_RESOLVE: Self = Self {
        call: "look up a user principal name",
        permission: "permission User.ReadBasic.All",
        instead: " (or use object ids instead of names)",
        is_me: false,
    };

    /// For reading the members of a group.
    pub const TO_READ_MEMBERS: Self = Self {
        call: "read the members of a group",
        permission: "permissions GroupMember.Read.All and User.ReadBasic.All",
        instead: "",
        is_me: false,
    };

    /// For reading presence.
    #[must_use]
    pub fn to_read(operation: &ReadPresence) -> Self {
        let (call, permission, is_me) = match operation {
            ReadPresence::Me => ("read one's own presence", "permission Presence.Read", true),
            ReadPresence::User(_) | ReadPresence::Communications(_) => {
                ("read another person's presence", "permission Presence.Read.All", false)
            }
            ReadPresence::Bulk(_) => ("read other people's presence", "permission Presence.Read.All", false),
        };
        Self { call, permission, instead: "", is_me }
    }
}

/// The meaning of an answer other than 2xx to a request with these needs.
///
/// If the body of an error is not Graph's, it comes from a proxy or similar, and is temporary.
#[must_use]
pub fn of_status(
    status: StatusCode,
    retry_after: Option<Duration>,
    body: &[u8],
    needs: &Needs,
    caller: Caller,
) -> ReadFailure {
    match (status, reason(body)) {
        (StatusCode::BAD_REQUEST | StatusCode::FORBIDDEN, Some(why))
            if needs.is_me && caller != Caller::Person =>
        {
            ReadFailure::Forbidden { advice: of_me(&why).into() }
        }
        (StatusCode::FORBIDDEN, Some(why)) => {
            ReadFailure::Forbidden { advice: of_permission(needs, caller, &why).into() }
        }
        (status, said) => of_anything(status, retry_after, said, needs.permission, caller),
    }
}

/// The meaning of an answer other than 2xx to a request that sets presence.
#[must_use]
pub fn of_write(
    status: StatusCode,
    retry_after: Option<Duration>,
    body: &[u8],
    caller: Caller,
) -> ReadFailure {
    let permission = match caller {
        Caller::App | Caller::ManagedIdentity => "permission Presence.ReadWrite.All",
        Caller::Person => "permission Presence.ReadWrite",
    };
    match (status, reason(body)) {
        (StatusCode::FORBIDDEN, Some(why)) => {
            let give = give(permission, caller);
            ReadFailure::Forbidden {
                advice: format!("Graph refuses to set presence with {why}; {give}").into(),
            }
        }
        (status, said) => of_anything(status, retry_after, said, permission, caller),
    }
}

fn of_anything(
    status: StatusCode,
    retry_after: Option<Duration>,
    said: Option<String>,
    permission: &str,
    caller: Caller,
) -> ReadFailure {
    match (status, said) {
        (StatusCode::TOO_MANY_REQUESTS, _) => ReadFailure::Throttled { retry_after },
        (StatusCode::UNAUTHORIZED, Some(why)) => {
            ReadFailure::TokenRefused { why: of_token(permission, caller, &why).into() }
        }
        (StatusCode::NOT_FOUND, Some(_)) => ReadFailure::NotFound,
        (StatusCode::BAD_REQUEST, Some(why)) => ReadFailure::Refused { why: why.into() },
        (status, said) => {
            let by = if said.is_some() { "Graph" } else { "Graph (or a proxy in between)" };
            let reason = said.map_or(String::new(), |why| format!(": {why}"));
            ReadFailure::Passing { why: format!("{by} answered {status}{reason}").into(), retry_after }
        }
    }
}

/// An answer that redirects to another host.
#[must_use]
pub fn of_redirect(location: Option<&str>) -> ReadFailure {
    let host =
        location.and_then(|to| url::Url::parse(to).ok()).and_then(|url| url.host_str().map(str::to_owned));
    let to = host.map_or(String::new(), |host| format!(" to {}", Legible::quoted(&host)));
    ReadFailure::Passing {
        why: format!(
            "the answer redirects{to}, and tokens are never sent elsewhere; is there a sign-in page of the network in between?"
        ).into(),
        retry_after: None,
    }
}

/// The meaning of an unusable answer to a request for members.
#[must_use]
pub fn of_members(error: &NotMembers, caller: Caller) -> ReadFailure {
    match error {
        NotMembers::Nameless => {
            let give = give("permission User.ReadBasic.All", caller);
            ReadFailure::Forbidden { advice: format!("{error}; {give}").into() }
        }
        NotMembers::NotJson | NotMembers::NotAList | NotMembers::StrangeLink => {
            ReadFailure::Passing { why: error.to_string().into(), retry_after: None }
        }
    }
}

/// Graph's reason, if the body is a Graph error (Graph: `errors`). Microsoft promises the code; the message
/// may be empty.
fn reason(body: &[u8]) -> Option<String> {
    let body = readable(body);
    let error = Object::of(&body)?.inner("error")?;
    let code = error.raw("code").map_or_else(|| Some(String::new()), lenient::of)?;
    let code = Legible::quoted(&code);
    let message = Legible::quoted(&error.get::<String>("message").unwrap_or_default());
    // More text follows after a semicolon.
    Some(match (code.as_str(), message.trim_end_matches('.')) {
        ("", "") => "no reason given".to_owned(),
        (_, "") => code.to_string(),
        ("", message) => message.to_owned(),
        (_, message) => format!("{code}: {message}"),
    })
}

/// Graph refuses a token for another cloud or tenant, and a token without any permission.
fn of_token(permission: &str, caller: Caller, why: &str) -> String {
    let (cloud, whose) = match caller {
        Caller::App => {
            ("graph.cloud and graph.tenant_id are those of the tenant", "the app has the application")
        }
        Caller::Person => {
            ("graph.cloud and graph.tenant_id are those of the tenant", "the sign-in has the delegated")
        }
        Caller::ManagedIdentity => {
            ("graph.cloud is the one that this machine is in", "the managed identity has the application")
        }
    };
    format!("{why}; check that {cloud}, and that {whose} {permission}")
}

/// An app is no person, so it has no `/me` (Graph: `presence-get`).
fn of_me(why: &str) -> String {
    format!(
        "Graph refuses to read \"me\" with {why}, because an app is not a person; write an object id under \
        [[users]], or \
         use a sign-in method such as \"device-code\""
    )
}

/// The missing permission, and where to grant it.
fn of_permission(needs: &Needs, caller: Caller, why: &str) -> String {
    let Needs { call, permission, instead, .. } = needs;
    let give = give(permission, caller);
    format!("Graph refuses to {call} with {why}; {give}{instead}")
}

/// How to grant a permission of this name.
fn give(permission: &str, caller: Caller) -> String {
    let place = "Entra admin center > App registrations > API permissions > Microsoft Graph";
    match caller {
        Caller::App => {
            format!("add the application {permission} under {place} and click Grant admin consent")
        }
        Caller::ManagedIdentity => format!(
            "give the managed identity the application {permission}, by app roles of Microsoft Graph \
             (PowerShell: New-MgServicePrincipalAppRoleAssignment), and restart its machine or wait a day, since Azure keeps tokens"
        ),
        Caller::Person => {
            format!("add the delegated {permission} under {place}, and consent with `presence2mqtt login`")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(status: u16, body: &str) -> ReadFailure {
        asked(status, body, &Needs::to_read(&ReadPresence::Me), Caller::Person)
    }

    fn asked(status: u16, body: &str, needs: &Needs, caller: Caller) -> ReadFailure {
        of_status(StatusCode::from_u16(status).unwrap(), None, body.as_bytes(), needs, caller)
    }

    const DENIED: &str =
        r#"{"error":{"code":"Authorization_RequestDenied","message":"Insufficient privileges"}}"#;

    #[test]
    fn a_missing_permission_is_named_with_its_kind_and_its_call() {
        let id = "66825e03-7ef5-42da-9069-724602c31f6b".parse().unwrap();
        let read = |operation| Needs::to_read(&operation);
        let calls = [
            (read(ReadPresence::User(id)), "read another person's presence", "Presence.Read.All"),
            (read(ReadPresence::Communications(id)), "read another person's presence", "Presence.Read.All"),
            (read(ReadPresence::Bulk(vec![id])), "read other people's presence", "Presence.Read.All"),
            (Needs::TO_RESOLVE, "look up a user principal name", "User.ReadBasic.All"),
        ];
        for (needs, call, permission) in calls {
            for (caller, kind) in [
                (Caller::App, "application"),
                (Caller::ManagedIdentity, "application"),
                (Caller::Person, "delegated"),
            ] {
                let failure = asked(403, DENIED, &needs, caller);
                let ReadFailure::Forbidden { advice } = failure else { panic!("{failure:?}") };
                assert!(advice.contains(call), "{advice}");
                assert!(advice.contains(&format!("the {kind} permission {permission}")), "{advice}");
                let registered = advice.contains("App registrations");
                assert_eq!(registered, caller != Caller::ManagedIdentity, "{advice}");
            }
        }
    }

    #[test]
    fn to_set_presence_another_permission_is_needed() {
        for (caller, permission) in [
            (Caller::App, "the application permission Presence.ReadWrite.All under"),
            (Caller::ManagedIdentity, "the application permission Presence.ReadWrite.All, by"),
            (Caller::Person, "the delegated permission Presence.ReadWrite under"),
        ] {
            let of = |status, body: &str| of_write(status, None, body.as_bytes(), caller);
            let ReadFailure::Forbidden { advice } = of(StatusCode::FORBIDDEN, DENIED) else { panic!() };
            assert!(advice.contains("refuses to set presence") && advice.contains(permission), "{advice}");
            assert!(matches!(of(StatusCode::BAD_REQUEST, DENIED), ReadFailure::Refused { .. }));
            assert!(matches!(of(StatusCode::UNAUTHORIZED, DENIED), ReadFailure::TokenRefused { .. }));
            assert_eq!(of(StatusCode::NOT_FOUND, DENIED), ReadFailure::NotFound);
            assert!(matches!(of(StatusCode::NOT_FOUND, "<html>"), ReadFailure::Passing { .. }));
        }
    }

    #[test]
    fn an_app_has_no_me() {
        for status in [400, 403] {
            for caller in [Caller::App, Caller::ManagedIdentity] {
                let failure = asked(status, DENIED, &Needs::to_read(&ReadPresence::Me), caller);
                assert!(failure.to_string().contains("write an object id under [[users]]"), "{failure}");
            }
        }
        let ReadFailure::Forbidden { advice } = of(403, DENIED) else { panic!() };
        assert!(advice.contains("the delegated permission Presence.Read under"), "{advice}");
        assert!(matches!(of(400, DENIED), ReadFailure::Refused { .. }));
    }

    #[test]
    fn a_token_of_another_cloud_or_without_the_permission_is_suspected() {
        for caller in [Caller::App, Caller::ManagedIdentity, Caller::Person] {
            let failure = asked(401, DENIED, &Needs::to_read(&ReadPresence::Me), caller).to_string();
            assert!(failure.contains("check that graph.cloud"), "{failure}");
            assert!(failure.ends_with(" permission Presence.Read"), "{failure}");
        }
    }

    #[test]
    fn each_status_has_its_meaning() {
        let error =
            |code: &str| format!(r#"{{"error":{{"code":"{code}","message":"words","innerError":{{}}}}}}"#);
        assert_eq!(of(404, &error("NotFound")), ReadFailure::NotFound);
        assert_eq!(of(400, &error("BadRequest")), ReadFailure::Refused { why: "BadRequest: words".into() });
        assert!(matches!(of(401, &error("InvalidAuthenticationToken")), ReadFailure::TokenRefused { .. }));
        assert!(
            matches!(of(403, &error("Forbidden")), ReadFailure::Forbidden { advice } if advice.contains("Presence.Read"))
        );
        assert_eq!(of(429, ""), ReadFailure::Throttled { retry_after: None });
        for status in [500, 502, 503, 504, 507, 509, 302, 418] {
            assert!(matches!(of(status, &error("x")), ReadFailure::Passing { .. }), "{status}");
        }
    }

    #[test]
    fn a_refusal_that_is_not_graphs_passes() {
        for status in [400, 401, 403, 404] {
            for body in [
                "",
                "<html>proxy</html>",
                "{}",
                r#"{"error":"x"}"#,
                r#"{"error":[]}"#,
                r#"{"error":["x","y"]}"#,
                r#"{"error":{"code":403}}"#,
            ] {
                assert!(matches!(of(status, body), ReadFailure::Passing { .. }), "{status} {body}");
            }
        }
        let bare = of(404, r#"{"error":{"code":"","message":""}}"#);
        assert_eq!(bare, ReadFailure::NotFound, "an empty code is still Graph's answer");
        let null = of(404, r#"{"error":{"code":"NotFound","message":null}}"#);
        assert_eq!(null, ReadFailure::NotFound, "a message that is not there is not missed");
    }

    #[test]
    fn what_others_write_stays_on_one_line_and_ends() {
        let long = "x".repeat(100_000);
        let body = format!(r#"{{"error":{{"code":"Bad\nRequest","message":"a\u0000b\u001b[31m{long}"}}}}"#);
        for status in [400, 401, 403, 500] {
            let said = of(status, &body).to_string();
            assert!(said.contains("Bad Request: a\u{fffd}b\u{fffd}[31mxxx"), "{said}");
            assert!(said.chars().count() < 1000 && !said.contains(char::is_control), "{said}");
        }
        let host = format!("https://{}/", "x".repeat(100_000));
        assert!(of_redirect(Some(&host)).to_string().len() < 1000);
    }
}
