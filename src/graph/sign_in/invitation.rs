//! One invitation of a running bridge, from what people are shown to how it ends.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::mpsc;

use super::answer::{Issued, NotIssued};
use super::authority::Authority;
use super::browser::{NoCode, PendingBrowser};
use super::delegated::{DelegatedSignIn, NotKept};
use super::device_code::{CodeEnd, PendingCode};
use crate::chain::chain;
use crate::core::model::sign_in::{InvitationEnd, LandingAddress, ShownInvitation, SignInEvent};
use crate::core::model::time::whole_seconds;
use crate::graph::caller::Caller;
use crate::graph::clock;

/// A link asks nothing of the service until it is followed, so it may stand until people come to work.
const LINK_LIVES: Duration = Duration::from_secs(24 * 60 * 60);

/// The port of `http://localhost` where none can be listened on: the address is pasted then.
const NO_PORT: u16 = 80;

/// Who is invited, and where to.
#[derive(Debug)]
pub(super) struct Invitation<'a> {
    pub(super) authority: &'a Authority,
    /// The bare root of Graph.
    pub(super) resource: &'a str,
    pub(super) delegated: &'a DelegatedSignIn,
    /// Told what to show, and what was pasted in vain. When it is full the invitation waits; nothing waits for it.
    pub(super) events: &'a mpsc::Sender<SignInEvent>,
}

impl Invitation<'_> {
    /// With a code, for whatever device.
    pub(super) async fn by_code(&self) -> InvitationEnd {
        let code = match PendingCode::ask(self.authority, &self.delegated.client_id, &self.scope()).await {
            Ok(code) => code,
            Err(reason) => return failed(reason),
        };
        if !self.tell(SignInEvent::Invited(code.shown.clone())).await {
            return over();
        }
        match code.wait(self.authority).await {
            Ok(CodeEnd::SignedIn(issued)) => self.welcome(&issued).await,
            Ok(CodeEnd::Declined(advice)) => InvitationEnd::Declined(advice),
            Ok(CodeEnd::Expired(advice)) => InvitationEnd::Expired(advice),
            Err(reason) => failed(reason),
        }
    }

    /// With a link. A browser on this machine comes back by itself; the address that any other ends on is pasted.
    pub(super) async fn by_browser(&self, addresses: mpsc::Receiver<LandingAddress>) -> InvitationEnd {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
        let listener = listener.inspect_err(|error| tracing::debug!(%error, "no loopback port")).ok();
        let port = listener.as_ref().and_then(|listener| listener.local_addr().ok());
        let port = port.map_or(NO_PORT, |address| address.port());
        let pending = PendingBrowser::new(self.authority, &self.delegated.client_id, &self.scope(), port);
        let Ok(verification_uri) = pending.address.as_str().parse() else {
            return InvitationEnd::Failed(
                "the sign-in service is at no address that people may be sent to".into(),
            );
        };
        let shown = ShownInvitation {
            verification_uri,
            user_code: None,
            expires_at: whole_seconds(clock::wall() + LINK_LIVES),
        };
        if !self.tell(SignInEvent::Invited(shown)).await {
            return over();
        }
        let end = tokio::time::timeout(LINK_LIVES, self.followed(&pending, listener, addresses));
        end.await.unwrap_or_else(|_| InvitationEnd::Expired("nobody followed the link in time".into()))
    }

    /// Waits until the link was followed to an end. What is pasted in vain costs nothing.
    async fn followed(
        &self,
        pending: &PendingBrowser,
        listener: Option<TcpListener>,
        mut addresses: mpsc::Receiver<LandingAddress>,
    ) -> InvitationEnd {
        loop {
            let code = tokio::select! {
                code = came_back(pending, listener.as_ref()) => code,
                Some(address) = addresses.recv() => pending.code_in(address.expose()),
            };
            let issued = match code {
                Ok(code) => pending.redeem(self.authority, &code).await,
                Err(NoCode::Refused(refusal)) => return failed(NotIssued::Refused(refusal)),
                Err(error @ NoCode::Listen(_)) => return InvitationEnd::Failed(chain(&error).into()),
                Err(error @ NoCode::NotOurs) => {
                    if !self.tell(SignInEvent::NotTaken(error.to_string().into())).await {
                        return over();
                    }
                    continue;
                }
            };
            match issued {
                Ok(issued) => return self.welcome(&issued).await,
                Err(NotIssued::Passing { why, .. }) => {
                    let why = format!("{why}; open the link again").into();
                    if !self.tell(SignInEvent::NotTaken(why)).await {
                        return over();
                    }
                }
                Err(reason @ NotIssued::Refused(_)) => return failed(reason),
            }
        }
    }

    async fn welcome(&self, issued: &Issued) -> InvitationEnd {
        self.delegated.welcome(issued).await.map_or_else(NotKept::into_end, |()| InvitationEnd::SignedIn)
    }

    fn scope(&self) -> String {
        self.delegated.scope(self.resource)
    }

    /// False if nobody is left to be told: the run is over.
    async fn tell(&self, event: SignInEvent) -> bool {
        self.events.send(event).await.is_ok()
    }
}

/// What a browser on this machine brings back.
async fn came_back(
    pending: &PendingBrowser,
    listener: Option<&TcpListener>,
) -> Result<secrecy::SecretString, NoCode> {
    match listener {
        Some(listener) => pending.listen(listener).await,
        None => std::future::pending().await,
    }
}

/// Nobody is left to be told.
fn over() -> InvitationEnd {
    InvitationEnd::Failed("the run is over".into())
}

fn failed(reason: NotIssued) -> InvitationEnd {
    let codes_blocked = matches!(&reason, NotIssued::Refused(refusal) if refusal.blocks_codes());
    let why = reason.failure(Caller::Person).to_string().into();
    if codes_blocked { InvitationEnd::CodesBlocked(why) } else { InvitationEnd::Failed(why) }
}
