//! Turns the written configuration into the checked one.
//!
//! Each part reports all its mistakes, and returns a value only if it found none. So all mistakes are
//! reported together.

mod accounts;
mod auth;
mod graph;
mod groups;
mod http;
mod light_also;
mod lights;
mod mqtt;
mod refusals;
mod users;

use std::net::SocketAddr;

pub(super) use refusals::Refusals;

use super::document::Document;
use super::environment::Environment;
use super::error::ConfigErrors;
use super::files::Places;
use super::known::{Commands, Config, HomeAssistant, Http, Mqtt};
use super::written::{self, Written};
use crate::core::model::settings::Discovery;

/// Checks everything and reports everything that is wrong.
pub(super) fn check(
    written: &Written,
    document: &Document<'_>,
    environment: &Environment,
) -> Result<Config, ConfigErrors> {
    let places = Places::new(document.origin(), environment);
    let mut refusals = Refusals::new(document, &places);
    let mqtt = mqtt::check(&written.mqtt, environment, &mut refusals);
    let mut known = accounts::names(written, &mut refusals);
    let accounts = known.check(environment, &mut refusals);
    let groups = groups::check(written, &mut known, &mut refusals);
    let users = users::check(written, &mut known, &mut refusals);
    let home_assistant = home_assistant(&written.home_assistant, &mut refusals);
    let lights = lights::check(written, &users, &mut refusals);
    let http = http::check(&written.http, &mut refusals);
    let response_topic = written.commands.response_topic.as_deref();
    let response_topic = response_topic.and_then(|topic| refusals.topic("commands.response_topic", topic));
    let config = (|| {
        Some(Config {
            origin: document.origin().clone(),
            mqtt: mqtt?,
            graph: graph::common(&written.graph),
            accounts: accounts?,
            users: users.into(),
            groups,
            lights,
            home_assistant: home_assistant?,
            commands: Commands { enabled: written.commands.enabled, response_topic },
            http,
        })
    })();
    refusals.finish(config)
}

/// Checks `[mqtt]` and nothing else.
pub(super) fn check_mqtt(
    written: &written::Mqtt,
    document: &Document<'_>,
    environment: &Environment,
) -> Result<Mqtt, ConfigErrors> {
    let places = Places::new(document.origin(), environment);
    let mut refusals = Refusals::new(document, &places);
    let mqtt = mqtt::check(written, environment, &mut refusals);
    refusals.finish(mqtt)
}

/// Checks `[http]` and nothing else.
pub(super) fn check_http(
    written: &written::Http,
    document: &Document<'_>,
    environment: &Environment,
) -> Result<Option<Http>, ConfigErrors> {
    let places = Places::new(document.origin(), environment);
    let mut refusals = Refusals::new(document, &places);
    let http = http::check(written, &mut refusals);
    refusals.finish(Some(http))
}

/// Checks `http.listen` and nothing else.
pub(super) fn check_listen(
    written: &str,
    document: &Document<'_>,
    environment: &Environment,
) -> Result<SocketAddr, ConfigErrors> {
    let places = Places::new(document.origin(), environment);
    let mut refusals = Refusals::new(document, &places);
    let listen = http::listen(written, &mut refusals);
    refusals.finish(listen)
}

fn home_assistant(written: &written::HomeAssistant, refusals: &mut Refusals<'_>) -> Option<HomeAssistant> {
    let prefix = refusals.parse("home_assistant.discovery_prefix", &written.discovery_prefix);
    let birth_topic = refusals.topic("home_assistant.birth_topic", &written.birth_topic);
    let settings = Discovery { prefix: prefix?, birth_topic: birth_topic? };
    Some(HomeAssistant { discovery: written.discovery, settings })
}
