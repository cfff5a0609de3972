//! A load run: a tenant, Mosquitto and the bridge on one machine, each in a process of its own, so that what
//! the bridge costs is apart. `docs/performance.md` says which figures are wanted and how to get them again:
//!
//! ```text
//! cargo bench --bench tenant -- load --people 950000 --follow group --duration 300
//! cargo bench --bench tenant -- load --people 300000 --tenants 3 --follow group --duration 300
//! cargo bench --bench tenant -- load --people 300000 --follow group --away 150
//! cargo bench --bench tenant -- resend --people 100000
//! cargo bench --bench tenant -- latency --people 10000 --cycle 1 --share 0.0002
//! cargo bench --bench tenant -- one
//! cargo bench --bench tenant                       # a few seconds of each, with bounds
//! ```
#![allow(
    clippy::disallowed_methods,
    clippy::print_stdout,
    clippy::unwrap_used,
    reason = "a measurement is an edge"
)]

mod bare;
mod bridge;
mod broker;
mod ledger;
mod listener;
mod options;
mod people;
mod process;
mod runs;
mod short;
mod stage;
mod tenant;
mod tls;

use clap::Parser;

use options::{Options, Run};

fn main() {
    let options = Options::parse();
    if options.serve {
        return tenant::serve(&options);
    }
    match options.run {
        Run::Short => short::run(&options),
        Run::Load => {
            runs::load(&options);
        }
        Run::Resend => {
            runs::resend(&options);
        }
        Run::Latency => {
            runs::latency(&options);
        }
        Run::One => {
            runs::one(&options);
        }
        Run::Many => runs::many(&options),
    }
}
