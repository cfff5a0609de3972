//! The attendant task: invites a person to sign in when the core orders it, and notices a sign-in that
//! happened elsewhere.

use std::path::PathBuf;
use std::time::{Duration, SystemTime};

use tokio::sync::mpsc;
use tokio::time::MissedTickBehavior;

use super::authority::Authority;
use super::delegated::DelegatedSignIn;
use super::invitation::{Invitation, Said, Whom};
use crate::chain::chain;
use crate::config::Certificate;
use crate::core::model::foreign::Legible;
use crate::core::model::sign_in::{
    InvitationEnd, InvitationId, SignInBy, SignInEvent, SignInOrder, SignedIn,
};

/// How often to check whether the credential files have changed.
const LOOK_EVERY: Duration = Duration::from_secs(3);

/// How often to try again to store a sign-in that could not be stored.
const STORE_AGAIN_EVERY: Duration = Duration::from_secs(60);

/// Messages of people that wait while an address is exchanged for tokens. Further people are asked to try
/// again.
const SAID: usize = 1;

/// The configuration of the attendant.
#[derive(Debug)]
pub struct Attendant {
    /// Where people sign in.
    pub authority: Authority,
    /// The bare root of Graph.
    pub resource: String,
    /// The stored sign-in, if a person signs in.
    pub delegated: Option<DelegatedSignIn>,
    /// The files whose change may end a refusal: a secret, a certificate, the token store.
    pub watched: Vec<PathBuf>,
    /// The app's certificate, if it signs in with one.
    pub certificate: Option<Certificate>,
}

/// When a file was last written, and its length; `None` if there is no file.
type Mark = Option<(SystemTime, u64)>;

/// Carries out orders until their channel closes.
///
/// At most one invitation is under way. If `events` is full the attendant waits; nothing waits for it.
pub async fn run(
    attendant: Attendant,
    mut orders: mpsc::Receiver<SignInOrder>,
    events: mpsc::Sender<SignInEvent>,
) {
    let mut marks = attendant.marks();
    let (mut account, mut not_stored) = (None, None);
    let [mut look, mut store_again] = [LOOK_EVERY, STORE_AGAIN_EVERY].map(tokio::time::interval);
    look.set_missed_tick_behavior(MissedTickBehavior::Delay);
    store_again.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut invitation = std::pin::pin!(None);
    let mut hears = mpsc::channel(SAID).0;
    let mut begun = InvitationId::default();
    loop {
        let mut happened = Vec::new();
        tokio::select! {
            order = orders.recv() => match order {
                Some(SignInOrder::Invite(id, by)) => {
                    let (to, said) = mpsc::channel(SAID);
                    (hears, begun) = (to, id);
                    invitation.set(Some(attendant.invite((id, by), Whom::Remembered, &events, said)));
                }
                Some(SignInOrder::InviteAnybody(id, by, back_to)) => {
                    let (to, said) = mpsc::channel(SAID);
                    (hears, begun) = (to, id);
                    invitation.set(Some(attendant.invite((id, by), Whom::Anybody(back_to), &events, said)));
                }
                Some(SignInOrder::Redeem(address)) => {
                    happened.extend(hand_on(&hears, begun, Said::Landed(address)));
                }
                Some(SignInOrder::Change(is_meant)) => {
                    happened.extend(hand_on(&hears, begun, Said::Change(is_meant)));
                }
                Some(SignInOrder::SignOut) => {
                    invitation.set(None);
                    happened.push(SignInEvent::SignedOut(attendant.sign_out().await));
                }
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
            _ = store_again.tick(), if not_stored.is_some() => {
                if let Some(delegated) = &attendant.delegated {
                    delegated.store_again().await;
                }
            }
            Some(end) = or_never(invitation.as_mut().as_pin_mut()) => {
                invitation.set(None);
                happened.push(SignInEvent::Ended(begun, end));
            }
        }
        let now = attendant.account(account.as_ref());
        if now != account {
            account.clone_from(&now);
            happened.push(SignInEvent::Account(now));
        }
        let now = attendant.delegated.as_ref().and_then(DelegatedSignIn::not_stored);
        if now != not_stored {
            not_stored.clone_from(&now);
            happened.push(SignInEvent::NotStored(now));
        }
        for event in happened {
            if events.send(event).await.is_err() {
                return;
            }
        }
    }
}

/// Passes a person's message to the present invitation, or answers that there is none.
fn hand_on(hears: &mpsc::Sender<Said>, begun: InvitationId, said: Said) -> Option<SignInEvent> {
    let why = "this sign-in is busy; try again in a moment";
    hears.try_send(said).is_err().then(|| SignInEvent::NotTaken(begun, why.into()))
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

    /// Reports immediately who is signed in, because Home Assistant has no controls for setting presence
    /// before that. An unreadable store does not mean that the person signed out; the next read of presence
    /// gives the reason.
    fn account(&self, before: Option<&SignedIn>) -> Option<SignedIn> {
        self.delegated.as_ref()?.signed_in().unwrap_or_else(|_| before.cloned())
    }

    async fn sign_out(&self) -> Result<(), Legible> {
        match &self.delegated {
            Some(delegated) => delegated.forget().await.map_err(|error| chain(&error).into()),
            None => Ok(()),
        }
    }

    async fn invite(
        &self,
        (id, by): (InvitationId, SignInBy),
        whom: Whom,
        events: &mpsc::Sender<SignInEvent>,
        said: mpsc::Receiver<Said>,
    ) -> InvitationEnd {
        let Some(delegated) = &self.delegated else {
            return InvitationEnd::Failed("this sign-in method needs no person".into());
        };
        let Self { authority, resource, .. } = self;
        let invitation = Invitation { id, authority, resource, delegated, whom, events };
        match by {
            SignInBy::DeviceCode => invitation.by_code(said).await,
            SignInBy::Browser => invitation.by_browser(said).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use jiff::Timestamp;

    use super::*;
    use crate::core::model::name::UserId;
    use crate::graph::sign_in::scopes::Scopes;
    use crate::graph::sign_in::store::{Account, StoredSignIn, TokenStore};

    fn sign_in(username: &str) -> StoredSignIn {
        StoredSignIn {
            account: Account {
                tenant_id: "contoso".into(),
                object_id: "66825e03-7ef5-42da-9069-724602c31f6b".parse().unwrap(),
                username: username.into(),
            },
            client_id: "an-app".to_owned(),
            scopes: "Presence.Read Presence.ReadWrite".to_owned(),
            refresh_token: "refresh".to_owned().into(),
            access_token: "access".to_owned().into(),
            access_issued: Timestamp::UNIX_EPOCH,
            access_ends: Timestamp::UNIX_EPOCH,
        }
    }

    #[tokio::test]
    async fn who_is_signed_in_is_told_while_the_store_is_in_use_and_stays_while_it_is_damaged() {
        let folder = tempfile::tempdir().unwrap();
        let store = TokenStore::new(folder.path().join("state"));
        // As during the renewal of a token.
        let in_use = store.lock().await.unwrap();
        in_use.replace(&sign_in("alice@contoso.example")).unwrap();
        let scopes = Arc::new(Scopes::of([&UserId::Me], false, true));
        let tenant = "contoso.example".parse().unwrap();
        let delegated = DelegatedSignIn::new(store.clone(), tenant, "an-app".to_owned(), scopes);
        let attendant = Attendant {
            authority: Authority::unasked(&"http://127.0.0.1".parse().unwrap(), "contoso"),
            resource: "https://graph.microsoft.com".to_owned(),
            delegated: Some(delegated),
            watched: Vec::new(),
            certificate: None,
        };
        let (order, orders) = mpsc::channel(1);
        let (events, mut happened) = mpsc::channel(8);
        let task = tokio::spawn(run(attendant, orders, events));
        let Some(SignInEvent::Account(Some(alice))) = happened.recv().await else { panic!() };
        assert_eq!((alice.username.as_str(), alice.may_write), ("alice@contoso.example", true));

        std::fs::write(store.file(), "damaged").unwrap();
        // The channel has room for the third message once the first is processed.
        for _ in 0..3 {
            order.send(SignInOrder::TakeBack).await.unwrap();
        }
        in_use.replace(&sign_in("bob@contoso.example")).unwrap();
        let Some(SignInEvent::Account(Some(bob))) = happened.recv().await else { panic!() };
        assert_eq!(bob.username, "bob@contoso.example");
        drop(order);
        task.await.unwrap();
    }
}
