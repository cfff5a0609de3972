//! What is subscribed to on the connection there is.

use super::Broker;
use super::by_name::FILTERS;
use super::read_back;
use crate::core::context::Context;
use crate::core::model::effect::{BrokerOrder, Subscription};

impl Broker {
    /// Subscribes to more on the connection there is, if there is one.
    pub(in crate::core) fn subscribe(&mut self, filters: Vec<String>, cx: &mut Context) {
        if self.link.is_open() && !filters.is_empty() {
            for _ in filters.chunks(FILTERS) {
                self.link.also_subscribes(cx.now);
            }
            self.ask(read_back::at_least_once(filters), cx);
        }
    }

    /// Listens to commands where they are taken now, as they were if it `listened`.
    pub(in crate::core) fn commands_configured(&mut self, listened: bool, cx: &mut Context) {
        match (listened, cx.settings.commands.is_some()) {
            (false, true) => self.subscribe(cx.topics.commands().into(), cx),
            (true, false) => self.unsubscribe(cx.topics.commands().into(), cx),
            (true, true) | (false, false) => {}
        }
    }

    /// Takes subscriptions back, and what was said of them.
    pub(in crate::core) fn unsubscribe(&mut self, filters: Vec<String>, cx: &mut Context) {
        filters.iter().for_each(|filter| self.refusals.forget_filter(filter));
        if self.link.is_open() && !filters.is_empty() {
            cx.ask_broker(BrokerOrder::Unsubscribe(filters));
        }
    }

    /// Subscribes, a few filters at a time: some brokers close the connection at more.
    pub(super) fn ask(&mut self, subscriptions: Vec<Subscription>, cx: &mut Context) {
        for some in subscriptions.chunks(FILTERS) {
            self.asked.push_back(some.to_vec());
            cx.ask_broker(BrokerOrder::Subscribe(some.to_vec()));
        }
    }
}
