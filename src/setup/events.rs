//! What a set-up on the page is told and what it orders: a step, an answer to it, an order, and what came of
//! that.

use secrecy::SecretString;

use super::lights::found::FoundLight;
use crate::config::Cloud;
use crate::core::model::name::ObjectId;
use crate::core::model::sign_in::{LandingAddress, SignInBy, SignInEvent, SignInOrder};

/// One page of the set-up, in their order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Step {
    /// Whose presence, and so in which tenant.
    Address,
    /// The app registration.
    App,
    /// The broker, and who the bridge is there.
    Broker,
    /// The person signs in.
    SignIn,
    /// Everything is known but a light, if there shall be one; nothing is written.
    Write,
    /// Written.
    Done,
}

/// What a person sends.
#[derive(Debug)]
pub(crate) enum Answer {
    /// A work e-mail address, or an app.
    Address(String),
    /// The id of an app.
    App(String),
    /// A broker; an empty user name is none.
    Broker { url: String, username: String, password: SecretString },
    /// Sign in, this way.
    SignIn(SignInBy),
    /// The address that a browser ended on.
    Landed(LandingAddress),
    /// Somebody else than who is signed in.
    Another,
    /// Whether the account that signed in takes the place of another.
    Change(bool),
    /// Enough of the sign-in.
    Continue,
    /// Look for lights again.
    Look,
    /// Let the light blink that was found in this place.
    Blink(String),
    /// Write the files, with the light in this place or none; whether files that are there may be replaced.
    Write { light: String, replace: bool },
    /// Not with this app: nobody can sign in by it.
    AnotherApp,
    /// To the step before.
    Back,
}

/// What came of an order.
#[derive(Debug)]
pub(crate) enum Outcome {
    Discovered(Result<(ObjectId, Cloud), String>),
    /// A place where a broker usually is, and is.
    Usual(Option<String>),
    Tried(Result<(), NoBroker>),
    SignIn(SignInEvent),
    /// The words of the person's presence.
    Presence(Result<String, String>),
    Lights(Result<Vec<FoundLight>, String>),
    /// What became of a blink.
    Shown(Result<String, String>),
    /// Nothing was written: this is on the disk, and was not before.
    Changed(Existing),
    Written(Result<(), String>),
}

/// Why the broker does not let the bridge in.
#[derive(Debug)]
pub(crate) struct NoBroker {
    /// It is there, and lets only those in whom it knows.
    pub(crate) wants_a_name: bool,
    pub(crate) why: String,
}

/// What is to be done for the draft as it is now. A new piece of work takes the place of the one before.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Order {
    Discover,
    LookForBroker,
    TryBroker,
    /// Find out who is signed in, and be ready for orders about it.
    Attend,
    SignIn(SignInOrder),
    ReadPresence,
    LookForLights,
    Show,
    Write,
    /// Whatever is under way is not needed any more.
    Rest,
}

/// What is on the disk, and would be replaced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(crate) struct Existing {
    /// Where the configuration will be.
    pub(crate) file: String,
    /// Sections that the file has and the new one would not.
    pub(crate) sections: Vec<String>,
    /// The file of a password, if there is one.
    pub(crate) password: Option<String>,
}
