use std::time::Duration;

use super::verdict::Advice;
use super::*;

const CALLERS: [Caller; 3] = [Caller::Person, Caller::App, Caller::ManagedIdentity];

/// Every number, with a word of the sentence for a person, and one of that for an app.
#[rustfmt::skip]
const ROWS: &[(&[u32], &str, &str)] = &[
    (&[700_082, 70008, 700_084], "not used for too long: sign in again with `presence2mqtt login`", "Service principal sign-ins"),
    (&[70043, 70044], "Sign-in frequency", "Service principal sign-ins"),
    (&[50173], "revoked", "Service principal sign-ins"),
    (&[70000], "no longer valid", "Service principal sign-ins"),
    (&[50089], "too long", "Service principal sign-ins"),
    (&[50132, 50133, 50139, 50143], "session", "Service principal sign-ins"),
    (&[50058, 50085, 50197, 51006, 700_020, 9_002_341], "requires a person", "Service principal sign-ins"),
    (&[50074, 50076, 50078, 50158], "multi-factor", "exclude the app"),
    (&[50072, 50079, 53004], "aka.ms/mfasetup", "Service principal sign-ins"),
    (&[53010], "certain places", "Service principal sign-ins"),
    (&[50126, 50056, 50064], "password is wrong", "Service principal sign-ins"),
    (&[65004], "\"Need admin approval\", hand the page docs/for-administrators.md", "Service principal sign-ins"),
    (&[70019, 70020], "use `presence2mqtt login --browser`; if it said \"Need admin approval\"", "Service principal sign-ins"),
    (&[70018, 90119, 90120], "used already", "Service principal sign-ins"),
    (&[50134], "login --browser`", "Service principal sign-ins"),
    (&[54005], "twice", "Service principal sign-ins"),
    (&[501_481], "another attempt", "Service principal sign-ins"),
    (&[530_035], "security defaults of this tenant block device codes: use `presence2mqtt login --browser`", "Service principal sign-ins"),
    (&[530_034], "use `presence2mqtt login --browser`", "Service principal sign-ins"),
    (&[53003], "use `presence2mqtt login --browser`", "Workload identities"),
    (&[53000, 53001, 50005, 50097, 50129, 50155, 50187, 135_011], "browser on such a device", "exclude the app, which has no device"),
    (&[53002, 50127], "approved apps", "Service principal sign-ins"),
    (&[530_032, 50131, 1_000_031], "security policy", "Service principal sign-ins"),
    (&[53011, 50135], "Risky users", "Service principal sign-ins"),
    (&[500_212], "own organisation does not let it", "Service principal sign-ins"),
    (&[500_213], "does not admit accounts of that organisation", "Service principal sign-ins"),
    (&[50002, 500_021, 500_022], "tenant restrictions", "tenant restrictions"),
    (&[65001, 90008], "accept them, or click Grant admin consent", "no consent yet: click Grant admin consent"),
    (&[90094, 90095], "\"Need admin approval\"): hand the page docs/for-administrators.md", "Grant admin consent"),
    (&[90093], "may not consent: hand the page docs/for-administrators.md", "Grant admin consent"),
    (&[90099], "not authorised", "Grant admin consent"),
    (&[50105], "Users and groups", "Assignment required to No"),
    (&[650_052], "subscriptions", "subscriptions"),
    (&[650_054], "no longer exists", "API permissions"),
    (&[65005, 650_056, 650_057], "add it under", "add it under"),
    (&[65002], "Microsoft's own", "register an app"),
    (&[50034, 51004, 50014, 16000, 16003, 90072], "no such account: check which account", "no such account: check graph.tenant_id"),
    (&[50057], "enable it", "Service principal sign-ins"),
    (&[50053], "locked", "Service principal sign-ins"),
    (&[50055, 50125, 50142, 50144], "mysignins", "Service principal sign-ins"),
    (&[50020, 500_208], "another tenant, or is a personal one: sign in", "check graph.tenant_id"),
    (&[7_000_215], "secret's value", "secret's value"),
    (&[7_000_222], "expired: make a new one", "expired: make a new one"),
    (&[70002], "Allow public client flows to Yes", "compare [graph.auth]"),
    (&[700_027], "upload it", "upload it"),
    (&[700_030], "subject", "subject"),
    (&[1_000_502], "expired", "graph.auth.certificate_file"),
    (&[50012, 50013, 50027, 50048, 700_021, 700_023], "clock", "clock"),
    (&[500_133, 700_024], "set this machine's clock", "set this machine's clock"),
    (&[70021, 700_211, 700_212, 700_213], "Federated credentials", "Federated credentials"),
    (&[700_229], "belongs to a person", "an app's token"),
    (&[7_000_218], "Allow public client flows to Yes", "Allow public client flows to Yes"),
    (&[700_025], "Allow public client flows to No", "Allow public client flows to No"),
    (&[9_002_332], "graph.tenant_id", "graph.tenant_id"),
    (&[700_016, 700_011], "graph.client_id", "graph.client_id"),
    (&[7_000_112], "enable it", "enable it"),
    (&[70001, 500_014], "Enterprise applications", "Enterprise applications"),
    (&[90002], "is not a tenant", "is not a tenant"),
    (&[90038, 90051, 1_000_104], "set graph.cloud", "set graph.cloud"),
    (&[50194], "one tenant only", "one tenant only"),
    (&[9_001_023, 50059, 90019, 90124, 90130], "needs one tenant", "needs one tenant"),
    (&[500_011, 50001], "graph.cloud", "graph.cloud"),
    (&[70011, 28002, 1_002_012], "graph.cloud", "graph.cloud"),
    (&[50011, 70004, 900_971, 500_112], "http://localhost", "http://localhost"),
];

const PASSING: [u32; 10] = [50033, 50087, 50166, 90006, 90012, 90024, 90033, 90055, 90090, 90091];

/// Everything in both tables that somebody has to act on.
fn advice() -> impl Iterator<Item = &'static Advice> {
    let rows = BY_NUMBER.iter().map(|(_, verdict)| verdict).chain(BY_WORD.iter().map(|(_, verdict)| verdict));
    rows.filter_map(|verdict| match verdict {
        Verdict::Act(advice) => Some(advice),
        Verdict::Passes | Verdict::PassesAfter(_) => None,
    })
}

fn act(error: &str, numbers: &[u32]) -> Advice {
    let Some(Verdict::Act(advice)) = verdict(error, numbers) else { panic!("{error} {numbers:?}") };
    advice
}

#[test]
fn each_number_waits_for_somebody_and_says_who_does_what_where() {
    for &(numbers, person, app) in ROWS {
        for &number in numbers {
            let advice = act("invalid_grant", &[1, number]);
            for (caller, says) in [(Caller::Person, person), (Caller::App, app)] {
                let sentence = advice.sentence(caller);
                assert!(sentence.contains(says), "{number}: wanted {says:?} in {sentence:?}");
            }
        }
    }
    let listed = BY_NUMBER.iter().filter(|(_, verdict)| matches!(verdict, Verdict::Act(_)));
    let tested: usize = ROWS.iter().map(|(numbers, ..)| numbers.len()).sum();
    assert_eq!(listed.flat_map(|(numbers, _)| *numbers).count(), tested, "each number is tested");
}

#[test]
fn nobody_is_told_to_do_what_they_cannot() {
    assert!(BY_NUMBER.iter().map(|(numbers, _)| numbers.len()).sum::<usize>() >= 73);
    for advice in advice() {
        for caller in [Caller::App, Caller::ManagedIdentity] {
            let sentence = advice.sentence(caller);
            assert!(!sentence.contains("login") && !sentence.contains("sign in again"), "{sentence}");
        }
        let sentence = advice.sentence(Caller::ManagedIdentity);
        assert!(!sentence.contains("App registrations"), "{sentence}");
    }
}

#[test]
fn each_number_has_one_row() {
    let mut numbers: Vec<u32> = BY_NUMBER.iter().flat_map(|(numbers, _)| *numbers).copied().collect();
    let all = numbers.len();
    numbers.sort_unstable();
    numbers.dedup();
    assert_eq!(numbers.len(), all);
    assert!(!numbers.contains(&70016));
}

#[test]
fn each_sentence_says_what_to_do() {
    for advice in advice() {
        for caller in CALLERS {
            let sentence = advice.sentence(caller);
            let (_, what_to_do) = sentence.split_once(": ").expect(&sentence);
            let places = ["`presence2mqtt login", "Entra admin center > ", "graph.", "https://", "docs/"];
            assert!(places.iter().any(|place| what_to_do.contains(place)), "{sentence}");
            assert!(!sentence.ends_with('.') && !sentence.contains('\n'), "{sentence}");
            assert!(sentence.chars().count() < 400, "{sentence}");
        }
    }
}

#[test]
fn what_passes_is_never_a_bad_sign_in() {
    for number in PASSING {
        assert_eq!(verdict("invalid_grant", &[700_082, number]), Some(Verdict::Passes), "{number}");
    }
    assert_eq!(verdict("temporarily_unavailable", &[]), Some(Verdict::Passes));
    let minutes = Verdict::PassesAfter(Duration::from_secs(300));
    assert_eq!(verdict("invalid_grant", &[50196]), Some(minutes));
}

#[test]
fn a_number_says_more_than_a_word_and_an_unknown_number_leaves_the_word() {
    for &(word, expected) in BY_WORD {
        assert_eq!(verdict(word, &[1]), Some(expected));
        assert_eq!(act(word, &[530_035]), act("invalid_new_thing", &[530_035]), "{word}");
    }
    assert_eq!(verdict("authorization_pending", &[70016]), None);
    assert_eq!(verdict("invalid_new_thing", &[]), None);
}

#[test]
fn a_blocked_code_is_one_under_every_word() {
    for number in [530_035, 530_034, 53003, 7_000_218] {
        assert!(blocks_codes(&[number]));
        for word in [
            "invalid_grant",
            "access_denied",
            "authorization_declined",
            "interaction_required",
            "unauthorized_client",
            "authorization_pending",
            "slow_down",
            "expired_token",
        ] {
            assert_eq!(on_code(word, &[number]), OnCode::Refused, "{word} {number}");
        }
    }
    assert!(!blocks_codes(&[65004, 70019, 50076]));
}

#[test]
fn what_became_of_a_code() {
    for (word, numbers, expected) in [
        ("authorization_pending", &[70016][..], OnCode::Pending),
        ("authorization_pending", &[], OnCode::Pending),
        ("slow_down", &[70016], OnCode::SlowDown),
        ("authorization_declined", &[65004], OnCode::Declined),
        ("access_denied", &[], OnCode::Declined),
        ("invalid_grant", &[65004], OnCode::Declined),
        ("expired_token", &[70020], OnCode::Expired),
        ("code_expired", &[], OnCode::Expired),
        ("invalid_grant", &[70019], OnCode::Expired),
        ("access_denied", &[90094], OnCode::Refused),
        ("bad_verification_code", &[70018], OnCode::Refused),
        ("invalid_new_thing", &[], OnCode::Refused),
    ] {
        assert_eq!(on_code(word, numbers), expected, "{word} {numbers:?}");
    }
}
