//! Finds the endpoint that a request is for.

use hyper::Method;
use percent_encoding::percent_decode_str;

use super::action::Action;

/// An endpoint, as faults and counters name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// `POST /{tenant}/oauth2/v2.0/token`
    Token,
    /// `POST /{tenant}/oauth2/v2.0/devicecode`
    DeviceCode,
    /// `GET` and `POST /devicelogin`, the page where a person types a device's code
    DeviceLogin,
    /// `GET /{tenant}/oauth2/v2.0/authorize`
    Authorize,
    /// `GET /{tenant}/v2.0/.well-known/openid-configuration`
    OpenIdConfiguration,
    /// `GET /metadata/identity/oauth2/token`, the metadata address of a virtual machine
    MetadataIdentity,
    /// `GET /msi/token`, App Service's endpoint for managed identities
    AppServiceIdentity,
    /// `GET /v1.0/me`
    Me,
    /// `GET /v1.0/me/presence`
    MyPresence,
    /// `GET /v1.0/users/{id}/presence`
    UserPresence,
    /// `GET /v1.0/communications/presences/{id}`
    CommunicationsPresence,
    /// `POST /v1.0/communications/getPresencesByUserId`, and `GET` for its further pages
    PresencesByUserId,
    /// `POST /v1.0/users/{id}/presence/{action}` and `/v1.0/me/presence/{action}`
    Write(Action),
    /// `GET /v1.0/users/{id or principal name}`
    User,
    /// `GET /v1.0/groups/{id}/transitiveMembers/microsoft.graph.user`
    GroupMembers,
    /// Anything else.
    Unknown,
}

/// An endpoint, and the ids in the path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Token {
        tenant: String,
    },
    DeviceCode {
        tenant: String,
    },
    DeviceLogin,
    Authorize {
        tenant: String,
    },
    OpenIdConfiguration {
        tenant: String,
    },
    MetadataIdentity,
    AppServiceIdentity,
    Me,
    MyPresence,
    UserPresence {
        id: String,
    },
    CommunicationsPresence {
        id: String,
    },
    PresencesByUserId,
    /// For the person with this id; without an id, the signed-in person.
    Write {
        id: Option<String>,
        action: Action,
    },
    User {
        name: String,
    },
    GroupMembers {
        id: String,
    },
    WrongMethod,
    Unknown,
}

/// The service that answers, which determines the form of errors.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Service {
    Graph,
    SignIn,
    ManagedIdentity,
}

const GET: &[Method] = &[Method::GET];
const POST: &[Method] = &[Method::POST];

impl Route {
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let segments: Vec<_> =
            path.split('/').skip(1).map(|segment| percent_decode_str(segment).decode_utf8_lossy()).collect();
        let segments: Vec<_> = segments.iter().map(AsRef::as_ref).collect();
        let (wanted, route) = match *segments.as_slice() {
            [tenant, "oauth2", "v2.0", "token"] => (POST, Self::Token { tenant: tenant.into() }),
            [tenant, "oauth2", "v2.0", "devicecode"] => (POST, Self::DeviceCode { tenant: tenant.into() }),
            [tenant, "oauth2", "v2.0", "authorize"] => (GET, Self::Authorize { tenant: tenant.into() }),
            [tenant, "v2.0", ".well-known", "openid-configuration"] => {
                (GET, Self::OpenIdConfiguration { tenant: tenant.into() })
            }
            ["devicelogin"] => (&[Method::GET, Method::POST][..], Self::DeviceLogin),
            ["metadata", "identity", "oauth2", "token"] => (GET, Self::MetadataIdentity),
            ["msi", "token"] => (GET, Self::AppServiceIdentity),
            ["v1.0", "me"] => (GET, Self::Me),
            ["v1.0", "me", "presence"] => (GET, Self::MyPresence),
            ["v1.0", "users", id, "presence"] => (GET, Self::UserPresence { id: id.into() }),
            ["v1.0", "me", "presence", action] => match Action::named(action) {
                Some(action) => (POST, Self::Write { id: None, action }),
                None => return Self::Unknown,
            },
            ["v1.0", "users", id, "presence", action] => match Action::named(action) {
                Some(action) => (POST, Self::Write { id: Some(id.into()), action }),
                None => return Self::Unknown,
            },
            ["v1.0", "communications", "presences", id] => {
                (GET, Self::CommunicationsPresence { id: id.into() })
            }
            // Its pages after the first one are read with GET.
            ["v1.0", "communications", "getPresencesByUserId"] => {
                (&[Method::GET, Method::POST][..], Self::PresencesByUserId)
            }
            ["v1.0", "groups", id, "transitiveMembers", "microsoft.graph.user"] => {
                (GET, Self::GroupMembers { id: id.into() })
            }
            ["v1.0", "users", name] => (GET, Self::User { name: name.into() }),
            _ => return Self::Unknown,
        };
        if wanted.contains(method) { route } else { Self::WrongMethod }
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        match self {
            Self::Token { .. } => Endpoint::Token,
            Self::DeviceCode { .. } => Endpoint::DeviceCode,
            Self::DeviceLogin => Endpoint::DeviceLogin,
            Self::Authorize { .. } => Endpoint::Authorize,
            Self::OpenIdConfiguration { .. } => Endpoint::OpenIdConfiguration,
            Self::MetadataIdentity => Endpoint::MetadataIdentity,
            Self::AppServiceIdentity => Endpoint::AppServiceIdentity,
            Self::Me => Endpoint::Me,
            Self::MyPresence => Endpoint::MyPresence,
            Self::UserPresence { .. } => Endpoint::UserPresence,
            Self::CommunicationsPresence { .. } => Endpoint::CommunicationsPresence,
            Self::PresencesByUserId => Endpoint::PresencesByUserId,
            Self::Write { action, .. } => Endpoint::Write(*action),
            Self::User { .. } => Endpoint::User,
            Self::GroupMembers { .. } => Endpoint::GroupMembers,
            Self::WrongMethod | Self::Unknown => Endpoint::Unknown,
        }
    }
}

impl Endpoint {
    /// Whether the presence limit counts the request; the directory has its own, much higher limit.
    pub(super) fn is_presence(self) -> bool {
        match self {
            Self::MyPresence
            | Self::UserPresence
            | Self::CommunicationsPresence
            | Self::PresencesByUserId
            | Self::Write(_) => true,
            Self::Token
            | Self::DeviceCode
            | Self::DeviceLogin
            | Self::Authorize
            | Self::OpenIdConfiguration
            | Self::MetadataIdentity
            | Self::AppServiceIdentity
            | Self::Me
            | Self::User
            | Self::GroupMembers
            | Self::Unknown => false,
        }
    }

    pub(super) fn service(self) -> Service {
        match self {
            Self::Token
            | Self::DeviceCode
            | Self::DeviceLogin
            | Self::Authorize
            | Self::OpenIdConfiguration => Service::SignIn,
            Self::MetadataIdentity | Self::AppServiceIdentity => Service::ManagedIdentity,
            Self::Me
            | Self::MyPresence
            | Self::UserPresence
            | Self::CommunicationsPresence
            | Self::PresencesByUserId
            | Self::Write(_)
            | Self::User
            | Self::GroupMembers
            | Self::Unknown => Service::Graph,
        }
    }

    /// Whether it changes a person's presence.
    pub(super) fn is_write(self) -> bool {
        matches!(self, Self::Write(_))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn paths() {
        let get = |path| Route::of(&Method::GET, path);
        assert_eq!(get("/v1.0/me/presence"), Route::MyPresence);
        let name = "alice@contoso.example".to_owned();
        assert_eq!(get("/v1.0/users/alice%40contoso.example"), Route::User { name });
        let bulk = "/v1.0/communications/getPresencesByUserId";
        assert_eq!(get(bulk), Route::of(&Method::POST, bulk));
        assert_eq!(Route::of(&Method::PUT, bulk), Route::WrongMethod);
        assert_eq!(get("/common/oauth2/v2.0/authorize"), Route::Authorize { tenant: "common".into() });
        let members = "/v1.0/groups/x/transitiveMembers/microsoft.graph.user";
        assert_eq!(get(members), Route::GroupMembers { id: "x".into() });
        assert_eq!(Route::of(&Method::POST, members), Route::WrongMethod);
        assert_eq!(get("/devicelogin"), Route::of(&Method::POST, "/devicelogin"));
        assert_eq!(get("/beta/me/presence"), Route::Unknown);
        assert_eq!(get("/v1.0/me/presence/setPresence"), Route::WrongMethod);
        let post = |path: &str| Route::of(&Method::POST, path);
        for action in Action::ALL {
            let mine = Route::Write { id: None, action };
            assert_eq!(post(&format!("/v1.0/me/presence/{action}")), mine);
            let theirs = Route::Write { id: Some("x".into()), action };
            assert_eq!(post(&format!("/v1.0/users/x/presence/{action}")), theirs);
        }
        assert_eq!(post("/v1.0/me/presence/setMood"), Route::Unknown);
        assert_eq!(get("/"), Route::Unknown);
    }
}
