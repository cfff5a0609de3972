//! What the operator is told, once each: outages when they begin and end, not each retry.

use std::fmt;
use std::time::Duration;

use super::account::addressed;
use super::foreign::{Legible, WebAddress};
use super::name::TopicLevel;
use super::place::Who;

const MINUTE: Duration = Duration::from_secs(60);

/// A line for the log. `Display` is the sentence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Report {
    /// Graph cannot be read; begins an outage.
    GraphLost(Legible),
    /// Graph can be read again; ends an outage.
    GraphBack(Duration),
    /// Who is signed in.
    SignedIn(Legible),
    /// Graph told something for the first time.
    GraphAnswers,
    /// Nobody is signed in: where to go, and the code to type there.
    SignInWith(WebAddress, Legible),
    /// Nobody is signed in, and a browser is how to.
    SignInByBrowser,
    /// An invitation to sign in came to nothing.
    NotSignedIn(Legible),
    /// The broker cannot be reached; begins an outage.
    BrokerLost(Legible),
    /// Another client seems to use the same client id.
    DuplicateClient,
    /// The retained `online` at this topic is nobody's.
    NobodyAnswers(String),
    /// Whether somebody lives in this bridge's place could not be asked, and why.
    NotAsked(Legible),
    /// This instance waits beside the one that is active.
    Waits,
    /// It cannot tell whether another one lives, and why.
    CannotWait(Legible),
    /// The one that is active has the name of this one.
    Namesake(TopicLevel),
    /// It takes over, and why.
    Claims(&'static str),
    /// It was active and is not any more.
    StepsBack,
    /// The retained `info` is another bridge's, who does not live.
    StrangersInfo(Legible),
    /// The broker does not take what is published, for the first time on this connection, and why.
    PublishRefused(Legible),
    /// One of the topics that it does not take.
    TopicRefused(String),
    /// Time passed unseen: sleep, or a clock that was set.
    Slept(Duration),
    /// Graph's sequence number of one person went back, and stays there.
    WentBack(Who),
    /// The configuration was read again; how many people are followed now.
    Configured(usize),
    /// It could not be, and why.
    NotConfigured(String),
    /// Connected, for the first time or again.
    BrokerConnected,
    /// Everything is published and the bridge says `online`.
    Online,
    /// The broker sends nothing retained to subscriptions with wildcards.
    NoWildcards,
    /// A filter was refused.
    SubscriptionRefused(String),
    /// The broker hangs up at one message, which is left out from now on.
    LeftOut {
        /// Where it was to go.
        topic: String,
        /// Its size.
        bytes: usize,
    },
    /// A message that others published was not read.
    MessageSkipped {
        /// Where it is.
        topic: String,
        /// Its size.
        bytes: usize,
    },
    /// One person cannot be read, and why.
    UserUnreadable(Who, Legible),
    /// A command about this person was obeyed.
    Commanded(Who),
    /// A command makes no sense or is not allowed, and why.
    CommandRefused(Who, Legible),
    /// A command could not be obeyed, and why.
    CommandFailed(Who, Legible),
    /// Somebody paused a light, or let it show presence again.
    LightFollows(TopicLevel, bool),
    /// Neither of the two words came to a light's switch.
    LightWord(TopicLevel),
    /// Whether commands can set one person's presence changed.
    Settable(Who, bool),
    /// One person, unreadable before, can be read.
    UserReadable(Who),
    /// A word of neither list; said once each.
    NewWord(Box<str>),
    /// Something that was in an answer without having been asked for, or twice.
    Ignored(Legible),
    /// A user of an earlier configuration was taken off the broker.
    Removed(TopicLevel),
    /// A member left their group, or is configured now, and what was published under their name was taken off
    /// the broker.
    Left(TopicLevel),
    /// A group was read, for the first time or with changes.
    Members {
        /// How many members it has.
        members: usize,
        /// How many of them are new.
        joined: usize,
        /// How many left.
        left: usize,
    },
    /// More people than the budget can read in one interval.
    Stretched(Duration),
    /// This, of one of several accounts.
    OfAccount(TopicLevel, Box<Report>),
}

/// What is said about a duplicate client, in the log and on `<bridge>/health`.
pub(in crate::core) const DUPLICATE_CLIENT: &str = "the broker closes each connection soon after it is \
made, as it does when another client connects with the same mqtt.client_id; give each client its own";

/// What is wrong with a broker that sends nothing retained to subscriptions with wildcards.
pub const NO_WILDCARDS: &str = "the broker sends no retained messages to subscriptions with wildcards";

/// What that means for the bridge.
#[must_use]
pub fn without_wildcards() -> String {
    format!(
        "{NO_WILDCARDS}: `since` of group members starts again, and people who were removed while the \
        bridge was stopped cannot be found; run `presence2mqtt clean` with a configuration that names them"
    )
}

/// How loud a report is: by who must act.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Loudness {
    /// Somebody should look today.
    Warn,
    /// A change that a user feels.
    Info,
    /// Why things are as they are; may name people.
    Debug,
}

impl Report {
    /// How loud it is.
    #[must_use]
    pub fn loudness(&self) -> Loudness {
        match self {
            Self::GraphLost(_) | Self::BrokerLost(_) | Self::SubscriptionRefused(_) | Self::Stretched(_) => {
                Loudness::Warn
            }
            Self::DuplicateClient
            | Self::PublishRefused(_)
            | Self::MessageSkipped { .. }
            | Self::LeftOut { .. }
            | Self::NoWildcards
            | Self::NotConfigured(_) => Loudness::Warn,
            Self::SignInWith(..)
            | Self::SignInByBrowser
            | Self::NotSignedIn(_)
            | Self::UserUnreadable(..)
            | Self::NewWord(_) => Loudness::Warn,
            Self::StrangersInfo(_) | Self::CannotWait(_) | Self::Namesake(_) => Loudness::Warn,
            Self::Waits | Self::Claims(_) | Self::StepsBack => Loudness::Info,
            Self::SignedIn(_) | Self::GraphAnswers => Loudness::Info,
            Self::GraphBack(_) | Self::BrokerConnected | Self::Online | Self::NobodyAnswers(_) => {
                Loudness::Info
            }
            Self::Members { .. }
            | Self::Configured(_)
            | Self::UserReadable(_)
            | Self::Slept(_)
            | Self::WentBack(_) => Loudness::Info,
            Self::CommandFailed(..) => Loudness::Warn,
            Self::Removed(_) | Self::Left(_) | Self::Ignored(_) | Self::TopicRefused(_) => Loudness::Debug,
            Self::NotAsked(_) => Loudness::Debug,
            // Whoever may send commands could fill the log with them.
            Self::Commanded(_) | Self::CommandRefused(..) | Self::Settable(..) => Loudness::Debug,
            Self::LightFollows(..) | Self::LightWord(_) => Loudness::Debug,
            Self::OfAccount(_, report) => report.loudness(),
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::GraphLost(why) => write!(f, "presence cannot be read: {why}"),
            Self::GraphBack(after) => write!(f, "presence is read again after {}", words(*after)),
            Self::SignedIn(account) => write!(f, "signed in as {account}"),
            Self::GraphAnswers => f.write_str("Graph answers"),
            Self::SignInWith(address, code) => write!(f, "sign in at {address} with the code {code}"),
            Self::SignInByBrowser => write!(
                f,
                "sign-in required: run `presence2mqtt login --browser`, with --no-open where there is no browser"
            ),
            Self::NotSignedIn(why) => write!(f, "still not signed in: {why}"),
            Self::BrokerLost(why) => {
                write!(f, "no connection to the broker: {why}; retrying until it is back")
            }
            Self::DuplicateClient => write!(f, "{DUPLICATE_CLIENT}; backing off"),
            Self::NobodyAnswers(state) => {
                write!(f, "{state} is online, but no bridge answers there: taking its place")
            }
            Self::NotAsked(why) => {
                write!(
                    f,
                    "cannot ask whether another bridge runs with this configuration: {why}; connecting anyway"
                )
            }
            Self::Waits => f.write_str("standby: waiting beside the active instance"),
            Self::CannotWait(why) => write!(
                f,
                "standby: cannot ask whether another instance is active: {why}; allow standby/# in the broker's access list"
            ),
            Self::Namesake(instance) => write!(
                f,
                "standby: the active instance has the same name, {instance}; give each machine its own \
                mqtt.instance"
            ),
            Self::Claims(why) => write!(f, "standby: taking over: {why}"),
            Self::StepsBack => f.write_str("standby: no longer active; waiting"),
            Self::StrangersInfo(notice) => f.write_str(notice.as_str()),
            Self::PublishRefused(why) => {
                write!(f, "the broker rejects some messages ({why}); run with -v to see which")
            }
            Self::TopicRefused(topic) => write!(f, "the broker rejects messages for {topic}"),
            Self::Slept(slept) => write!(
                f,
                "the clock is {} ahead: the machine slept, or its clock was set; reading all people again",
                words(*slept)
            ),
            Self::WentBack(who) => write!(
                f,
                "{who}: Graph keeps returning an older sequence number; its answers are used anyway"
            ),
            Self::Configured(users) => {
                write!(f, "the configuration was read again; people followed now: {users}")
            }
            Self::NotConfigured(why) => {
                write!(f, "the configuration was not reloaded, the old one stays in force: {why}")
            }
            Self::BrokerConnected => f.write_str("connected to the broker"),
            Self::Online => f.write_str("everything is published; the bridge is online"),
            Self::NoWildcards => f.write_str(&without_wildcards()),
            Self::SubscriptionRefused(filter) => write!(
                f,
                "the broker refused the subscription to {filter}; allow it in the broker's access list"
            ),
            Self::LeftOut { topic, bytes } => write!(
                f,
                "the broker closes the connection at a message of {bytes} bytes for {topic}; the message \
                is left out and retried later"
            ),
            Self::MessageSkipped { topic, bytes } => {
                write!(
                    f,
                    "ignored a message of {bytes} bytes at {topic}: too large or not readable; remove it there"
                )
            }
            Self::UserUnreadable(who, why) => write!(f, "{who} cannot be read: {why}"),
            Self::Commanded(who) => write!(f, "{}: a command was carried out", who.by_name()),
            Self::CommandRefused(who, why) => {
                write!(f, "{}: a command was refused: {why}", who.by_name())
            }
            Self::CommandFailed(who, why) => write!(f, "{who}: a command failed: {why}"),
            Self::LightFollows(light, true) => write!(f, "light {light}: shows presence again"),
            Self::LightFollows(light, false) => write!(f, "light {light}: paused"),
            Self::LightWord(light) => {
                write!(f, "light {light}: the switch received something other than ON or OFF; ignored")
            }
            Self::Settable(who, true) => write!(f, "{} can be set by commands", who.by_name()),
            Self::Settable(who, false) => {
                write!(f, "{} cannot be set by commands", who.by_name())
            }
            Self::UserReadable(who) => write!(f, "{who} can be read again"),
            Self::NewWord(word) => {
                write!(f, "Graph uses a presence word that is new to this version: {word:?}")
            }
            Self::Ignored(what) => write!(f, "ignored in Graph's answer: {what}"),
            Self::Removed(user) => {
                write!(f, "{user} is no longer configured and was removed from the broker")
            }
            Self::Left(user) => write!(f, "{user} is no longer in a group and was removed from the broker"),
            Self::Members { members, joined, left } => {
                write!(f, "a group was read: {members} members, {joined} joined, {left} left")
            }
            Self::Stretched(interval) => write!(
                f,
                "there are too many people for the request budget; each is read every {}",
                words(*interval)
            ),
            Self::OfAccount(account, report) => {
                write!(f, "account {account}: {}", addressed(account, &report.to_string()))
            }
        }
    }
}

/// A duration in words, to the nearest millisecond below a minute and to the nearest second above.
#[must_use]
pub fn words(duration: Duration) -> String {
    let unit = if duration < MINUTE { Duration::from_millis(1) } else { Duration::from_secs(1) };
    let units = (duration.saturating_add(unit / 2)).as_nanos() / unit.as_nanos();
    let rounded = unit.saturating_mul(u32::try_from(units).unwrap_or(u32::MAX));
    humantime::format_duration(rounded).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_rounded_and_not_cut() {
        for (nanoseconds, expected) in [
            (0, "0s"),
            (1_499_999, "1ms"),
            (1_500_000, "2ms"),
            (4_999_600_000, "5s"),
            (59_999_400_000, "59s 999ms"),
            (59_999_999_999, "1m"),
            (60_499_999_999, "1m"),
            (28_799_999_990_000, "8h"),
        ] {
            assert_eq!(words(Duration::from_nanos(nanoseconds)), expected, "{nanoseconds}");
        }
    }
}
