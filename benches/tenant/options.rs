//! What the command line says.

use std::path::PathBuf;

use clap::{Parser, ValueEnum};

/// A load run: a tenant, Mosquitto and the bridge, each in a process of its own.
#[derive(Debug, Clone, Parser)]
#[command(name = "tenant")]
pub(crate) struct Options {
    /// What is measured
    #[arg(value_enum, default_value_t = Run::Short)]
    pub(crate) run: Run,
    /// Number of people in each tenant
    #[arg(long, default_value_t = 10_000)]
    pub(crate) people: usize,
    /// How many tenants there are, each with an account of the one bridge
    #[arg(long, default_value_t = 1, value_parser = clap::value_parser!(u16).range(1..=100))]
    pub(crate) tenants: u16,
    /// The share of them that changes from one cycle to the next
    #[arg(long, default_value_t = 0.01)]
    pub(crate) share: f64,
    /// Seconds between two readings of everybody
    #[arg(long, default_value_t = 30)]
    pub(crate) cycle: u64,
    /// Seconds that are measured, after everybody was published once
    #[arg(long, default_value_t = 60)]
    pub(crate) duration: u64,
    /// How often the bridge of one person is started again
    #[arg(long, default_value_t = 10)]
    pub(crate) starts: usize,
    /// Milliseconds that the tenant is away: each answer comes so much later
    #[arg(long, default_value_t = 0)]
    pub(crate) away: u64,
    /// What people and their changes are derived from
    #[arg(long, default_value_t = 1)]
    pub(crate) seed: u64,
    /// How people come into the configuration
    #[arg(long, value_enum, default_value_t = Follow::Users)]
    pub(crate) follow: Follow,
    /// The version of MQTT
    #[arg(long, default_value = "3.1.1")]
    pub(crate) protocol: String,
    /// Another bridge than the one built beside this
    #[arg(long)]
    pub(crate) program: Option<PathBuf>,
    /// What the bridge logs
    #[arg(long, default_value = "info")]
    pub(crate) log: String,
    /// Leaves the run's folder, with the bridge's log
    #[arg(long)]
    pub(crate) keep: bool,
    /// The tenant speaks TLS; for the run of this name it does anyway
    #[arg(long)]
    pub(crate) https: bool,
    /// The process of the tenant: with a folder, it speaks TLS
    #[arg(long, hide = true)]
    pub(crate) serve: bool,
    /// Where the tenant leaves its authority
    #[arg(long, hide = true)]
    pub(crate) certificates: Option<String>,
    /// How many people the tenants before this one have
    #[arg(long, hide = true, default_value_t = 0)]
    pub(crate) first: usize,
    /// Given by cargo
    #[arg(long, hide = true)]
    pub(crate) bench: bool,
}

/// What is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Run {
    /// Everything below for a few seconds, with bounds: for every day
    Short,
    /// First full publish, then cycles in which a share changes
    Load,
    /// First full publish, then a broker that lost its store, then a bare loop of rumqttc with the same
    /// messages
    Resend,
    /// Few changes, each timed
    Latency,
    /// One person over https: what it costs to be there
    One,
    /// Many people over https, of whom nobody changes: what reading one of them costs
    Many,
}

impl Options {
    /// Everybody in all tenants.
    pub(crate) fn everybody(&self) -> usize {
        self.people * usize::from(self.tenants)
    }
}

/// How people come into the configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Follow {
    /// As `[[users]]`
    Users,
    /// As members of one group
    Group,
}
