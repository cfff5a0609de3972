//! Functions for tests of groups and sign-ins: they act as people and administrators, and return issued
//! secrets.

use crate::core::model::name::ObjectId;

use super::switches::Browser;
use super::tenant::Tenant;

impl Tenant {
    /// Makes a group of these people, or replaces its members.
    pub fn set_group(&self, group: ObjectId, members: &[ObjectId]) {
        self.state().groups.set(group, members.to_vec());
    }

    /// Deletes a group; false if there is none.
    pub fn remove_group(&self, group: ObjectId) -> bool {
        self.state().groups.remove(group)
    }

    /// Adds a person to a group; false if there is no such group, or the person is in it.
    pub fn join_group(&self, group: ObjectId, who: ObjectId) -> bool {
        let mut state = self.state();
        let members = state.groups.members(group).filter(|members| !members.contains(&who));
        members.map(|members| members.push(who)).is_some()
    }

    /// Removes a person from a group; false if there is no such group, or the person is not in it.
    pub fn leave_group(&self, group: ObjectId, who: ObjectId) -> bool {
        let mut state = self.state();
        let Some(members) = state.groups.members(group) else { return false };
        let before = members.len();
        members.retain(|member| *member != who);
        members.len() < before
    }

    /// The user codes that were not used yet, oldest first.
    #[must_use]
    pub fn device_codes(&self) -> Vec<String> {
        let state = self.state();
        state.sign_in.device_codes.pending(state.now.up)
    }

    /// Waits for a user code, and returns the newest.
    pub async fn wait_for_device_code(&self) -> String {
        let mut recorded = self.recorded();
        loop {
            if let Some(code) = self.device_codes().pop() {
                return code;
            }
            // The sender lives as long as the tenant, so there is always another change to wait for.
            let _ = recorded.changed().await;
        }
    }

    /// Signs this person in with this user code; false if the code is not valid.
    pub fn approve_device_code(&self, user_code: &str, who: ObjectId) -> bool {
        self.decide_device_code(user_code, Some(who))
    }

    /// Declines the sign-in with this user code; false if the code is not valid.
    pub fn decline_device_code(&self, user_code: &str) -> bool {
        self.decide_device_code(user_code, None)
    }

    fn decide_device_code(&self, user_code: &str, who: Option<ObjectId>) -> bool {
        let mut state = self.state();
        let now = state.now.up;
        state.sign_in.device_codes.decide(user_code, now, who)
    }

    /// From now on the browser page signs this person in without a question.
    pub fn sign_in_browser_as(&self, who: ObjectId) {
        self.switch(|switches| switches.browser = Browser::SignsIn(who));
    }

    /// Refuses every refresh token there is with this AADSTS number, such as 50173 (revoked), 700082
    /// (expired), 50076 (second factor needed), 65001 (no consent) or 53003 (Conditional Access); new
    /// sign-ins are good.
    pub fn refuse_refresh_tokens(&self, code: u32) {
        self.state().sign_in.refresh_tokens.refuse_all(code);
    }

    /// Revokes every sign-in there is, as a change of password does: access and refresh tokens alike.
    pub fn revoke_sign_ins(&self) {
        self.revoke_tokens();
        self.refuse_refresh_tokens(50173);
    }

    /// Every access token, refresh token, id token, device code and authorization code handed out so far, at
    /// most the newest 16,384, oldest first: what must not be found in logs and messages.
    #[must_use]
    pub fn secrets_issued(&self) -> Vec<String> {
        self.state().sign_in.secrets.all()
    }

    /// Every client assertion received, valid or not, at most the newest 1,024, oldest first.
    #[must_use]
    pub fn assertions_received(&self) -> Vec<String> {
        self.state().sign_in.assertions.seen()
    }
}
