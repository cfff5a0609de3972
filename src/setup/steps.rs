//! The set-up on the page: answers and outcomes in, orders out. It decides what is asked next, and does
//! nothing.

use secrecy::ExposeSecret;

use super::draft::{Draft, NO_BROKER};
use super::events::{Answer, Existing, NoBroker, Order, Outcome, Step};
use super::lights::found::FoundLight;
use super::{address, app, broker, words};
use crate::core::model::sign_in::{
    AccountChange, InvitationEnd, InvitationId, ShownInvitation, SignInBy, SignInEvent, SignInOrder,
};

/// What a browser brought is of another sign-in, or not all of it.
const NOT_LANDED: &str = "this is not the address that the sign-in shown here ends on; copy all of it from the browser's address bar";

/// The set-up checks who is signed in, and invites whoever looks if nobody is.
const LOOKING: &str = "Looking for a sign-in";

/// The set-up.
#[derive(Debug)]
pub(crate) struct Setup {
    pub(super) draft: Draft,
    pub(super) step: Step,
    /// What is under way, for people.
    pub(super) work: Option<&'static str>,
    /// What was wrong with the last answer.
    pub(super) wrong: Option<String>,
    /// The last answer, if nothing could be made of it.
    pub(super) refused: Option<Answer>,
    /// The broker lets only those in whom it knows.
    pub(super) wants_a_name: bool,
    pub(super) existing: Existing,
    /// The port of the page on the machine of whoever looks at it.
    pub(super) port: Option<u16>,
    /// Whoever comes to the sign-in is invited without having asked, once.
    invites: bool,
    /// Whoever is signed in is meant, if somebody said so.
    is_meant: bool,
    pub(super) invitation: Option<ShownInvitation>,
    pub(super) signed_in: Option<String>,
    /// Somebody else is to sign in; who is signed in stays until then.
    pub(super) another: bool,
    /// Somebody else signed in, and nobody said yet that they are meant.
    pub(super) change: Option<AccountChange>,
    /// The words of the presence, or why there are none.
    pub(super) presence: Option<String>,
    pub(super) found: Vec<FoundLight>,
    /// What became of the last blink.
    pub(super) shown: Option<String>,
}

impl Setup {
    /// Nothing is known but what the draft says.
    pub(crate) fn new(draft: Draft, existing: Existing) -> Self {
        Self {
            draft,
            step: Step::Address,
            work: None,
            wrong: None,
            refused: None,
            wants_a_name: false,
            existing,
            port: None,
            invites: false,
            is_meant: false,
            invitation: None,
            signed_in: None,
            another: false,
            change: None,
            presence: None,
            found: Vec::new(),
            shown: None,
        }
    }

    /// The configuration as far as it is known.
    pub(crate) fn draft(&self) -> &Draft {
        &self.draft
    }

    /// Everything is written.
    pub(crate) fn is_done(&self) -> bool {
        self.step == Step::Done
    }

    /// What can be done before anything is answered.
    pub(crate) fn begin(&mut self) -> Vec<Order> {
        if self.draft.given.tenant { self.discover() } else { Vec::new() }
    }

    /// Somebody looks, by this port of localhost perhaps.
    pub(crate) fn seen(&mut self, port: Option<u16>) {
        self.port = port;
    }

    /// Takes an answer to this step. One to another step is of a page that was left open; one that comes
    /// while something is under way was sent twice.
    pub(crate) fn answer(&mut self, step: Step, answer: Answer) -> Vec<Order> {
        if step != self.step || self.step == Step::Done {
            return Vec::new();
        }
        match (self.step, &answer) {
            (_, Answer::Back) => return self.back(None),
            (Step::SignIn, Answer::AnotherApp) if !self.draft.given.client_id => {
                return self.back(Some(Step::App));
            }
            _ if self.work.is_some() => return Vec::new(),
            _ => {}
        }
        (self.wrong, self.refused, self.wants_a_name) = (None, None, false);
        self.take(&answer).unwrap_or_else(|why| {
            (self.wrong, self.refused) = (Some(why), Some(answer));
            Vec::new()
        })
    }

    fn take(&mut self, answer: &Answer) -> Result<Vec<Order>, String> {
        Ok(match (self.step, answer) {
            (Step::Address, Answer::Address(text)) => {
                self.draft.begin(address::read(text.trim()).map_err(str::to_owned)?);
                self.discover()
            }
            (Step::App, Answer::App(text)) => {
                self.draft.client_id = app::read(text.trim())?;
                self.enter(Step::Broker)
            }
            (Step::Broker, Answer::Broker { url, username, password }) => {
                let given = self.draft.given;
                let url = if given.url {
                    self.draft.broker.clone()
                } else {
                    broker::url(url.trim()).map_err(|error| error.to_string())?
                };
                let username = Some(username).filter(|name| !name.is_empty() && !given.username).cloned();
                let has_name = username.is_some() || given.username;
                // The page does not show a password again. What was typed for one broker is no other's
                // business.
                let is_same = (&url, &username) == (&self.draft.broker, &self.draft.username);
                if !has_name || !is_same || !password.expose_secret().is_empty() {
                    let is_typed = has_name && !given.password && !password.expose_secret().is_empty();
                    self.draft.password = is_typed.then(|| password.clone());
                }
                (self.draft.broker, self.draft.username) = (url, username);
                self.try_broker()
            }
            (Step::SignIn, Answer::SignIn(by)) => self.invite(*by),
            (Step::SignIn, Answer::Landed(address)) => {
                // Any website can have a browser ask for such an address.
                if !self.invitation.as_ref().is_some_and(|shown| shown.ends_on(address)) {
                    return Err(NOT_LANDED.to_owned());
                }
                self.work("Signing in", Order::SignIn(SignInOrder::Redeem(address.clone())))
            }
            (Step::SignIn, Answer::Another) => {
                self.another = self.signed_in.is_some();
                Vec::new()
            }
            (Step::SignIn, Answer::Change(is_meant)) if self.change.take().is_some() => {
                let words = if *is_meant { "Signing in" } else { "Keeping the sign-in" };
                self.work(words, Order::SignIn(SignInOrder::Change(*is_meant)))
            }
            // With nobody signed in the bridge asks for it later.
            (Step::SignIn, Answer::Continue) => match (&self.signed_in, &self.presence) {
                (Some(_), None) => {
                    self.is_meant = true;
                    self.work("Reading your presence", Order::ReadPresence)
                }
                _ => self.enter(Step::Write),
            },
            (Step::Write, Answer::Look) => self.enter(Step::Write),
            (Step::Write, Answer::Blink(place)) => {
                self.draft.light = Some(self.light(place)?);
                self.shown = None;
                self.work("Asking the light", Order::Show)
            }
            (Step::Write, Answer::Write { light, replace }) => {
                self.draft.light = if light.is_empty() { None } else { Some(self.light(light)?) };
                if !*replace && !self.replaced().is_empty() {
                    return Err("allow it to replace what is there, or move that away first".to_owned());
                }
                self.work("Writing", Order::Write)
            }
            // Of no form of this step.
            (_, _) => Vec::new(),
        })
    }

    /// Takes what came of the last order.
    pub(crate) fn outcome(&mut self, outcome: Outcome) -> Vec<Order> {
        if let Outcome::SignIn(event) = outcome {
            // Where what was refused was typed, there may be no field for it any more.
            self.refused = None;
            return if self.step == Step::SignIn { self.sign_in(event) } else { Vec::new() };
        }
        self.work = None;
        match outcome {
            Outcome::Discovered(Ok((tenant, cloud))) => {
                (self.draft.tenant, self.draft.cloud) = (tenant.to_string(), cloud);
                return self.enter(if self.draft.has_app() { Step::Broker } else { Step::App });
            }
            // Nobody is asked for what is found and lets the bridge in.
            Outcome::Usual(Some(place)) => {
                if let Ok(url) = broker::url(&place) {
                    self.draft.broker = url;
                    return self.try_broker();
                }
            }
            Outcome::Usual(None) => {}
            Outcome::Tried(Ok(())) => return self.enter(Step::SignIn),
            Outcome::Tried(Err(NoBroker { wants_a_name, why })) => {
                let has_name = self.draft.username.is_some() || self.draft.given.username;
                self.wants_a_name = wants_a_name;
                self.wrong = Some(match (wants_a_name, words::not_let_in(has_name)) {
                    (true, says) if has_name => format!("{says}: {why}"),
                    (true, says) => says.to_owned(),
                    (false, _) => why,
                });
            }
            Outcome::Presence(Ok(words)) => {
                self.presence = Some(words);
                let is_expected = self.signed_in.as_ref().is_some_and(|who| self.draft.expects(who));
                if self.step == Step::SignIn && (is_expected || self.is_meant) {
                    return self.enter(Step::Write);
                }
            }
            Outcome::Presence(Err(why)) => self.presence = Some(words::no_presence(&why)),
            Outcome::Lights(Ok(found)) => self.found = found,
            Outcome::Shown(Ok(says)) => self.shown = Some(says),
            Outcome::Written(Ok(())) => self.step = Step::Done,
            Outcome::Lights(Err(why)) => self.wrong = Some(words::no_lights(&why)),
            Outcome::Shown(Err(why)) => {
                self.shown = Some(format!("The light could not be told to blink: {why}"))
            }
            Outcome::Changed(existing) => {
                self.existing = existing;
                let file = &self.existing.file;
                self.wrong = Some(format!("what is at {file} changed meanwhile; nothing was written yet"));
            }
            Outcome::Discovered(Err(why)) | Outcome::Written(Err(why)) => {
                self.wrong = Some(why);
            }
            Outcome::SignIn(_) => {}
        }
        Vec::new()
    }

    fn sign_in(&mut self, event: SignInEvent) -> Vec<Order> {
        match event {
            SignInEvent::Account(account) => {
                self.work.take_if(|words| *words == LOOKING);
                self.signed_in = account.map(|account| account.username.to_string());
                let invites = std::mem::take(&mut self.invites) && self.signed_in.is_none();
                // A browser on the bridge's own machine comes back by itself; a code can be used on any
                // other.
                let by = self.port.map_or(SignInBy::DeviceCode, |_| SignInBy::Browser);
                return if invites { self.invite(by) } else { Vec::new() };
            }
            SignInEvent::Invited(_, shown) => (self.work, self.invitation) = (None, Some(shown)),
            // Whose sign-in is stored may be somebody's whom nobody here knows.
            SignInEvent::Another(_, change) => {
                (self.work, self.invitation, self.change) = (None, None, Some(change));
            }
            SignInEvent::NotTaken(_, why) => (self.work, self.wrong) = (None, Some(why.to_string())),
            SignInEvent::Ended(_, InvitationEnd::CodesBlocked(why)) => {
                let orders = self.invite(SignInBy::Browser);
                self.wrong = Some(format!("{why}; so sign in with a browser"));
                return orders;
            }
            SignInEvent::Ended(_, InvitationEnd::SignedIn) => {
                (self.invitation, self.change, self.another, self.wrong) = (None, None, false, None);
                return self.work("Reading your presence", Order::ReadPresence);
            }
            SignInEvent::Ended(_, end) => {
                (self.work, self.invitation, self.change) = (None, None, None);
                self.wrong = Some(match end {
                    InvitationEnd::NotChanged => {
                        self.another = false;
                        "the other account was not taken".to_owned()
                    }
                    InvitationEnd::AnotherAccount(_) => {
                        "another account is remembered; sign in again".to_owned()
                    }
                    InvitationEnd::CodesBlocked(why)
                    | InvitationEnd::Expired(why)
                    | InvitationEnd::Declined(why)
                    | InvitationEnd::Failed(why) => why.to_string(),
                    InvitationEnd::SignedIn => return Vec::new(),
                });
            }
            SignInEvent::CredentialsChanged
            | SignInEvent::SignedOut(_)
            | SignInEvent::CertificateEnds(_)
            | SignInEvent::NotStored(_) => {}
        }
        Vec::new()
    }

    /// What the disk would lose.
    pub(super) fn replaced(&self) -> Vec<String> {
        let Existing { file, sections, password } = &self.existing;
        let of_file = (!sections.is_empty()).then(|| format!("{file}, which has {}", sections.join(", ")));
        let password = password.clone().filter(|_| self.draft.password.is_some());
        of_file.into_iter().chain(password).collect()
    }

    fn light(&self, place: &str) -> Result<FoundLight, String> {
        let found = self.found.iter().find(|light| light.place() == place).cloned();
        let why = if place.is_empty() {
            "choose a light first"
        } else {
            "this light is not among those that were found"
        };
        found.ok_or_else(|| why.to_owned())
    }

    fn discover(&mut self) -> Vec<Order> {
        self.work("Looking for the tenant", Order::Discover)
    }

    fn try_broker(&mut self) -> Vec<Order> {
        self.work("Connecting to the broker", Order::TryBroker)
    }

    fn invite(&mut self, by: SignInBy) -> Vec<Order> {
        (self.draft.sign_in, self.invitation, self.change) = (by, None, None);
        let back_to = self.port.filter(|_| by == SignInBy::Browser);
        self.work(
            "Asking for a sign-in",
            Order::SignIn(SignInOrder::InviteAnybody(InvitationId::default(), by, back_to)),
        )
    }

    fn work(&mut self, words: &'static str, order: Order) -> Vec<Order> {
        self.work = Some(words);
        vec![order]
    }

    fn enter(&mut self, step: Step) -> Vec<Order> {
        self.step = step;
        match step {
            Step::Broker if self.draft.given.url || self.draft.broker != NO_BROKER => self.try_broker(),
            Step::Broker => self.work("Looking for a broker", Order::LookForBroker),
            Step::SignIn => {
                (self.invitation, self.signed_in, self.presence) = (None, None, None);
                (self.another, self.change) = (false, None);
                (self.invites, self.is_meant) = (true, false);
                // A page without work is not loaded again, and the invitation would not show there.
                self.work(LOOKING, Order::Attend)
            }
            Step::Write => {
                self.draft.account.clone_from(&self.signed_in);
                self.work("Looking for lights on the broker", Order::LookForLights)
            }
            Step::Address | Step::App | Step::Done => Vec::new(),
        }
    }

    /// Gives up what is under way, and goes back to this step; where none is named, to the one before if
    /// nothing was under way.
    fn back(&mut self, to: Option<Step>) -> Vec<Order> {
        (self.wrong, self.refused, self.shown) = (None, None, None);
        let before = match self.step {
            Step::Broker if !self.draft.given.client_id => Step::App,
            Step::App | Step::Broker => Step::Address,
            Step::SignIn => Step::Broker,
            Step::Write => Step::SignIn,
            Step::Address | Step::Done => self.step,
        };
        let was_under_way = [
            self.work.take().is_some(),
            self.invitation.take().is_some(),
            self.change.take().is_some(),
            std::mem::take(&mut self.another),
        ];
        self.step = to.unwrap_or(if was_under_way == [false; 4] { before } else { self.step });
        match self.step {
            Step::SignIn => {
                (self.presence, self.invites, self.work) = (None, false, Some(LOOKING));
                vec![Order::Rest, Order::Attend]
            }
            Step::Address | Step::App | Step::Broker | Step::Write | Step::Done => {
                vec![Order::Rest]
            }
        }
    }
}

#[cfg(test)]
mod tests;
