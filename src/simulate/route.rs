//! Which of the tenant's endpoints a request is for.

use axum::http::Method;
use percent_encoding::percent_decode_str;

/// An endpoint, as faults and counters name it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Endpoint {
    /// `POST /{tenant}/oauth2/v2.0/token`
    Token,
    /// `GET /v1.0/me/presence`
    MyPresence,
    /// `GET /v1.0/users/{id}/presence`
    UserPresence,
    /// `GET /v1.0/communications/presences/{id}`
    CommunicationsPresence,
    /// `POST /v1.0/communications/getPresencesByUserId`
    PresencesByUserId,
    /// `GET /v1.0/users/{id or principal name}`
    User,
    /// Anything else.
    Unknown,
}

/// An endpoint together with what the path says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Route {
    Token { tenant: String },
    MyPresence,
    UserPresence { id: String },
    CommunicationsPresence { id: String },
    PresencesByUserId,
    User { name: String },
    WrongMethod,
    Unknown,
}

impl Route {
    pub(super) fn of(method: &Method, path: &str) -> Self {
        let segments: Vec<_> =
            path.split('/').skip(1).map(|segment| percent_decode_str(segment).decode_utf8_lossy()).collect();
        let segments: Vec<_> = segments.iter().map(AsRef::as_ref).collect();
        let (wanted, route) = match *segments.as_slice() {
            [tenant, "oauth2", "v2.0", "token"] => (Method::POST, Self::Token { tenant: tenant.into() }),
            ["v1.0", "me", "presence"] => (Method::GET, Self::MyPresence),
            ["v1.0", "users", id, "presence"] => (Method::GET, Self::UserPresence { id: id.into() }),
            ["v1.0", "communications", "presences", id] => {
                (Method::GET, Self::CommunicationsPresence { id: id.into() })
            }
            ["v1.0", "communications", "getPresencesByUserId"] => (Method::POST, Self::PresencesByUserId),
            ["v1.0", "users", name] => (Method::GET, Self::User { name: name.into() }),
            _ => return Self::Unknown,
        };
        if *method == wanted { route } else { Self::WrongMethod }
    }

    pub(super) fn endpoint(&self) -> Endpoint {
        match self {
            Self::Token { .. } => Endpoint::Token,
            Self::MyPresence => Endpoint::MyPresence,
            Self::UserPresence { .. } => Endpoint::UserPresence,
            Self::CommunicationsPresence { .. } => Endpoint::CommunicationsPresence,
            Self::PresencesByUserId => Endpoint::PresencesByUserId,
            Self::User { .. } => Endpoint::User,
            Self::WrongMethod | Self::Unknown => Endpoint::Unknown,
        }
    }
}

impl Endpoint {
    /// Whether the presence limit counts it; the directory has a limit of its own, far away.
    pub(super) fn is_presence(self) -> bool {
        match self {
            Self::MyPresence
            | Self::UserPresence
            | Self::CommunicationsPresence
            | Self::PresencesByUserId => true,
            Self::Token | Self::User | Self::Unknown => false,
        }
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
        assert_eq!(get("/v1.0/communications/getPresencesByUserId"), Route::WrongMethod);
        assert_eq!(get("/beta/me/presence"), Route::Unknown);
        assert_eq!(get("/"), Route::Unknown);
    }
}
