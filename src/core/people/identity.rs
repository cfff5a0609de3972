//! Who somebody is: as configured, and by object id as soon as that is known.

use crate::core::model::name::{ObjectId, PrincipalName, UserId};

/// Nearly everybody is known by an object id and nothing else.
#[derive(Debug)]
pub(super) enum Identity {
    Object(ObjectId),
    Found(Box<Found>),
}

/// The configuration does not say the object id.
#[derive(Debug)]
pub(super) struct Found {
    configured: UserId,
    id: Option<ObjectId>,
}

impl From<UserId> for Identity {
    fn from(configured: UserId) -> Self {
        Self::new(configured, None)
    }
}

impl Identity {
    /// Somebody as configured. `id` is the object id that was found, if the configuration does not say it.
    pub(super) fn new(configured: UserId, id: Option<ObjectId>) -> Self {
        match configured {
            UserId::Object(id) => Self::Object(id),
            UserId::Me | UserId::Principal(_) => Self::Found(Box::new(Found { configured, id })),
        }
    }

    pub(super) fn id(&self) -> Option<ObjectId> {
        match self {
            Self::Object(id) => Some(*id),
            Self::Found(found) => found.id,
        }
    }

    /// Takes the object id, where the configuration does not say it.
    pub(super) fn found(&mut self, id: ObjectId) {
        if let Self::Found(found) = self {
            found.id = Some(id);
        }
    }

    pub(super) fn is_me(&self) -> bool {
        matches!(self, Self::Found(found) if found.configured == UserId::Me)
    }

    pub(super) fn principal_name(&self) -> Option<&PrincipalName> {
        match self {
            Self::Found(found) => match &found.configured {
                UserId::Principal(name) => Some(name),
                UserId::Me | UserId::Object(_) => None,
            },
            Self::Object(_) => None,
        }
    }

    pub(super) fn user_id(&self) -> UserId {
        match self {
            Self::Object(id) => UserId::Object(*id),
            Self::Found(found) => found.configured.clone(),
        }
    }
}
