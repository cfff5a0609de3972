//! One sentence for each refusal of the sign-in service, for each kind of caller.
//!
//! Found by the AADSTS number if it is known, otherwise by the `error` word (Microsoft identity platform:
//! `reference-error-codes`). Microsoft may change the numbers, so unknown ones are expected.

use crate::graph::caller::Caller;

mod rows;
#[cfg(test)]
mod tests;
mod verdict;

use rows::{BY_NUMBER, BY_WORD, EXPIRED_CODE};
pub(super) use verdict::Verdict;

/// The numbers with which a tenant blocks device codes: security defaults, and similar rules. 53003 is any
/// rule of Conditional Access, and most often the one about device codes. 7000218: the app's registration
/// allows no public client flows, which only a code needs; a browser that ends on the address of a native app
/// does not.
const CODES_BLOCKED: [u32; 4] = [530_035, 530_034, 53003, 7_000_218];

/// A device code was declined.
const DECLINED: [u32; 1] = [65004];

/// A device code was not used in time.
const EXPIRED: [u32; 2] = [70019, 70020];

/// The state of a device code that was not used yet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum OnCode {
    /// The code is not used yet.
    Pending,
    /// The same, and the service asks for a longer interval.
    SlowDown,
    /// A person declined.
    Declined,
    /// The code expired.
    Expired,
    /// Another refusal.
    Refused,
}

/// The meaning of a refusal with this word and these numbers, if it is known. The same number comes with
/// different words, so a known number takes precedence.
pub(super) fn verdict(error: &str, numbers: &[u32]) -> Option<Verdict> {
    let by_word = || BY_WORD.iter().find(|(word, _)| *word == error).map(|&(_, verdict)| verdict);
    by_number(numbers).or_else(by_word)
}

/// All sentences for people.
#[cfg(test)]
pub(crate) fn to_people() -> Vec<String> {
    let verdicts =
        BY_NUMBER.iter().map(|(_, verdict)| verdict).chain(BY_WORD.iter().map(|(_, verdict)| verdict));
    let sentence = |verdict: &Verdict| match verdict {
        Verdict::Act(advice) => Some(advice.sentence(Caller::Person)),
        Verdict::Passes | Verdict::PassesAfter(_) => None,
    };
    verdicts.filter_map(sentence).collect()
}

/// The meaning of these numbers, if it is known.
pub(super) fn by_number(numbers: &[u32]) -> Option<Verdict> {
    let row = |number| BY_NUMBER.iter().find(|(of, _)| of.contains(number)).map(|&(_, verdict)| verdict);
    let known: Vec<Verdict> = numbers.iter().filter_map(row).collect();
    // If the service itself has a fault, that explains its other numbers.
    known.iter().find(|verdict| !matches!(verdict, Verdict::Act(_))).or(known.first()).copied()
}

/// Whether the tenant, or the app, blocks device codes.
pub(super) fn blocks_codes(numbers: &[u32]) -> bool {
    numbers.iter().any(|number| CODES_BLOCKED.contains(number))
}

/// The meaning of a refusal while waiting for a device code.
pub(super) fn on_code(error: &str, numbers: &[u32]) -> OnCode {
    let has = |some: &[u32]| numbers.iter().any(|number| some.contains(number));
    match error {
        _ if has(&DECLINED) => OnCode::Declined,
        _ if has(&EXPIRED) => OnCode::Expired,
        _ if by_number(numbers).is_some() => OnCode::Refused,
        "authorization_pending" => OnCode::Pending,
        "slow_down" => OnCode::SlowDown,
        "authorization_declined" | "access_denied" => OnCode::Declined,
        "expired_token" | "code_expired" => OnCode::Expired,
        _ => OnCode::Refused,
    }
}

/// What to do when a device code has ended without a known reason.
pub(super) fn code_expired() -> String {
    EXPIRED_CODE.sentence(Caller::Person)
}
