//! What the bridge publishes about itself: `<bridge>/info` and `<bridge>/health`, and of each of several
//! accounts its own health.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::time::Duration;

use jiff::Timestamp;

use super::broker::outbox::Outbox;
use super::context::Context;
use super::model::event::Incoming;
use super::model::health::GraphState;
use super::model::heard::Heard;
use super::model::mqtt::Protocol;
use super::model::name::TopicLevel;
use super::model::payload::{
    AccountHealth, AccountInfo, HealthPayload, InOrder, Info, RememberedInfo, StandbyInfo, json,
};
use super::model::report::Report;
use super::model::settings::Settings;
use super::model::time::{Now, Tick, whole_seconds};
use super::model::topic::BridgeField;

/// `last_success` alone moves `<bridge>/health` at most this often.
const LAST_SUCCESS_EVERY: Duration = Duration::from_secs(300);

/// What is to be said of the health of everything.
#[derive(Debug)]
pub(super) struct HealthWords {
    /// Of each account, in the order configured, with what is to be noticed of it alone.
    pub accounts: Vec<(Option<TopicLevel>, AccountHealthWords)>,
    /// Of everything.
    pub notices: Vec<String>,
}

/// How Graph is doing by one account.
#[derive(Debug)]
pub(super) struct AccountHealthWords {
    pub graph: GraphState,
    pub detail: Option<String>,
    pub notices: Vec<String>,
    pub since: Timestamp,
    pub last_success: Option<Timestamp>,
    /// It may be said now that this moved. Of several accounts each says so when it moves, whatever the
    /// others live through.
    pub may_move: bool,
}

/// What a topic of health says, but for the times in it.
#[derive(Debug, PartialEq, Eq)]
struct Said {
    graph: GraphState,
    detail: Option<String>,
    accounts: Vec<(TopicLevel, GraphState, Option<String>)>,
    notices: Vec<String>,
}

/// What was last published on a topic of health, and when.
#[derive(Debug, Default)]
struct LastPublished {
    said: Option<Said>,
    last_success: Option<Timestamp>,
    at: Tick,
}

/// What the bridge has published about itself.
#[derive(Debug)]
pub(super) struct BridgeHealth {
    started_at: Timestamp,
    /// Why the configuration could not be read again.
    reload_trouble: Option<String>,
    last: LastPublished,
    accounts: BTreeMap<TopicLevel, LastPublished>,
}

impl BridgeHealth {
    pub(super) fn new(now: Now) -> Self {
        Self {
            started_at: whole_seconds(now.wall),
            reload_trouble: None,
            last: LastPublished { at: now.tick, ..LastPublished::default() },
            accounts: BTreeMap::new(),
        }
    }

    /// Of this process, or since the last change of broker.
    pub(super) fn started_at(&self) -> Timestamp {
        self.started_at
    }

    /// The configuration was read again.
    pub(super) fn reloaded(&mut self) {
        self.reload_trouble = None;
    }

    /// The configuration could not be read again.
    pub(super) fn not_reloaded(&mut self, why: String, cx: &mut Context) {
        cx.report(Report::NotConfigured(why.clone()));
        self.reload_trouble = Some(why);
    }

    /// That the configuration could not be read again.
    pub(super) fn notice(&self) -> Option<String> {
        self.reload_trouble.as_ref().map(|why| format!("configuration not reloaded because {why}"))
    }

    /// Queues what is news of `<bridge>/health`, and of that of each account.
    pub(super) fn publish_news(&mut self, words: HealthWords, outbox: &mut Outbox, cx: &Context) {
        let HealthWords { mut accounts, notices } = words;
        if let [(None, _)] = &accounts[..]
            && let Some((_, only)) = accounts.pop()
        {
            let only = AccountHealthWords { notices, ..only };
            return self.last.publish_news(
                only,
                Vec::new(),
                || cx.topics.of_bridge(BridgeField::Health),
                outbox,
                cx,
            );
        }
        let overall = overall(&accounts, notices);
        let each = accounts
            .iter()
            .filter_map(|(name, words)| Some((name.clone()?, words.graph, words.detail.clone())));
        let each = each.collect();
        for (name, words) in accounts {
            let Some(name) = name else { continue };
            let topic = cx.topics.of_account(Some(&name), BridgeField::Health);
            let last = self.accounts.entry(name).or_default();
            last.publish_news(words, Vec::new(), || topic, outbox, cx);
        }
        self.last.publish_news(overall, each, || cx.topics.of_bridge(BridgeField::Health), outbox, cx);
    }

    /// All of it is news from now on.
    pub(super) fn forget_published(&mut self) {
        self.last.said = None;
        self.accounts.values_mut().for_each(|last| last.said = None);
    }

    /// These accounts are not configured any more.
    pub(super) fn accounts_go(&mut self, names: &[TopicLevel], outbox: &mut Outbox, cx: &Context) {
        for name in names {
            self.accounts.remove(name);
            remove_account(name, outbox, cx);
        }
    }

    /// What `<bridge>/info` holds. `signed_in` is who is signed in to each account.
    pub(super) fn info<'a>(
        &self,
        mut signed_in: impl Iterator<Item = Option<&'a str>>,
        users: usize,
        achieved_interval: Duration,
        (protocol, standby): (Protocol, Option<StandbyInfo<'a>>),
        settings: &Settings,
    ) -> String {
        let only = settings.accounts.first().filter(|_| settings.is_single());
        let account = only.and_then(|_| signed_in.next().flatten());
        let accounts = only.is_none().then(|| {
            let each = settings.accounts.iter().zip(signed_in).filter_map(|(settings, account)| {
                let (cloud, auth_method) = (settings.app.cloud, settings.auth_method);
                Some((settings.name.as_ref()?, AccountInfo { cloud, auth_method, account }))
            });
            InOrder(each.collect())
        });
        json(&Info {
            version: settings.version,
            started_at: self.started_at,
            bridge: &settings.mqtt.client_id,
            cloud: only.map(|only| only.app.cloud),
            auth_method: only.map(|only| only.auth_method),
            account,
            accounts,
            users,
            poll_interval: settings.longest_interval(),
            achieved_interval,
            protocol: protocol.as_str(),
            discovery_prefix: settings.discovery.as_ref().map(|discovery| discovery.prefix.as_str()),
            standby,
        })
    }
}

impl LastPublished {
    /// Queues it, if it is news.
    fn publish_news(
        &mut self,
        words: AccountHealthWords,
        accounts: Vec<(TopicLevel, GraphState, Option<String>)>,
        topic: impl FnOnce() -> String,
        outbox: &mut Outbox,
        cx: &Context,
    ) {
        let AccountHealthWords { graph, detail, notices, since, last_success, may_move } = words;
        let said = Said { graph, detail, accounts, notices };
        let moved = may_move && last_success != self.last_success && cx.now >= self.at + LAST_SUCCESS_EVERY;
        if !moved && self.said.as_ref() == Some(&said) {
            return;
        }
        let each = said.accounts.iter().map(|(name, graph, detail)| {
            (name, AccountHealth { graph: graph.as_str(), detail: detail.as_deref() })
        });
        let health = json(&HealthPayload {
            graph: said.graph.as_str(),
            since,
            last_success,
            detail: said.detail.as_deref(),
            accounts: (!said.accounts.is_empty()).then(|| InOrder(each.collect())),
            notices: &said.notices,
        });
        outbox.own(topic(), health);
        *self = Self { said: Some(said), last_success, at: cx.now };
    }
}

/// How several accounts are doing together: as the one that is worst off, of several the first, which is
/// named.
fn overall(
    accounts: &[(Option<TopicLevel>, AccountHealthWords)],
    notices: Vec<String>,
) -> AccountHealthWords {
    let worst = accounts.iter().min_by_key(|(_, words)| Reverse(words.graph.badness()));
    let name = worst.and_then(|(name, _)| name.as_ref());
    let detail = worst.and_then(|(_, words)| words.detail.as_ref());
    AccountHealthWords {
        graph: worst.map_or(GraphState::Starting, |(_, words)| words.graph),
        detail: name.zip(detail).map(|(name, detail)| format!("account {name}: {detail}")),
        notices,
        since: worst.map_or_else(Timestamp::default, |(_, words)| words.since),
        last_success: accounts.iter().filter_map(|(_, words)| words.last_success).max(),
        may_move: true,
    }
}

/// The `info` of an earlier run says which accounts it had: takes back what it said of those that are not
/// configured any more, and a code that is not announced any more.
pub(super) fn found(heard: &Heard, message: &Incoming, outbox: &mut Outbox, cx: &Context) {
    let Heard::Own(BridgeField::Info) = heard else { return };
    let info: Option<RememberedInfo> = serde_json::from_slice(&message.payload).ok();
    let Some(info) = info.filter(|info| cx.is_own(&info.bridge)) else { return };
    for name in info.accounts.keys().filter_map(|name| name.parse::<TopicLevel>().ok()) {
        let known = cx.settings.accounts.iter().find(|account| account.name.as_ref() == Some(&name));
        match known {
            None => remove_account(&name, outbox, cx),
            Some(known) if !known.sign_in.announce => {
                outbox.remove(cx.topics.of_account(Some(&name), BridgeField::SignIn));
            }
            Some(_) => {}
        }
    }
}

fn remove_account(name: &TopicLevel, outbox: &mut Outbox, cx: &Context) {
    for field in BridgeField::OF_ACCOUNT {
        outbox.remove(cx.topics.of_account(Some(name), field));
    }
}
