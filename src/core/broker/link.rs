//! The connection to the broker: when to open it, when it counts, when to give up on its answers.

use std::time::Duration;

use super::duplicate_client::DuplicateClient;
use super::version_probe::VersionProbe;
use crate::core::model::backoff::Backoff;
use crate::core::model::effect::Ending;
use crate::core::model::event::LinkFailure;
use crate::core::model::mqtt::Protocol;
use crate::core::model::report::Report;
use crate::core::model::time::Tick;

/// A connection that lasted this long has proved itself.
const PROVED_AFTER: Duration = Duration::from_secs(30);

/// Reading back ends when the broker is silent for this long, should it never answer a subscription.
const SILENCE_MAX: Duration = Duration::from_secs(5);

/// Reading back ends this long after the last message, once every subscription is answered: most brokers send
/// what is retained before their answer, some at the same time from another queue. Where nothing is missing
/// it is not waited for.
pub(super) const SETTLED: Duration = Duration::from_millis(40);

/// Reading back never takes longer, however much is retained.
const READ_BACK_MAX: Duration = Duration::from_secs(60);

/// Late retained messages are still listened to for this long: not every broker sends them before its answer.
const LISTEN_AFTER: Duration = Duration::from_secs(2);

/// After this long in 3.1.1, with MQTT 5 given up, it is tried once more: a fault on the way that has ended
/// may have looked like a broker that does not speak it.
const SECOND_LOOK: Duration = Duration::from_secs(10);

/// A connection that was only a trial is given up after this, should it not close.
const CLOSES_WITHIN: Duration = Duration::from_secs(1);

/// From the request to stop to the end of the run, at most.
const STOP_WITHIN: Duration = Duration::from_millis(4500);

/// Where the connection stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Phase {
    /// Not connected; to be tried at the given time.
    Down(Tick),
    /// The publisher is at it.
    Connecting,
    /// Connected as a visitor, who looks whether the bridge's place is free.
    Visiting,
    /// Connected for the first time, listening to what an earlier run left. Nothing is published yet.
    ReadingBack { unanswered: usize, quiet_at: Tick, until: Tick },
    /// Publishing. Until the given time late retained messages are listened to.
    Up { listen_until: Option<Tick> },
    /// A trial that is closing; to be tried again at the given time at the latest.
    Closing(Tick),
    /// On the way out.
    Stopping { deadline: Tick, ending: Ending, closing: bool },
}

#[derive(Debug)]
pub(super) struct Link {
    pub phase: Phase,
    backoff: Backoff,
    refused_backoff: Backoff,
    duplicate: DuplicateClient,
    /// The version that is configured, and what is known of the broker.
    asked: Protocol,
    probe: VersionProbe,
    /// When a version that was given up is tried once more; not again until this broker is lost.
    second_look: Option<Tick>,
    had_second_look: bool,
    up_since: Option<Tick>,
    outage_reported: bool,
    refusal_reported: bool,
    online_reported: bool,
    read_back: bool,
    sent: bool,
    /// Why there is no connection.
    trouble: Option<String>,
}

impl Link {
    pub(super) fn new(protocol: Protocol, now: Tick) -> Self {
        Self {
            phase: Phase::Down(now),
            // The bound is short: a broker that is back has everything again within five seconds.
            backoff: Backoff::new(Duration::from_millis(250), Duration::from_secs(4)),
            refused_backoff: Backoff::new(Duration::from_secs(2), Duration::from_secs(30)),
            duplicate: DuplicateClient::none(),
            asked: protocol,
            probe: VersionProbe::Asked(protocol),
            second_look: None,
            had_second_look: false,
            up_since: None,
            outage_reported: false,
            refusal_reported: false,
            online_reported: false,
            read_back: false,
            sent: false,
            trouble: None,
        }
    }

    /// Whether presence may be published.
    pub(super) fn is_up(&self) -> bool {
        matches!(self.phase, Phase::Up { .. })
    }

    /// Whether the connection is a visitor's.
    pub(super) fn is_visiting(&self) -> bool {
        self.phase == Phase::Visiting
    }

    /// Whether what an earlier run left is still being read back.
    pub(super) fn is_reading_back(&self) -> bool {
        matches!(self.phase, Phase::ReadingBack { .. })
    }

    /// Whether there is a connection to ask something on.
    pub(super) fn is_open(&self) -> bool {
        self.is_up() || self.is_reading_back()
    }

    pub(super) fn is_stopping(&self) -> bool {
        matches!(self.phase, Phase::Stopping { .. })
    }

    /// The version of MQTT in which the broker is spoken to.
    pub(super) fn protocol(&self) -> Protocol {
        self.probe.version()
    }

    /// Why there is no connection, while there is none.
    pub(super) fn trouble(&self) -> Option<&str> {
        self.trouble.as_deref()
    }

    /// Whether another client with the same client id seems to be there.
    pub(super) fn has_duplicate(&self) -> bool {
        self.duplicate.is_suspected()
    }

    /// The broker let this client in. `true` if that was a trial, and the connection is to be closed again.
    pub(super) fn was_trial(&mut self, now: Tick) -> bool {
        let trial = self.probe.understood();
        if trial {
            self.close(now);
        }
        trial
    }

    /// The broker let a visitor in.
    pub(super) fn visit(&mut self) {
        self.trouble = None;
        self.phase = Phase::Visiting;
    }

    /// The broker listens to one that waits: as good a connection as any other.
    pub(super) fn waits(&mut self) {
        (self.outage_reported, self.refusal_reported) = (false, false);
        self.backoff.reset();
        self.refused_backoff.reset();
    }

    /// The connection has served, and is being closed; the next one is made when it is.
    pub(super) fn close(&mut self, now: Tick) {
        self.phase = Phase::Closing(now + CLOSES_WITHIN);
    }

    /// Whether the time has come to try once more the version that was given up; `true` once, and the
    /// connection is to be closed for it.
    pub(super) fn looks_again(&mut self, now: Tick) -> bool {
        if !self.is_up() || self.second_look.is_none_or(|at| now < at) {
            return false;
        }
        (self.second_look, self.had_second_look, self.up_since) = (None, true, None);
        self.probe = VersionProbe::Asked(self.asked);
        self.close(now);
        true
    }

    /// Whether the connection is to be opened now; `true` once.
    pub(super) fn connects(&mut self, now: Tick) -> bool {
        let due = matches!(self.phase, Phase::Down(at) | Phase::Closing(at) if at <= now);
        if due {
            self.phase = Phase::Connecting;
        }
        due
    }

    /// Gives up whatever there is, to connect anew at once.
    pub(super) fn give_up(&mut self, now: Tick) {
        self.up_since = None;
        self.phase = Phase::Down(now);
    }

    /// The next connection that counts is as the first one: what is retained then is others' work.
    pub(super) fn begin_anew(&mut self) {
        (self.read_back, self.sent) = (false, false);
    }

    /// Connected. `subscriptions` answers are awaited before publishing, if this is the first time.
    pub(super) fn connected(&mut self, subscriptions: usize, now: Tick) {
        self.up_since = Some(now);
        self.second_look =
            (self.protocol() != self.asked && !self.had_second_look).then_some(now + SECOND_LOOK);
        self.trouble = None;
        (self.outage_reported, self.refusal_reported) = (false, false);
        self.online_reported = false;
        self.phase = if self.read_back {
            Phase::Up { listen_until: None }
        } else {
            Phase::ReadingBack {
                unanswered: subscriptions,
                quiet_at: now + SILENCE_MAX,
                until: now + READ_BACK_MAX,
            }
        };
    }

    /// Whether what an earlier run left has still to be read back.
    pub(super) fn must_read_back(&self) -> bool {
        !self.read_back
    }

    /// One more subscription to what an earlier run left: its answer is awaited before publishing. `false` if
    /// nothing is read back any more.
    pub(super) fn also_subscribes(&mut self, now: Tick) -> bool {
        match &mut self.phase {
            Phase::ReadingBack { unanswered, quiet_at, until } => {
                *unanswered += 1;
                *quiet_at = (now + SILENCE_MAX).min(*until);
                true
            }
            Phase::Up { listen_until } => listen_until.is_some(),
            Phase::Down(_)
            | Phase::Connecting
            | Phase::Visiting
            | Phase::Closing(_)
            | Phase::Stopping { .. } => false,
        }
    }

    /// A retained message came while reading back, or the answer to a subscription.
    pub(super) fn heard(&mut self, answered: bool, now: Tick) {
        if let Phase::ReadingBack { unanswered, quiet_at, until } = &mut self.phase {
            *unanswered = unanswered.saturating_sub(usize::from(answered));
            *quiet_at = (now + if *unanswered == 0 { SETTLED } else { SILENCE_MAX }).min(*until);
        }
    }

    /// All that must be known before publishing has come: nothing late is waited for once every subscription
    /// is answered.
    pub(super) fn heard_all(&mut self, now: Tick) {
        if let Phase::ReadingBack { unanswered: 0, quiet_at, .. } = &mut self.phase {
            *quiet_at = (*quiet_at).min(now);
        }
    }

    /// Whether the reading back is through.
    pub(super) fn has_read_back(&self, now: Tick) -> bool {
        matches!(self.phase, Phase::ReadingBack { quiet_at, .. } if now >= quiet_at)
    }

    /// More is asked for, which ends within this time.
    pub(super) fn reads_on(&mut self, at_most: Duration, now: Tick) {
        if let Phase::ReadingBack { until, .. } = &mut self.phase {
            *until = (*until).min(now + at_most);
        }
    }

    /// Ends the reading back.
    pub(super) fn finish_reading_back(&mut self, now: Tick) {
        self.read_back = true;
        self.phase = Phase::Up { listen_until: Some(now + LISTEN_AFTER) };
    }

    /// Stops listening to late messages when their time is over; `true` once.
    pub(super) fn stop_listening(&mut self, now: Tick) -> bool {
        match &mut self.phase {
            Phase::Up { listen_until } if listen_until.is_some_and(|until| now >= until) => {
                *listen_until = None;
                true
            }
            Phase::Up { .. }
            | Phase::Down(_)
            | Phase::Connecting
            | Phase::Visiting
            | Phase::Closing(_)
            | Phase::ReadingBack { .. }
            | Phase::Stopping { .. } => false,
        }
    }

    /// Once a connection has lasted long enough to show that nobody fights for it, there is no other client
    /// any more.
    pub(super) fn prove(&mut self, now: Tick) {
        if self.duplicate_gone_at().is_some_and(|at| now >= at) {
            self.duplicate.gone();
        }
    }

    fn duplicate_gone_at(&self) -> Option<Tick> {
        self.duplicate.gone_at(self.up_since?)
    }

    /// The connection is gone and will be tried again. The outage is reported when it begins, and once more
    /// at the first refusal during it, whose reason usually needs a person. Where the end `is_explained` by a
    /// message, there is no duplicate client.
    pub(super) fn lost(
        &mut self,
        failure: &LinkFailure,
        is_explained: bool,
        now: Tick,
        random: &mut fastrand::Rng,
    ) -> Option<Report> {
        if matches!(self.phase, Phase::Closing(_)) {
            self.phase = Phase::Down(now);
            return None;
        }
        let lasted = self.up_since.take().map(|since| now.since(since));
        self.second_look = None;
        self.had_second_look &= lasted.is_none();
        if lasted.is_some_and(|lasted| lasted >= PROVED_AFTER) {
            self.backoff.reset();
            self.refused_backoff.reset();
        }
        if self.probe.failed(failure) {
            self.phase = Phase::Down(now);
            return None;
        }
        self.trouble = Some(failure.to_string());
        let was_known = self.has_duplicate();
        if is_explained {
            self.duplicate.gone();
        }
        let for_duplicate = if is_explained { None } else { self.duplicate.lost(failure, lasted, random) };
        let wait = for_duplicate.unwrap_or_else(|| match failure {
            LinkFailure::Lost(_)
            | LinkFailure::NotLetIn
            | LinkFailure::Closed
            | LinkFailure::TakenOver
            | LinkFailure::NotUnderstood(_) => self.backoff.failed(random),
            LinkFailure::Refused(_) => self.refused_backoff.failed(random),
        });
        self.phase = Phase::Down(now + wait);
        let begins = !std::mem::replace(&mut self.outage_reported, true);
        let is_refused = lasted.is_none() && matches!(failure, LinkFailure::Refused(_));
        let refuses = is_refused && !std::mem::replace(&mut self.refusal_reported, true);
        match (was_known, self.has_duplicate()) {
            (false, true) => Some(Report::DuplicateClient),
            // It was said; each further turn of the same fight is no news.
            (true, _) if !refuses => None,
            (true, _) | (false, false) => {
                (begins || refuses).then(|| Report::BrokerLost(failure.to_string().into()))
            }
        }
    }

    /// Whether everything is about to be sent for the first time in this run.
    pub(super) fn first_sending(&mut self) -> bool {
        !std::mem::replace(&mut self.sent, true)
    }

    /// `online` was sent; the report is due once per connection.
    pub(super) fn online(&mut self) -> Option<Report> {
        (!std::mem::replace(&mut self.online_reported, true)).then_some(Report::Online)
    }

    /// Begins the way out; `closing` if there is no connection left to close.
    pub(super) fn stop(&mut self, ending: Ending, closing: bool, now: Tick) {
        self.phase = Phase::Stopping { deadline: now + STOP_WITHIN, ending, closing };
    }

    /// When time alone changes something.
    pub(super) fn wake_at(&self) -> Option<Tick> {
        match self.phase {
            Phase::Down(at)
            | Phase::Closing(at)
            | Phase::ReadingBack { quiet_at: at, .. }
            | Phase::Stopping { deadline: at, .. } => Some(at),
            Phase::Up { listen_until } => {
                listen_until.into_iter().chain(self.duplicate_gone_at()).chain(self.second_look).min()
            }
            Phase::Connecting | Phase::Visiting => None,
        }
    }
}
