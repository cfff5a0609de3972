//! A running bridge that invites to a browser sign-in, ended here or with the address that another machine
//! ended on.

use std::sync::Arc;

use presence2mqtt::core::model::account::AccountId;
use presence2mqtt::core::model::sign_in::{
    InvitationEnd, InvitationId, LandingAddress, ShownInvitation, SignInBy, SignInEvent, SignInOrder,
};
use presence2mqtt::graph::client::GraphClient;
use presence2mqtt::graph::sign_in::attendant::{self, Attendant};
use presence2mqtt::run::graph_client;
use presence2mqtt::simulate::{DeviceCodes, Endpoint, Fault, Scope, Times};
use serde_json::Value;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::login::landing;
use crate::sign_in::Home;
use crate::stage::{Running, within};

/// The only invitation.
const FIRST: InvitationId = InvitationId::new(1);

/// The attendant of a bridge, with a test in the place of the core.
struct Attended {
    home: Home,
    orders: mpsc::Sender<SignInOrder>,
    events: mpsc::Receiver<SignInEvent>,
    task: JoinHandle<()>,
}

impl Attended {
    async fn start() -> Self {
        let home = Home::new().await;
        home.stage.tenant.sign_in_browser_as(home.stage.tenant.people()[0].id);
        let client: Arc<GraphClient> = Arc::new(graph_client(&home.config(), AccountId::FIRST).unwrap());
        let attendant = Attendant {
            authority: client.authority().clone(),
            resource: client.resource().to_owned(),
            delegated: client.delegated().cloned(),
            watched: Vec::new(),
            certificate: None,
        };
        let (orders, ordered) = mpsc::channel(4);
        let (reporter, events) = mpsc::channel(16);
        let task = tokio::spawn(attendant::run(attendant, ordered, reporter));
        Self { home, orders, events, task }
    }

    async fn order(&self, order: SignInOrder) {
        within(self.orders.send(order)).await.unwrap();
    }

    async fn event(&mut self) -> SignInEvent {
        within(self.events.recv()).await.unwrap()
    }

    async fn invited(&mut self) -> ShownInvitation {
        self.order(SignInOrder::Invite(FIRST, SignInBy::Browser)).await;
        let event = self.event().await;
        let SignInEvent::Invited(FIRST, shown) = event else { panic!("{event:?}") };
        shown
    }

    async fn redeem(&self, address: &str) {
        self.order(SignInOrder::Redeem(LandingAddress::pasted(address))).await;
    }

    async fn end(self) {
        drop(self.orders);
        within(self.task).await.unwrap();
    }
}

#[tokio::test]
async fn a_pasted_address_ends_the_invitation_and_a_wrong_one_does_not() {
    let mut attended = Attended::start().await;
    let shown = attended.invited().await;
    assert_eq!((shown.user_code.as_ref(), shown.by()), (None, SignInBy::Browser));
    let landing = landing(shown.verification_uri.as_str()).await;

    for wrong in ["http://localhost/?code=of-a-stranger", "y"] {
        attended.redeem(wrong).await;
        let SignInEvent::NotTaken(FIRST, why) = attended.event().await else { panic!("{wrong}") };
        assert!(why.contains("copy all of it"), "{why}");
    }
    // The network fails: the address is still good.
    let tenant = attended.home.stage.tenant.clone();
    tenant.fault(Fault::status(503), Scope::Endpoint(Endpoint::Token), Times::Next(1));
    attended.redeem(&landing).await;
    let SignInEvent::NotTaken(FIRST, why) = attended.event().await else { panic!("taken") };
    assert!(why.contains("503"), "{why}");

    attended.redeem(&landing).await;
    assert_eq!(attended.event().await, SignInEvent::Ended(FIRST, InvitationEnd::SignedIn));
    let SignInEvent::Account(Some(alice)) = attended.event().await else { panic!("nobody") };
    assert_eq!(alice.username, "alice@contoso.example");
    assert_eq!(tenant.requests().to(Endpoint::DeviceCode), 0);

    // Nothing waits for it any more.
    attended.redeem(&landing).await;
    assert!(matches!(attended.event().await, SignInEvent::NotTaken(..)));
    attended.end().await;
}

#[tokio::test]
async fn an_address_with_a_refusal_ends_the_invitation_with_its_number() {
    let mut attended = Attended::start().await;
    attended.home.stage.tenant.switch(|switches| switches.people_refused = Some(90_094));
    let shown = attended.invited().await;
    attended.redeem(&landing(shown.verification_uri.as_str()).await).await;
    let SignInEvent::Ended(FIRST, InvitationEnd::Failed(why)) = attended.event().await else {
        panic!("no refusal")
    };
    assert!(why.contains("administrator") && why.contains("AADSTS90094"), "{why}");
    attended.end().await;
}

#[tokio::test]
async fn each_invitation_has_a_link_of_its_own_and_one_that_was_taken_back_takes_nothing() {
    let mut attended = Attended::start().await;
    let first = attended.invited().await;
    let landing = landing(first.verification_uri.as_str()).await;
    attended.order(SignInOrder::TakeBack).await;
    let second = attended.invited().await;
    assert_ne!(first.verification_uri, second.verification_uri);
    attended.redeem(&landing).await;
    assert!(matches!(attended.event().await, SignInEvent::NotTaken(..)));
    attended.end().await;
}

#[tokio::test]
async fn a_bridge_with_the_method_browser_shows_a_link_and_goes_on_when_a_browser_here_followed_it() {
    let home = Home::new().await;
    std::fs::write(home.file(), home.text() + "method = \"browser\"\n").unwrap();
    let alice = home.stage.tenant.people()[0].id;
    home.stage.tenant.sign_in_browser_as(alice);
    home.stage.tenant.set_presence(alice, "Busy", "Busy");
    let config = home.config();
    let bridge = Running::start(&config);
    let mut listener = home.stage.listen(&config).await;
    let shown = listener.until_topic("presence/bridge/sign_in", |shown| !shown.is_empty()).await;
    let shown: Value = serde_json::from_str(&shown).unwrap();
    assert_eq!(shown["user_code"], Value::Null, "{shown}");
    assert!(shown["expires_at"].as_str().unwrap().ends_with('Z'), "{shown}");
    let browser = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
    let page = within(browser.get(shown["verification_uri"].as_str().unwrap()).send()).await.unwrap();
    assert!(page.text().await.unwrap().contains("You are signed in"));
    listener
        .until(&[
            ("presence/me/health", "ok"),
            ("presence/me/availability", "Busy"),
            ("presence/bridge/sign_in", ""),
        ])
        .await;
    assert_eq!(home.stage.tenant.requests().to(Endpoint::DeviceCode), 0);
    bridge.stop().await;
}

#[tokio::test]
async fn where_codes_are_blocked_a_bridge_makes_one_and_then_shows_a_link() {
    for word in ["access_denied", "authorization_pending"] {
        let home = Home::new().await;
        let blocked = DeviceCodes::Blocked(530_035, word);
        home.stage.tenant.switch(|switches| switches.device_codes = blocked);
        let alice = home.stage.tenant.people()[0].id;
        home.stage.tenant.sign_in_browser_as(alice);
        let config = home.config();
        let bridge = Running::start(&config);
        let mut listener = home.stage.listen(&config).await;
        let is_link = |shown: &str| shown.contains(r#""user_code":null"#);
        let shown = listener.until_topic("presence/bridge/sign_in", is_link).await;
        let said = |health: &str| health.contains("AADSTS530035") && health.contains("login --browser");
        listener.until_topic("presence/bridge/health", said).await;
        assert_eq!(home.stage.tenant.requests().to(Endpoint::DeviceCode), 1, "{word}");
        let shown: Value = serde_json::from_str(&shown).unwrap();
        let browser = reqwest::Client::builder().tls_certs_only([]).build().unwrap();
        within(browser.get(shown["verification_uri"].as_str().unwrap()).send()).await.unwrap();
        listener.until(&[("presence/me/health", "ok"), ("presence/bridge/sign_in", "")]).await;
        assert_eq!(home.stage.tenant.requests().to(Endpoint::DeviceCode), 1, "{word}");
        bridge.stop().await;
    }
}
