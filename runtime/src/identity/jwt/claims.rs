//! Checks the claims of a token whose signature is valid, and reads the user and the group from
//! them.

use std::sync::Arc;

use actix_throttle_core::identity::{Identity, IdentitySource};
use serde_json::{Map, Value as Json};

use super::error::TokenError;
use crate::identity::user_group::{UserGroup, UserGroupError};

pub(super) type Claims = Map<String, Json>;

#[derive(Debug)]
pub(super) struct Rules {
    pub(super) issuers: Vec<String>,
    pub(super) audiences: Vec<String>,
    /// The tolerance for clock differences, in seconds.
    pub(super) leeway: u64,
    pub(super) user_claim: Arc<str>,
    pub(super) group_claim: String,
}

impl Rules {
    pub(super) fn source(&self) -> IdentitySource {
        IdentitySource::Claim(Arc::clone(&self.user_claim))
    }

    /// Checks the claims at `now`, in seconds since the Unix epoch, and returns the user's
    /// identity.
    pub(super) fn identity(&self, claims: &Claims, now: u64) -> Result<Identity, TokenError> {
        self.check_time(claims, now)?;
        self.check_audience(claims)?;
        let issuer = self.issuer(claims)?;
        let (user, group) = (claims.get(&*self.user_claim), claims.get(&self.group_claim));
        let mut stated = UserGroup::read(user, group).map_err(|unstated| {
            let (claim, setting, what) = match unstated {
                UserGroupError::NoUser => (&*self.user_claim, "user_claim", "missing or empty"),
                UserGroupError::User => {
                    (&*self.user_claim, "user_claim", "no text or whole number")
                }
                UserGroupError::Group => {
                    (&*self.group_claim, "group_claim", "no text or whole number")
                }
            };
            TokenError::Unusable(format!(
                "its claim `{claim}` is {what}; name another by `.{setting}(..)`"
            ))
        })?;
        if let Some(issuer) = issuer {
            stated.user = user_of(issuer, &stated.user);
        }
        Ok(stated.identity(self.source()))
    }

    /// Returns the identity that a user of this issuer is counted by.
    pub(super) fn user_of(&self, issuer: &str, user: &str) -> Identity {
        if self.issuers.len() > 1 {
            Identity::token_claim(&self.user_claim, &user_of(issuer, user))
        } else {
            Identity::token_claim(&self.user_claim, user)
        }
    }

    /// Checks `exp` and `nbf` (RFC 7519, sections 4.1.4 and 4.1.5).
    fn check_time(&self, claims: &Claims, now: u64) -> Result<(), TokenError> {
        let Some(expiry) = claims.get("exp") else {
            return Err(TokenError::Unusable(
                "it never expires: it has no `exp`".to_owned(),
            ));
        };
        match seconds(expiry) {
            None => return Err(TokenError::Unusable("its `exp` is no time".to_owned())),
            Some(expiry) if now >= expiry.saturating_add(self.leeway) => {
                return Err(TokenError::Untrusted("it has expired"));
            }
            Some(_) => {}
        }
        match claims.get("nbf").map(seconds) {
            None => Ok(()),
            Some(None) => Err(TokenError::Unusable("its `nbf` is no time".to_owned())),
            Some(Some(start)) if now.saturating_add(self.leeway) < start => {
                Err(TokenError::Untrusted("it is not valid yet"))
            }
            Some(Some(_)) => Ok(()),
        }
    }

    fn check_audience(&self, claims: &Claims) -> Result<(), TokenError> {
        let is_ours = |json: &Json| {
            let name = json.as_str();
            name.is_some_and(|name| self.audiences.iter().any(|ours| ours == name))
        };
        match claims.get("aud") {
            None if self.audiences.is_empty() => Ok(()),
            Some(_) if self.audiences.is_empty() => Err(TokenError::Unusable(
                "it is for an audience; if that is this application, name it by `.audience(..)`"
                    .to_owned(),
            )),
            Some(Json::Array(list)) if list.iter().any(is_ours) => Ok(()),
            Some(one) if is_ours(one) => Ok(()),
            _ => Err(TokenError::Untrusted("it is for another audience")),
        }
    }

    /// Checks `iss` and returns it if users need it: with several issuers, a user name alone is not
    /// unique.
    fn issuer(&self, claims: &Claims) -> Result<Option<&str>, TokenError> {
        if self.issuers.is_empty() {
            return Ok(None);
        }
        let named = claims.get("iss").and_then(Json::as_str);
        let known = self.issuers.iter().find(|issuer| Some(&***issuer) == named);
        match known {
            Some(issuer) => Ok((self.issuers.len() > 1).then_some(issuer)),
            None => Err(TokenError::Untrusted("it is of another issuer")),
        }
    }
}

/// Joins an issuer and a user. The length prefix makes the text unambiguous, whatever characters
/// both contain.
fn user_of(issuer: &str, user: &str) -> String {
    format!("{}:{issuer}:{user}", issuer.len())
}

/// Reads a time in seconds since the Unix epoch (RFC 7519, section 2: `NumericDate`). A fraction is
/// cut off.
#[allow(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what does not fit becomes the nearest that does"
)]
fn seconds(json: &Json) -> Option<u64> {
    json.as_u64()
        .or_else(|| json.as_f64().map(|seconds| seconds as u64))
}
