//! The errors of the sign-in service: one table of AADSTS numbers, in the words of Entra.
//!
//! Numbers: Microsoft's page "Microsoft Entra authentication and authorization error codes".

use serde_json::json;

use crate::simulate::message::Answer;
use crate::simulate::wire::Marks;

/// An error of the sign-in service: its AADSTS number and, where it helps, a name to put into the text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::simulate) struct SignInError {
    code: u32,
    about: String,
    /// The OAuth error, where a flow has a word of its own for the number.
    error: Option<&'static str>,
}

impl SignInError {
    pub(in crate::simulate) fn new(code: u32, about: impl Into<String>) -> Self {
        Self { code, about: about.into(), error: None }
    }

    /// The same number under another OAuth error.
    pub(super) fn called(self, error: &'static str) -> Self {
        Self { error: Some(error), ..self }
    }

    /// The OAuth error.
    pub(super) fn error(&self) -> &'static str {
        self.error.unwrap_or(self.words().1)
    }

    /// What the error means, with its number and the ids to quote to Microsoft.
    pub(super) fn description(&self, marks: &Marks) -> String {
        let (code, text, timestamp) = (self.code, self.words().2, timestamp(marks));
        let (trace, correlation) = (&marks.request_id, &marks.client_request_id);
        format!(
            "AADSTS{code}: {text}\r\nTrace ID: {trace}\r\nCorrelation ID: {correlation}\r\nTimestamp: {timestamp}"
        )
    }

    /// The answer as Entra writes it.
    pub(in crate::simulate) fn answer(&self, marks: &Marks) -> Answer {
        let code = self.code;
        let mut body = json!({
            "error": self.error(),
            "error_description": self.description(marks),
            "error_codes": [code],
            "timestamp": timestamp(marks),
            "trace_id": marks.request_id,
            "correlation_id": marks.client_request_id,
            "error_uri": format!("https://login.microsoftonline.com/error?code={code}"),
        });
        if let Some(suberror) = self.suberror() {
            body["suberror"] = suberror.into();
        }
        Answer::json(self.words().0, body)
    }

    /// What MSAL reads to choose between asking the person and telling an administrator.
    fn suberror(&self) -> Option<&'static str> {
        match self.code {
            50074 | 50076 | 50078 | 50079 | 50158 => Some("basic_action"),
            65001 => Some("consent_required"),
            53000 | 53001 | 53003 | 530032 | 530035 => Some("message_only"),
            50173 | 700082 => Some("bad_token"),
            _ => None,
        }
    }

    /// HTTP status, OAuth error and text.
    fn words(&self) -> (u16, &'static str, String) {
        let about = &self.about;
        let (status, error, text) = match self.code {
            900144 => (400, "invalid_request", format!("The request body must contain the following parameter: '{about}'.")),
            90002 => (400, "invalid_request", format!("Tenant '{about}' not found. Check to make sure you have the correct tenant ID.")),
            50194 => (400, "invalid_request", format!("Application '{about}' is not configured as a multi-tenant application. Use a tenant-specific endpoint.")),
            9001023 => (400, "invalid_request", "The grant type is not supported over the /common or /consumers endpoints. Please use the /organizations or tenant-specific endpoint.".into()),
            700016 => (400, "unauthorized_client", format!("Application with identifier '{about}' was not found in the directory 'Contoso'.")),
            70003 => (400, "unsupported_grant_type", format!("The app requested an unsupported grant type '{about}'.")),
            70005 => (400, "unsupported_response_type", format!("The app requested an unsupported response type '{about}'.")),
            70007 => (400, "invalid_request", format!("'{about}' is not a supported value for 'response_mode' here.")),
            50011 => (400, "invalid_request", format!("The redirect URI '{about}' specified in the request does not match the redirect URIs configured for the application.")),
            500112 => (400, "invalid_grant", "The reply address does not match the reply address provided when requesting the authorization code.".into()),
            70011 => (400, "invalid_scope", format!("The provided value for the input parameter 'scope' is not valid. The scope '{about}' is not valid.")),
            1002012 | 28002 => (400, "invalid_scope", format!(
                "The provided value for scope {about} is not valid. Client credential flows must have a scope value with /.default suffixed to the resource identifier (application ID URI)."
            )),
            500011 => (400, "invalid_resource", format!("The resource principal named {about} was not found in the tenant named Contoso.")),
            7000215 => (401, "invalid_client", format!(
                "Invalid client secret provided. Ensure the secret being sent in the request is the client secret value, not the client secret ID, for a secret added to app '{about}'."
            )),
            7000218 => (401, "invalid_client", "The request body must contain the following parameter: 'client_assertion' or 'client_secret'.".into()),
            7000222 => (401, "invalid_client", format!("The provided client secret keys for app '{about}' are expired.")),
            700025 => (401, "invalid_client", "Client is public so neither 'client_assertion' nor 'client_secret' should be presented.".into()),
            50027 => (401, "invalid_client", format!("JWT token is invalid or malformed: {about}.")),
            700027 => (401, "invalid_client", format!("The certificate with identifier used to sign the client assertion is not registered on application. [Reason - {about}]")),
            50012 => (401, "invalid_client", "Client assertion contains an invalid signature.".into()),
            50013 => (401, "invalid_client", format!("Assertion failed validation: {about}.")),
            700021 => (401, "invalid_client", "Client assertion application identifier doesn't match 'client_id' parameter.".into()),
            700023 => (401, "invalid_client", format!("Client assertion audience claim does not match Realm issuer: {about}.")),
            700024 => (401, "invalid_client", format!("Client assertion is not within its valid time range. {about}")),
            700030 => (401, "invalid_client", "Invalid certificate - subject name in certificate isn't authorized.".into()),
            1000502 => (401, "invalid_client", "The provided certificate is not within its specified validity range.".into()),
            700211 => (401, "invalid_client", format!("No matching federated identity record found for presented assertion issuer '{about}'.")),
            700212 => (401, "invalid_client", format!("No matching federated identity record found for presented assertion audience '{about}'.")),
            700213 => (401, "invalid_client", format!("No matching federated identity record found for presented assertion subject '{about}'.")),
            70016 => (400, "authorization_pending", "OAuth 2.0 device flow error. Authorization is pending. Continue polling.".into()),
            70018 => (400, "bad_verification_code", "Invalid verification code.".into()),
            70019 | 70020 => (400, "expired_token", "The provided value for the input parameter 'device_code' is not valid. This device code has expired.".into()),
            50033 | 50087 | 90006 | 90012 | 90024 | 90033 | 90090 => (503, "temporarily_unavailable", "A transient error has occurred. Please try again.".into()),
            90055 => (429, "temporarily_unavailable", "The tenant is throttled because of too many requests.".into()),
            65004 => (400, "access_denied", "The user declined to consent.".into()),
            50058 => (400, "login_required", "A silent sign-in request was sent but no user is signed in.".into()),
            50074 | 50076 | 50078 | 50079 | 50158 => (400, "interaction_required", "Due to a configuration change made by your administrator, or because you moved to a new location, you must use multi-factor authentication to access Microsoft Graph.".into()),
            65001 => (400, "invalid_grant", format!("The user or administrator has not consented to use the application '{about}'. Send an interactive authorization request for this user and resource.")),
            530035 => (400, "invalid_grant", "Access has been blocked by security defaults. This is due to the request using legacy auth or being deemed unsafe by security defaults policies.".into()),
            53003 => (400, "invalid_grant", "Access has been blocked by Conditional Access policies. The access policy does not allow token issuance.".into()),
            50034 => (400, "invalid_grant", "The user account does not exist in the directory.".into()),
            50173 => (400, "invalid_grant", "The provided grant has expired due to it being revoked, a fresh auth token is needed. The user might have changed or reset their password.".into()),
            700082 => (400, "invalid_grant", "The refresh token has expired due to inactivity.".into()),
            70000 => (400, "invalid_grant", "Provided grant is invalid or malformed.".into()),
            70008 => (400, "invalid_grant", "The provided authorization code or refresh token has expired. Send a new interactive authorization request for this user and resource.".into()),
            54005 => (400, "invalid_grant", "OAuth2 Authorization code was already redeemed, please retry with a new valid code or use an existing refresh token.".into()),
            501481 => (400, "invalid_grant", "The Code_Verifier does not match the code_challenge supplied in the authorization request.".into()),
            _ => (400, "invalid_grant", "The request was refused.".into()),
        };
        (status, error, text)
    }
}

fn timestamp(marks: &Marks) -> String {
    marks.now.wall.strftime("%Y-%m-%d %H:%M:%SZ").to_string()
}

/// A plain failure of the service itself, with the wanted status.
pub(in crate::simulate) fn outage(status: u16, marks: &Marks) -> Answer {
    let code = if status == 429 { 90055 } else { 90033 };
    let mut answer = SignInError::new(code, "").answer(marks);
    answer.status = status;
    answer
}
