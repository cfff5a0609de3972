//! One sentence for each way in which the sign-in service says no.
//!
//! By AADSTS number where one is known, else by the `error` word (Microsoft identity platform:
//! `reference-error-codes`). The numbers may change, so one that is not here is no surprise.

use std::time::Duration;

use Verdict::{Act, Passes, PassesAfter};

/// What a no means for the bridge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It passes by itself.
    Passes,
    /// It passes if the service is left alone for this long.
    PassesAfter(Duration),
    /// Never again before somebody acts: what to do and where to click.
    Act(&'static str),
}

/// By number. Rows are in the order of who has to act: nobody, the person, an administrator, whoever set it up.
#[rustfmt::skip] // A table: one line for each sentence.
const BY_NUMBER: &[(&[u32], Verdict)] = &[
    // Nobody. 70016, the wait for a device code, is decided by its word.
    (&[50033, 50087, 90006, 90012, 90024, 90033, 90055, 90090], Passes),
    (&[50196], PassesAfter(Duration::from_secs(300))),

    // The person signs in again.
    (&[700082, 70008], Act("the sign-in has expired or was not used for too long: sign in again with `presence2mqtt login`")),
    (&[70043], Act("the tenant ends sign-ins after some time: sign in again with `presence2mqtt login`, or ask an administrator to exempt this account under Entra admin center > Conditional Access > Session > Sign-in frequency")),
    (&[50173], Act("the sign-in was revoked, perhaps by a new password: sign in again with `presence2mqtt login`")),
    (&[70000], Act("the sign-in that was kept is not valid any more: sign in again with `presence2mqtt login`")),
    (&[50089], Act("the sign-in took too long: start it again with `presence2mqtt login`")),
    (&[50132, 50133], Act("the session has ended, perhaps by a new password: sign in again with `presence2mqtt login`")),
    (&[50074, 50076, 50078, 50158], Act("the tenant asks for multi-factor authentication: sign in again with `presence2mqtt login` and confirm it there")),
    (&[50079], Act("the account must register for multi-factor authentication: do so at https://aka.ms/mfasetup, then sign in again with `presence2mqtt login`")),
    (&[65004], Act("the permissions were declined: sign in again with `presence2mqtt login` and accept them")),
    (&[70019], Act("the code was not entered in time: start again with `presence2mqtt login`")),
    (&[54005], Act("the code from the browser was used twice: start again with `presence2mqtt login --browser`")),
    (&[501481], Act("the answer from the browser belongs to another attempt: start again with `presence2mqtt login --browser`")),

    // An administrator consents or changes a policy.
    (&[65001], Act("nobody has consented to the app's permissions: sign in again with `presence2mqtt login` and accept them, or click Grant admin consent under Entra admin center > App registrations > API permissions")),
    (&[90094, 90095], Act("only an administrator may consent here: ask one to click Grant admin consent under Entra admin center > App registrations > API permissions")),
    (&[50105], Act("the account is not assigned to the app: ask an administrator to add it under Entra admin center > Enterprise applications > Users and groups")),
    (&[53003], Act("a Conditional Access policy blocks this way to sign in: if it blocks device codes, use `presence2mqtt login --browser`, else ask an administrator to look at Entra admin center > Sign-in logs > Conditional Access")),
    (&[53000, 53001], Act("a Conditional Access policy wants a managed device: use `presence2mqtt login --browser --no-open` with a browser on such a device, or ask an administrator for an exception under Entra admin center > Conditional Access")),
    (&[530032, 50131], Act("a security policy of the tenant blocks this sign-in: ask an administrator to look at Entra admin center > Sign-in logs")),
    (&[650052], Act("the tenant lacks a service that the app asks for: ask an administrator to compare Entra admin center > App registrations > API permissions with the tenant's subscriptions")),
    (&[650056, 650057], Act("the app does not ask for Microsoft Graph: add it under Entra admin center > App registrations > API permissions and click Grant admin consent")),

    // An administrator mends the account.
    (&[50034, 51004], Act("this tenant has no such account: check which account signs in, and graph.tenant_id against Entra admin center > Snapshot")),
    (&[50057], Act("the account is disabled: ask an administrator to enable it under Entra admin center > Users")),
    (&[50053], Act("the account is locked, or its address is suspected: wait some minutes, then ask an administrator to look at Entra admin center > Sign-in logs")),
    (&[50055], Act("the password has expired: change it at https://mysignins.microsoft.com, then sign in again with `presence2mqtt login`")),
    (&[50020], Act("the account belongs to another tenant: sign in with one of graph.tenant_id, or change that to the account's own")),

    // Whoever set the bridge up mends the configuration or the registration.
    (&[7000215], Act("the client secret is wrong: copy the secret's value, not its id, from Entra admin center > App registrations > Certificates & secrets")),
    (&[7000222], Act("the client secret has expired: make a new one under Entra admin center > App registrations > Certificates & secrets")),
    (&[700027], Act("the certificate is not one of this app's: upload it under Entra admin center > App registrations > Certificates & secrets, and check graph.client_id")),
    (&[700030], Act("the certificate's subject or issuer is not allowed for this app: compare it with Entra admin center > App registrations > Certificates & secrets")),
    (&[1000502], Act("the certificate has ended: make a new one, upload it under Entra admin center > App registrations > Certificates & secrets, and replace graph.auth.certificate_file")),
    (&[50012, 50013, 50027, 700021, 700023], Act("the app's proof is refused: check graph.client_id, the certificate or federated credential under Entra admin center > App registrations > Certificates & secrets, and this machine's clock")),
    (&[700024], Act("the app's proof is not of this time: set this machine's clock; a federated token in graph.auth.federated_token_file may also be too old")),
    (&[70021, 700211, 700212, 700213], Act("no federated credential fits the token: compare its issuer, subject and audience with Entra admin center > App registrations > Certificates & secrets > Federated credentials")),
    (&[7000218], Act("the app may not sign people in without a secret: set Allow public client flows to Yes under Entra admin center > App registrations > Authentication")),
    (&[700025], Act("the app is a public client, which has no secret: use method \"device-code\", or set Allow public client flows to No under Entra admin center > App registrations > Authentication")),
    (&[700016, 700011], Act("this tenant does not know graph.client_id: check it against Entra admin center > App registrations, and that graph.tenant_id is the app's tenant")),
    (&[7000112], Act("the app is disabled: ask an administrator to enable it under Entra admin center > Enterprise applications > Properties")),
    (&[70001], Act("the app is disabled or not installed in this tenant: ask an administrator to look under Entra admin center > Enterprise applications")),
    (&[90002], Act("graph.tenant_id is no tenant: check it against Entra admin center > Snapshot")),
    (&[90038], Act("this tenant is in another cloud: set graph.cloud")),
    (&[50194], Act("the app is for one tenant only: write its GUID from Entra admin center > Snapshot in graph.tenant_id")),
    (&[9001023], Act("this method needs one tenant: write its GUID from Entra admin center > Snapshot in graph.tenant_id")),
    (&[500011], Act("Microsoft Graph has another address in this cloud: check graph.cloud and graph.graph_url")),
    (&[70011, 28002, 1002012], Act("the permission that was asked for does not exist in this cloud: check graph.cloud and graph.graph_url")),
    (&[50011], Act("the app does not know the address that the browser returns to: add http://localhost under Entra admin center > App registrations > Authentication > Mobile and desktop applications")),
];

/// By word, for numbers that are not above (RFC 6749, section 5.2; OpenID Connect Core, section 3.1.2.6).
#[rustfmt::skip] // A table: one line for each sentence.
const BY_WORD: &[(&str, Verdict)] = &[
    ("temporarily_unavailable", Passes),
    ("invalid_grant", Act("the sign-in is not valid any more: sign in again with `presence2mqtt login`")),
    ("interaction_required", Act("the tenant asks for more than was given: sign in again with `presence2mqtt login`")),
    ("login_required", Act("the sign-in has ended: sign in again with `presence2mqtt login`")),
    ("consent_required", Act("nobody has consented to the app's permissions: click Grant admin consent under Entra admin center > App registrations > API permissions")),
    ("access_denied", Act("the sign-in was declined: sign in again with `presence2mqtt login` and accept it")),
    ("invalid_client", Act("the app's credential is refused: compare [graph.auth] with Entra admin center > App registrations > Certificates & secrets")),
    ("unauthorized_client", Act("the app may not sign in like this: compare graph.client_id and graph.auth.method with Entra admin center > App registrations > Authentication")),
    ("invalid_scope", Act("the permission that was asked for is refused: check graph.cloud and graph.graph_url")),
];

/// What a no with this word and these numbers means, if that is known.
pub(super) fn verdict(error: &str, numbers: &[u32]) -> Option<Verdict> {
    let by_number = || {
        let known = numbers.iter().filter_map(|number| {
            BY_NUMBER.iter().find(|(of, _)| of.contains(number)).map(|&(_, verdict)| verdict)
        });
        let known: Vec<Verdict> = known.collect();
        // A problem of the service's own explains whatever else it says.
        known.iter().find(|verdict| !matches!(verdict, Act(_))).or(known.first()).copied()
    };
    let by_word = BY_WORD.iter().find(|(word, _)| *word == error).map(|&(_, verdict)| verdict);
    if by_word == Some(Passes) { by_word } else { by_number().or(by_word) }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Every number that Microsoft's page gives for these flows, with who has to act, and a word of the sentence.
    #[rustfmt::skip]
    const ROWS: &[(u32, &str)] = &[
        (700082, "login`"), (70008, "login`"), (70043, "Sign-in frequency"), (50173, "revoked"), (70000, "not valid any more"),
        (50089, "too long"), (50132, "session"), (50133, "session"), (50076, "multi-factor"), (50079, "aka.ms/mfasetup"),
        (50074, "multi-factor"), (50078, "multi-factor"), (50158, "multi-factor"), (65004, "declined"), (70019, "in time"),
        (54005, "twice"), (501481, "another attempt"),
        (65001, "consent"), (90094, "administrator"), (90095, "administrator"), (50105, "Users and groups"),
        (53003, "use `presence2mqtt login --browser`"), (53000, "managed device"), (53001, "managed device"),
        (530032, "security policy"), (50131, "security policy"), (650052, "subscriptions"), (650056, "Microsoft Graph"), (650057, "Microsoft Graph"),
        (50034, "no such account"), (51004, "no such account"), (50057, "disabled"), (50053, "locked"), (50055, "mysignins"), (50020, "another tenant"),
        (7000215, "secret's value"), (7000222, "expired"), (700027, "upload it"), (50012, "clock"), (50013, "clock"), (700030, "subject"),
        (7000218, "Allow public client flows to Yes"), (700025, "Allow public client flows to No"), (700016, "graph.client_id"), (700011, "graph.client_id"),
        (7000112, "enable it"), (70001, "Enterprise applications"), (90002, "graph.tenant_id"), (90038, "graph.cloud"), (50194, "graph.tenant_id"),
        (9001023, "graph.tenant_id"), (500011, "graph.cloud"), (70011, "graph.cloud"), (28002, "graph.cloud"), (1002012, "graph.cloud"),
        (50011, "http://localhost"), (1000502, "ended"), (50027, "clock"), (700021, "clock"), (700023, "clock"), (700024, "clock"), (70021, "Federated credentials"), (700211, "Federated credentials"),
        (700212, "Federated credentials"), (700213, "Federated credentials"),
    ];

    #[test]
    fn each_number_waits_for_somebody_and_says_who_does_what_where() {
        for &(number, says) in ROWS {
            let Some(Act(sentence)) = verdict("invalid_grant", &[1, number]) else { panic!("{number}") };
            assert!(sentence.contains(says), "{number}: wanted {says:?} in {sentence:?}");
        }
        let listed = BY_NUMBER.iter().filter(|(_, verdict)| matches!(verdict, Act(_)));
        assert_eq!(listed.flat_map(|(numbers, _)| *numbers).count(), ROWS.len(), "each number is tested");
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
        let sentences =
            BY_NUMBER.iter().map(|&(_, verdict)| verdict).chain(BY_WORD.iter().map(|&(_, verdict)| verdict));
        for verdict in sentences {
            let Act(sentence) = verdict else { continue };
            let (_, what_to_do) = sentence.split_once(": ").expect(sentence);
            let places = ["`presence2mqtt login", "Entra admin center > ", "graph.", "https://"];
            assert!(places.iter().any(|place| what_to_do.contains(place)), "{sentence}");
            assert!(!sentence.ends_with('.') && !sentence.contains('\n'), "{sentence}");
        }
    }

    #[test]
    fn what_passes_is_never_a_bad_sign_in() {
        for number in [50033, 50087, 90006, 90012, 90024, 90033, 90055, 90090] {
            assert_eq!(verdict("invalid_grant", &[700082, number]), Some(Passes), "{number}");
        }
        assert_eq!(verdict("temporarily_unavailable", &[7000215]), Some(Passes));
        assert_eq!(verdict("invalid_grant", &[50196]), Some(PassesAfter(Duration::from_secs(300))));
    }

    #[test]
    fn an_unknown_number_leaves_the_word_and_an_unknown_word_nothing() {
        for &(word, expected) in BY_WORD {
            assert_eq!(verdict(word, &[1]), Some(expected));
        }
        assert_eq!(verdict("authorization_pending", &[70016]), None);
        assert_eq!(verdict("invalid_new_thing", &[]), None);
    }
}
