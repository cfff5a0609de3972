//! The table of advice, in the order of who has to act.

use std::time::Duration;

use super::verdict::Advice;
use super::verdict::Verdict::{self, Act, Passes, PassesAfter};

/// How a managed identity gets a permission.
const GIVE_ROLE: &str = "give the managed identity the app role Presence.Read.All of Microsoft Graph (PowerShell: \
     New-MgServicePrincipalAppRoleAssignment), and look under Entra admin center > Enterprise applications > Permissions";

/// The person or the page declined; only the person knows which.
const DECLINED: Advice = Advice::new(
    "the sign-in was declined",
    "sign in again with `presence2mqtt login` and accept it; if the page refused the code, use `presence2mqtt login --browser`; \
     if it said \"Need admin approval\", hand the page docs/for-administrators.md to an administrator",
);

/// The code was not used, or the page rejected the person; the bridge is not told which.
pub(super) const EXPIRED_CODE: Advice = Advice::new(
    "the code was not used in time",
    "start again with `presence2mqtt login`; if the page refused the code, use `presence2mqtt login --browser`; \
     if it said \"Need admin approval\", hand the page docs/for-administrators.md to an administrator",
);

/// By number, in groups: no one has to act, the person, an administrator, the owner of the configuration.
#[rustfmt::skip] // A table: one line for each sentence.
pub(super) const BY_NUMBER: &[(&[u32], Verdict)] = &[
    // No one has to act. 70016, the wait for a device code, is recognised by its word.
    (&[50033, 50087, 50166, 90006, 90012, 90024, 90033, 90055, 90090, 90091], Passes),
    (&[50196], PassesAfter(Duration::from_secs(300))),

    // The person signs in again.
    (&[700082, 70008, 700084], Act(Advice::new("the sign-in has expired or was not used for too long", "sign in again with `presence2mqtt login`"))),
    (&[70043, 70044], Act(Advice::new("the tenant ends sign-ins after some time", "sign in again with `presence2mqtt login`, or ask an administrator to exempt this account under Entra admin center > Conditional Access > Session > Sign-in frequency"))),
    (&[50173], Act(Advice::new("the sign-in was revoked, perhaps because the password changed", "sign in again with `presence2mqtt login`"))),
    (&[70000], Act(Advice::new("the stored sign-in is no longer valid", "sign in again with `presence2mqtt login`"))),
    (&[50089], Act(Advice::new("the sign-in took too long", "start it again with `presence2mqtt login`"))),
    (&[50132, 50133, 50139, 50143], Act(Advice::new("the session has ended, perhaps because the password changed", "sign in again with `presence2mqtt login`"))),
    (&[50058, 50085, 50197, 51006, 700020, 9002341], Act(Advice::new("the service requires a person at its sign-in page", "sign in again with `presence2mqtt login`"))),
    (&[50074, 50076, 50078, 50158], Act(Advice::new("the tenant asks for multi-factor authentication", "sign in again with `presence2mqtt login` and confirm it there").app("ask an administrator to exclude the app, which cannot confirm anything, from the policy under Entra admin center > Conditional Access"))),
    (&[50072, 50079, 53004], Act(Advice::new("the account must register for multi-factor authentication", "do so at https://aka.ms/mfasetup, then sign in again with `presence2mqtt login`"))),
    (&[53010], Act(Advice::new("the account must register for multi-factor authentication, and may do so in certain places or on certain devices only", "register there at https://aka.ms/mfasetup, then sign in again with `presence2mqtt login`"))),
    (&[50126, 50056, 50064], Act(Advice::new("the name or the password is wrong", "sign in again with `presence2mqtt login`"))),
    (&[65004], Act(DECLINED)),
    (&[70019, 70020], Act(EXPIRED_CODE)),
    (&[70018, 90119, 90120], Act(Advice::new("the code is not valid, or was used already", "start again with `presence2mqtt login`"))),
    (&[50134], Act(Advice::new("the code was used far from the place where it was requested", "use `presence2mqtt login --browser`"))),
    (&[54005], Act(Advice::new("the code from the browser was used twice", "start again with `presence2mqtt login --browser`"))),
    (&[501481], Act(Advice::new("the answer from the browser belongs to another attempt", "start again with `presence2mqtt login --browser`"))),

    // An administrator consents or changes a policy.
    (&[530035], Act(Advice::new("security defaults of this tenant block device codes", "use `presence2mqtt login --browser`, and set graph.auth.method = \"browser\""))),
    (&[530034], Act(Advice::new("the tenant blocks this way to sign in, or suspects the account", "use `presence2mqtt login --browser`; if that is refused too, ask an administrator to look under Entra admin center > Sign-in logs"))),
    (&[53003], Act(Advice::new("a Conditional Access policy blocks this way to sign in", "if it blocks device codes, use `presence2mqtt login --browser`, otherwise ask an administrator to look under Entra admin center > Sign-in logs > Conditional Access").app("ask an administrator to exclude the app from the policy under Entra admin center > Conditional Access > Workload identities").managed_identity("ask an administrator to exclude the managed identity from the policy under Entra admin center > Conditional Access > Workload identities"))),
    (&[53000, 53001, 50005, 50097, 50129, 50155, 50187, 135011], Act(Advice::new("a Conditional Access policy requires a managed device", "use `presence2mqtt login --browser --no-open` with a browser on such a device, or ask an administrator for an exception under Entra admin center > Conditional Access").app("ask an administrator to exclude the app, which has no device, from the policy under Entra admin center > Conditional Access"))),
    (&[53002, 50127], Act(Advice::new("a Conditional Access policy allows approved apps only", "ask an administrator for an exception under Entra admin center > Conditional Access"))),
    (&[530032, 50131, 1000031], Act(Advice::new("a security policy of the tenant blocks this sign-in", "ask an administrator to look under Entra admin center > Sign-in logs"))),
    (&[53011, 50135], Act(Advice::new("the account is blocked because it is at risk", "ask an administrator to look under Entra admin center > Identity Protection > Risky users"))),
    (&[500212], Act(Advice::new("the account's own organisation does not let it sign in to this tenant", "sign in with an account of graph.tenant_id, or ask an administrator there to look under Entra admin center > External Identities > Cross-tenant access settings"))),
    (&[500213], Act(Advice::new("this tenant does not admit accounts of that organisation", "sign in with an account of graph.tenant_id, or ask an administrator to look under Entra admin center > External Identities > Cross-tenant access settings"))),
    (&[50002, 500021, 500022], Act(Advice::registered("this machine's network allows other tenants only", "ask an administrator of the network to allow graph.tenant_id, under tenant restrictions"))),
    (&[65001, 90008], Act(Advice::new("the app's permissions have no consent yet", "sign in again with `presence2mqtt login` and accept them, or click Grant admin consent under Entra admin center > App registrations > API permissions").app("click Grant admin consent under Entra admin center > App registrations > API permissions").managed_identity(GIVE_ROLE))),
    (&[90094, 90095], Act(Advice::registered("only an administrator may consent here (\"Need admin approval\")", "hand the page docs/for-administrators.md to one, who clicks Grant admin consent under Entra admin center > App registrations > API permissions"))),
    (&[90093], Act(Advice::registered("the account may not consent", "hand the page docs/for-administrators.md to an administrator, who clicks Grant admin consent under Entra admin center > App registrations > API permissions"))),
    (&[90099], Act(Advice::registered("the app is not authorised in this tenant", "ask an administrator to click Grant admin consent under Entra admin center > Enterprise applications > Permissions"))),
    (&[50105], Act(Advice::new("the account is not assigned to the app", "ask an administrator to add it under Entra admin center > Enterprise applications > Users and groups").app("ask an administrator to set Assignment required to No under Entra admin center > Enterprise applications > Properties"))),
    (&[650052], Act(Advice::registered("the tenant lacks a service that the app asks for", "ask an administrator to compare Entra admin center > App registrations > API permissions with the tenant's subscriptions"))),
    (&[650054], Act(Advice::registered("the app requests permissions of a service that no longer exists", "remove them under Entra admin center > App registrations > API permissions"))),
    (&[65005, 650056, 650057], Act(Advice::registered("the app requests no permission of Microsoft Graph", "add it under Entra admin center > App registrations > API permissions and click Grant admin consent"))),
    (&[65002], Act(Advice::registered("graph.client_id is an app of Microsoft's own, which may not be used for this", "register an app under Entra admin center > App registrations"))),

    // An administrator corrects the account.
    (&[50034, 51004, 50014, 16000, 16003, 90072], Act(Advice::new("this tenant has no such account", "check which account signs in, and graph.tenant_id against Entra admin center > Overview").app("check graph.tenant_id against Entra admin center > Overview"))),
    (&[50057], Act(Advice::new("the account is disabled", "ask an administrator to enable it under Entra admin center > Users"))),
    (&[50053], Act(Advice::new("the account is locked, or its address is suspected", "wait some minutes, then ask an administrator to look under Entra admin center > Sign-in logs"))),
    (&[50055, 50125, 50142, 50144], Act(Advice::new("the password has expired or must be changed", "change it at https://mysignins.microsoft.com, then sign in again with `presence2mqtt login`"))),
    (&[50020, 500208], Act(Advice::new("the account belongs to another tenant, or is a personal one", "sign in with one of graph.tenant_id, or change that to the account's own").app("check graph.tenant_id against Entra admin center > Overview"))),

    // The owner of the bridge corrects the configuration or the registration.
    (&[7000215], Act(Advice::registered("the client secret is wrong", "copy the secret's value, not its id, from Entra admin center > App registrations > Certificates & secrets"))),
    (&[7000222], Act(Advice::registered("the client secret has expired", "make a new one under Entra admin center > App registrations > Certificates & secrets"))),
    (&[70002], Act(Advice::registered("the app's credential is refused, or it may not sign people in without one", "compare [graph.auth] with Entra admin center > App registrations > Certificates & secrets, and for people set Allow public client flows to Yes under Authentication"))),
    (&[700027], Act(Advice::registered("the certificate is not one of this app's", "upload it under Entra admin center > App registrations > Certificates & secrets, and check graph.client_id"))),
    (&[700030], Act(Advice::registered("the certificate's subject or issuer is not allowed for this app", "compare it with Entra admin center > App registrations > Certificates & secrets"))),
    (&[1000502], Act(Advice::registered("the certificate has expired", "make a new one, upload it under Entra admin center > App registrations > Certificates & secrets, and replace graph.auth.certificate_file"))),
    (&[50012, 50013, 50027, 50048, 700021, 700023], Act(Advice::registered("the app's proof is refused", "check graph.client_id, the certificate or federated credential under Entra admin center > App registrations > Certificates & secrets, and this machine's clock"))),
    (&[500133, 700024], Act(Advice::registered("the app's proof is too old or not valid yet", "set this machine's clock; a federated token in graph.auth.federated_token_file may also be too old"))),
    (&[70021, 700211, 700212, 700213], Act(Advice::registered("no federated credential fits the token", "compare its issuer, subject and audience with Entra admin center > App registrations > Certificates & secrets > Federated credentials"))),
    (&[700229], Act(Advice::registered("the federated token belongs to a person, not to an app", "write an app's token into the file graph.auth.federated_token_file"))),
    (&[7000218], Act(Advice::new("the app may not sign people in without a secret", "use `presence2mqtt login --browser`, or set Allow public client flows to Yes under Entra admin center > App registrations > Authentication").app("set Allow public client flows to Yes under Entra admin center > App registrations > Authentication"))),
    (&[700025], Act(Advice::registered("the app is a public client, which has no secret", "use method \"device-code\", or set Allow public client flows to No under Entra admin center > App registrations > Authentication"))),
    (&[9002332], Act(Advice::registered("the app is for work and school accounts only", "write the tenant's GUID from Entra admin center > Overview in graph.tenant_id"))),
    (&[700016, 700011], Act(Advice::registered("this tenant does not know graph.client_id", "check it against Entra admin center > App registrations, and that graph.tenant_id is the app's tenant"))),
    (&[7000112], Act(Advice::all("the app is disabled", "ask an administrator to enable it under Entra admin center > Enterprise applications > Properties"))),
    (&[70001, 500014], Act(Advice::all("the app is disabled or not installed in this tenant", "ask an administrator to look under Entra admin center > Enterprise applications"))),
    (&[90002], Act(Advice::registered("graph.tenant_id is not a tenant", "check it against Entra admin center > Overview"))),
    (&[90038, 90051, 1000104], Act(Advice::all("this tenant is in another cloud", "set graph.cloud"))),
    (&[50194], Act(Advice::registered("the app is for one tenant only", "write its GUID from Entra admin center > Overview in graph.tenant_id"))),
    (&[9001023, 50059, 90019, 90124, 90130], Act(Advice::registered("this method needs one tenant", "write its GUID from Entra admin center > Overview in graph.tenant_id"))),
    (&[500011, 50001], Act(Advice::all("Microsoft Graph has another address in this cloud", "check graph.cloud and graph.graph_url"))),
    (&[70011, 28002, 1002012], Act(Advice::all("the requested permission does not exist in this cloud", "check graph.cloud and graph.graph_url"))),
    (&[50011, 70004, 900971, 500112], Act(Advice::registered("the app does not know the address that the browser returns to", "add http://localhost under Entra admin center > App registrations > Authentication > Mobile and desktop applications"))),
];

/// By word, for numbers that are not above (RFC 6749, section 5.2; OpenID Connect Core, section 3.1.2.6).
#[rustfmt::skip] // A table: one line for each sentence.
pub(super) const BY_WORD: &[(&str, Verdict)] = &[
    ("temporarily_unavailable", Passes),
    ("invalid_grant", Act(Advice::new("the sign-in is no longer valid", "sign in again with `presence2mqtt login`"))),
    ("interaction_required", Act(Advice::new("the tenant requires more proof of identity", "sign in again with `presence2mqtt login`"))),
    ("login_required", Act(Advice::new("the sign-in has ended", "sign in again with `presence2mqtt login`"))),
    ("consent_required", Act(Advice::registered("the app's permissions have no consent yet", "click Grant admin consent under Entra admin center > App registrations > API permissions").managed_identity(GIVE_ROLE))),
    ("access_denied", Act(DECLINED)),
    ("authorization_declined", Act(DECLINED)),
    ("expired_token", Act(EXPIRED_CODE)),
    ("code_expired", Act(EXPIRED_CODE)),
    ("invalid_client", Act(Advice::registered("the app's credential is refused", "compare [graph.auth] with Entra admin center > App registrations > Certificates & secrets"))),
    ("unauthorized_client", Act(Advice::registered("the app may not use this sign-in method", "compare graph.client_id and graph.auth.method with Entra admin center > App registrations > Authentication"))),
    ("invalid_scope", Act(Advice::all("the requested permission is refused", "check graph.cloud and graph.graph_url"))),
];
