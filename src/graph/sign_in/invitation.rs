//! One invitation of a running bridge: what to show people, and how it ends.

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
use crate::core::model::sign_in::{
    InvitationEnd, InvitationId, LandingAddress, ShownInvitation, SignInEvent,
};
use crate::core::model::time::whole_seconds;
use crate::graph::caller::Caller;
use crate::graph::clock;

/// How long a link is valid. It costs the service nothing before it is followed, so it may wait until people
/// come to work.
const LINK_LIVES: Duration = Duration::from_secs(24 * 60 * 60);

/// How long a link is valid that a person asked for. It signs in any person who follows it.
const ASKED_LINK_LIVES: Duration = Duration::from_secs(15 * 60);

/// The port of `http://localhost` in the address if no port can be listened on; then the person pastes the
/// address.
const NO_PORT: u16 = 80;

/// A message of a person for the present invitation.
#[derive(Debug)]
pub(super) enum Said {
    /// The browser ended on this address.
    Landed(LandingAddress),
    /// Whether to follow the account that signed in instead of another one.
    Change(bool),
}

/// Which account may sign in.
#[derive(Debug, Clone, Copy)]
pub(super) enum Whom {
    /// The remembered account, or any if there is none: the bridge invited by itself.
    Remembered,
    /// Any account, because a person asked for the sign-in and confirms a change. The browser may return to
    /// this port of localhost.
    Anybody(Option<u16>),
}

/// The parameters of an invitation.
#[derive(Debug)]
pub(super) struct Invitation<'a> {
    pub(super) id: InvitationId,
    pub(super) authority: &'a Authority,
    /// The bare root of Graph.
    pub(super) resource: &'a str,
    pub(super) delegated: &'a DelegatedSignIn,
    pub(super) whom: Whom,
    /// Receives what to show, and errors about pasted addresses. If the channel is full the invitation waits;
    /// nothing waits for it.
    pub(super) events: &'a mpsc::Sender<SignInEvent>,
}

impl Invitation<'_> {
    /// Invites with a code, for any device.
    pub(super) async fn by_code(&self, mut said: mpsc::Receiver<Said>) -> InvitationEnd {
        if let Err(end) = self.prepare().await {
            return end;
        }
        let code = match PendingCode::ask(self.authority, &self.delegated.client_id, &self.scope()).await {
            Ok(code) => code,
            Err(reason) => return failed(reason),
        };
        if !self.tell(SignInEvent::Invited(self.id, code.shown.clone())).await {
            return over();
        }
        match code.wait(self.authority).await {
            Ok(CodeEnd::SignedIn(issued)) => self.welcome(&issued, &mut said).await,
            Ok(CodeEnd::Declined(advice)) => InvitationEnd::Declined(advice),
            Ok(CodeEnd::Expired(advice)) => InvitationEnd::Expired(advice),
            Err(reason) => failed(reason),
        }
    }

    /// Invites with a link. A browser on this machine returns by itself; for any other the person pastes the
    /// address.
    pub(super) async fn by_browser(&self, said: mpsc::Receiver<Said>) -> InvitationEnd {
        if let Err(end) = self.prepare().await {
            return end;
        }
        let (listener, port, lives) = match self.whom {
            // The page passes the address on.
            Whom::Anybody(Some(port)) => (None, port, ASKED_LINK_LIVES),
            Whom::Anybody(None) => {
                let (listener, port) = listen().await;
                (listener, port, ASKED_LINK_LIVES)
            }
            Whom::Remembered => {
                let (listener, port) = listen().await;
                (listener, port, LINK_LIVES)
            }
        };
        let pending = PendingBrowser::new(self.authority, &self.delegated.client_id, &self.scope(), port);
        let Ok(verification_uri) = pending.address.as_str().parse() else {
            return InvitationEnd::Failed(
                "the sign-in service is at no address that people may be sent to".into(),
            );
        };
        let shown = ShownInvitation {
            verification_uri,
            user_code: None,
            expires_at: whole_seconds(clock::wall() + lives),
        };
        if !self.tell(SignInEvent::Invited(self.id, shown)).await {
            return over();
        }
        let end = tokio::time::timeout(lives, self.followed(&pending, listener, said));
        end.await.unwrap_or_else(|_| InvitationEnd::Expired("the link was not used in time".into()))
    }

    /// Waits until the sign-in by the link has ended. A wrong pasted address changes nothing.
    async fn followed(
        &self,
        pending: &PendingBrowser,
        listener: Option<TcpListener>,
        mut said: mpsc::Receiver<Said>,
    ) -> InvitationEnd {
        loop {
            let code = tokio::select! {
                code = came_back(pending, listener.as_ref()) => code,
                Some(said) = said.recv() => match said {
                    Said::Landed(address) => pending.code_in(address.expose()),
                    Said::Change(_) => continue,
                },
            };
            let issued = match code {
                Ok(code) => pending.redeem(self.authority, &code).await,
                Err(NoCode::Refused(refusal)) => return failed(NotIssued::Refused(refusal)),
                Err(error @ NoCode::Listen(_)) => return InvitationEnd::Failed(chain(&error).into()),
                Err(error @ NoCode::NotOurs) => {
                    if !self.tell(SignInEvent::NotTaken(self.id, error.to_string().into())).await {
                        return over();
                    }
                    continue;
                }
            };
            match issued {
                Ok(issued) => return self.welcome(&issued, &mut said).await,
                Err(NotIssued::Passing { why, .. }) => {
                    let why = format!("{why}; open the link again").into();
                    if !self.tell(SignInEvent::NotTaken(self.id, why)).await {
                        return over();
                    }
                }
                Err(reason @ NotIssued::Refused(_)) => return failed(reason),
            }
        }
    }

    /// Checks first whether a sign-in could be stored, before a person makes the effort.
    async fn prepare(&self) -> Result<(), InvitationEnd> {
        match self.whom {
            // A sign-in that cannot be stored can be used from memory.
            Whom::Remembered => Ok(()),
            Whom::Anybody(_) => match self.delegated.prepare().await {
                Ok(_) => Ok(()),
                Err(error) => Err(InvitationEnd::Failed(chain(&error).into())),
            },
        }
    }

    async fn welcome(&self, issued: &Issued, said: &mut mpsc::Receiver<Said>) -> InvitationEnd {
        let kept = match self.whom {
            Whom::Remembered => self.delegated.welcome(issued).await,
            Whom::Anybody(_) => match self.is_meant(issued, said).await {
                Ok(true) => self.delegated.bind(issued).await.map(drop),
                Ok(false) => return InvitationEnd::NotChanged,
                Err(reason) => Err(reason),
            },
        };
        kept.map_or_else(NotKept::into_end, |()| InvitationEnd::SignedIn)
    }

    /// Whether to follow the account that signed in. If that is another one, a person has to confirm it.
    async fn is_meant(&self, issued: &Issued, said: &mut mpsc::Receiver<Said>) -> Result<bool, NotKept> {
        let Some(change) = self.delegated.change(issued).await? else { return Ok(true) };
        if !self.tell(SignInEvent::Another(self.id, change)).await {
            return Ok(false);
        }
        let decided = async {
            loop {
                match said.recv().await {
                    Some(Said::Change(is_meant)) => return is_meant,
                    Some(Said::Landed(_)) => {}
                    None => return false,
                }
            }
        };
        Ok(tokio::time::timeout(ASKED_LINK_LIVES, decided).await.unwrap_or(false))
    }

    fn scope(&self) -> String {
        self.delegated.scope(self.resource)
    }

    /// False if the receiver is gone, because the run is over.
    async fn tell(&self, event: SignInEvent) -> bool {
        self.events.send(event).await.is_ok()
    }
}

/// A loopback port for a browser on this machine.
async fn listen() -> (Option<TcpListener>, u16) {
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await;
    let listener = listener.inspect_err(|error| tracing::debug!(%error, "no loopback port")).ok();
    let port = listener.as_ref().and_then(|listener| listener.local_addr().ok());
    (listener, port.map_or(NO_PORT, |address| address.port()))
}

/// The address on which a browser of this machine ended.
async fn came_back(
    pending: &PendingBrowser,
    listener: Option<&TcpListener>,
) -> Result<secrecy::SecretString, NoCode> {
    match listener {
        Some(listener) => pending.listen(listener).await,
        None => std::future::pending().await,
    }
}

/// The receiver is gone.
fn over() -> InvitationEnd {
    InvitationEnd::Failed("the run is over".into())
}

fn failed(reason: NotIssued) -> InvitationEnd {
    let codes_blocked = matches!(&reason, NotIssued::Refused(refusal) if refusal.blocks_codes());
    let why = reason.failure(Caller::Person).to_string().into();
    if codes_blocked { InvitationEnd::CodesBlocked(why) } else { InvitationEnd::Failed(why) }
}
