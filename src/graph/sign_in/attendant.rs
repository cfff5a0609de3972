//! The attendant task: invites a person to sign in when ordered, and notices when somebody did so elsewhere.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::answer::NotIssued;
use super::authority::Authority;
use super::delegated::DelegatedSignIn;
use super::device_code::{CodeEnd, PendingCode};
use crate::config::Certificate;
use crate::core::event::ReadFailure;
use crate::core::sign_in::{InvitationEnd, SignInEvent, SignInOrder, SignedIn};

/// How often the files that prove who the bridge is are looked at.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// What the attendant looks after.
#[derive(Debug)]
pub struct Attendant {
    /// Where people sign in.
    pub authority: Authority,
    /// The bare root of Graph.
    pub resource: String,
    /// The person's sign-in, where there is one.
    pub delegated: Option<DelegatedSignIn>,
    /// Files whose change may end a refusal: a secret, a certificate, the token store.
    pub watched: Vec<PathBuf>,
    /// The app's certificate, where it signs in with one.
    pub certificate: Option<Certificate>,
}

/// When a file was last written, and how long it is; nothing if it is not there.
type Mark = Option<(SystemTime, u64)>;

/// Obeys until the orders end.
///
/// At most one invitation is under way. When `events` is full the attendant waits; nothing waits for it.
pub async fn run(
    attendant: Attendant,
    mut orders: mpsc::Receiver<SignInOrder>,
    events: mpsc::Sender<SignInEvent>,
) {
    let mut marks = attendant.marks();
    let mut account = None;
    let mut look = tokio::time::interval(LOOK_EVERY);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut invitation = std::pin::pin!(None);
    loop {
        let mut happened = Vec::new();
        tokio::select! {
            order = orders.recv() => match order {
                Some(SignInOrder::Invite) => invitation.set(Some(attendant.invite(&events))),
                Some(SignInOrder::TakeBack) => invitation.set(None),
                None => return,
            },
            _ = look.tick() => {
                let seen = attendant.marks();
                if std::mem::replace(&mut marks, seen.clone()) != seen {
                    happened.push(SignInEvent::CredentialsChanged);
                    let ends = attendant.certificate.as_ref().map(|certificate| certificate.read().ok());
                    happened.extend(ends.map(|read| SignInEvent::CertificateEnds(read.map(|read| read.ends))));
                }
            }
            Some(end) = or_never(invitation.as_mut().as_pin_mut()) => {
                invitation.set(None);
                happened.push(SignInEvent::Ended(end));
            }
        }
        let now = attendant.account().await;
        if now != account {
            account.clone_from(&now);
            happened.push(SignInEvent::Account(now));
        }
        for event in happened {
            if events.send(event).await.is_err() {
                return;
            }
        }
    }
}

async fn or_never<F: Future>(future: Option<std::pin::Pin<&mut F>>) -> Option<F::Output> {
    match future {
        Some(future) => Some(future.await),
        None => std::future::pending().await,
    }
}

impl Attendant {
    fn marks(&self) -> Vec<Mark> {
        let mark = |path: &PathBuf| {
            let metadata = std::fs::metadata(path).ok()?;
            Some((metadata.modified().ok()?, metadata.len()))
        };
        self.watched.iter().map(mark).collect()
    }

    /// Who is signed in. A store that cannot be read now names nobody; the next read says why.
    async fn account(&self) -> Option<SignedIn> {
        self.delegated.as_ref()?.signed_in().await.ok()?
    }

    async fn invite(&self, events: &mpsc::Sender<SignInEvent>) -> InvitationEnd {
        let Some(delegated) = &self.delegated else {
            return InvitationEnd::Failed("this sign-in method needs no person".to_owned());
        };
        let scope = delegated.scope(&self.resource);
        let code = match PendingCode::ask(&self.authority, &delegated.client_id, &scope).await {
            Ok(code) => code,
            Err(reason) => return failed(reason),
        };
        // Nobody left to show it to: the run is over.
        if events.send(SignInEvent::Code(code.shown.clone())).await.is_err() {
            return InvitationEnd::Expired;
        }
        match code.wait(&self.authority).await {
            Ok(CodeEnd::SignedIn(issued)) => match delegated.welcome(&issued, false).await {
                Ok(_) => InvitationEnd::SignedIn,
                Err(reason) => reason.into_end(),
            },
            Ok(CodeEnd::Declined) => InvitationEnd::Declined,
            Ok(CodeEnd::Expired) => InvitationEnd::Expired,
            Err(reason) => failed(reason),
        }
    }
}

fn failed(reason: NotIssued) -> InvitationEnd {
    InvitationEnd::Failed(ReadFailure::from(reason).to_string())
}
