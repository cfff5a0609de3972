//! Every run for a few seconds, against bounds that a loaded machine and an unoptimised build keep: for every
//! day. The figures that are promised come from the long runs.

use std::time::Duration;

use super::options::Options;
use super::runs::{self, say};

pub(crate) fn run(options: &Options) {
    say("people", options.people);
    let short = Options { cycle: 2, duration: 6, starts: 2, ..options.clone() };
    let several = Options { people: options.people / 5, tenants: 3, ..short.clone() };
    let [load, of_several] = [&short, &several].map(runs::load);
    for load in [&load, &of_several] {
        assert_eq!((load.refused, load.missed), (0, 0));
        assert!(load.cycles >= 2, "{} cycles", load.cycles);
        assert!(load.longest_gap < Duration::from_secs(3), "{:?}", load.longest_gap);
        assert!(load.cores < 0.5, "{} cores", load.cores);
        assert!(!load.latencies.is_empty());
    }
    assert!(load.first_publish < Duration::from_secs(10), "{:?}", load.first_publish);
    assert!(load.peak < 64 * 1024, "{} KiB", load.peak);
    let resend = runs::resend(&short);
    assert!(resend.newest_first, "the newest changes must come first");
    // So few messages go at the pace of core/broker/pace.rs, whatever the broker could take.
    assert!(resend.took.max(resend.first_publish) < Duration::from_secs(10), "{:?}", resend.took);
    assert!(resend.more_memory < 20 * 1024, "{} KiB more", resend.more_memory);
    let one = runs::one(&short);
    assert!(one.first_presence < Duration::from_secs(2), "{:?}", one.first_presence);
    assert!(one.cores < 0.05 && one.resident < 64 * 1024, "{} cores, {} KiB", one.cores, one.resident);
}
