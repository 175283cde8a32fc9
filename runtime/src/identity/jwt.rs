//! Users and groups from signed tokens (JWT, RFC 7519; JWS, RFC 7515).
//! [`Identifier`](super::Identifier) calls [`Jwt::identify`] for each request. This module never
//! fetches keys and never refuses a request: a token that does not count leaves the request
//! unidentified.

mod builder;
mod claims;
mod error;
mod key;
mod key_type;
mod public_key;
mod token;

use std::{
    fmt,
    sync::Arc,
    time::{SystemTime, UNIX_EPOCH},
};

use actix_throttle_core::identity::{Identity, IdentitySource};
use actix_web::HttpRequest;

pub use self::{builder::JwtBuilder, key::JwtKey};
use self::{claims::Rules, error::TokenError, key::SigningKey, token::TokenSource};
use crate::engine::{log_lines::UNUSABLE_TOKENS, log_throttle::TARGET};

/// Verifies signed tokens and reads the user and the group from them.
///
/// A token (JWT, signed as JWS) counts if all of this is true:
///
/// - One of the keys signed it, with an algorithm of that key.
/// - It has not expired (`exp`, which is required) and is already valid (`nbf`, if present).
/// - It comes from a configured [issuer](JwtBuilder::issuer) and is for a configured
///   [audience](JwtBuilder::audience).
///
/// Any other request is unidentified, and [`on_unidentified`](crate::Builder::on_unidentified)
/// decides what happens to it.
///
/// ```
/// use std::sync::LazyLock;
///
/// use actix_throttle::{Identifier, Jwt, JwtKey, RateLimiter};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let jwt = Jwt::builder()
///     .key(JwtKey::secret("a secret of at least 32 bytes, kept in a safe"))
///     .issuer("https://id.example.com")
///     .audience("shop")
///     .build()?;
///
/// let _ = RateLimiter::builder().memory().identifier(Identifier::jwt(jwt));
///
/// // A static, for rules. An invalid key panics on first use, so use it early in `main`.
/// static BY_TOKEN: LazyLock<Identifier> = LazyLock::new(|| {
///     let key = std::env::var("JWT_SECRET").unwrap_or("for tests alone".to_owned());
///     let jwt = Jwt::builder().key(JwtKey::secret(key)).build();
///     Identifier::jwt(jwt.expect("a valid JWT_SECRET"))
/// });
///
/// let _ = RateLimiter::builder().memory().identifier(&BY_TOKEN);
/// # Ok(()) }
/// ```
///
/// This does not authenticate requests: an application that serves users by their tokens must check
/// the tokens itself. If it does so before the limits are checked, an identifier function can
/// return the user it found, which saves the second signature check.
#[derive(Clone)]
pub struct Jwt(Arc<JwtSettings>);

struct JwtSettings {
    keys: Vec<SigningKey>,
    rules: Rules,
    token_source: TokenSource,
}

impl Jwt {
    /// Returns a builder without settings; begin with [`key`](JwtBuilder::key).
    pub fn builder() -> JwtBuilder {
        JwtBuilder::new()
    }

    /// Returns the identity that the request's token names; `None` without a token that counts.
    ///
    /// [`Identifier::jwt`](crate::Identifier::jwt) calls this. Call it yourself in a function that
    /// tries several sources:
    ///
    /// ```
    /// use std::sync::LazyLock;
    ///
    /// use actix_throttle::{Identity, Jwt, JwtKey, rate_limit};
    /// use actix_web::{HttpRequest, get};
    ///
    /// static STAFF: LazyLock<Jwt> = LazyLock::new(|| {
    ///     let key = JwtKey::secret("known to the service for staff alone");
    ///     Jwt::builder().key(key).build().expect("a valid key")
    /// });
    /// static CUSTOMERS: LazyLock<Jwt> = LazyLock::new(|| {
    ///     let key = JwtKey::secret("known to the service for customers alone");
    ///     let jwt = Jwt::builder().key(key).user_claim("customer").cookie("token");
    ///     jwt.build().expect("a valid key")
    /// });
    ///
    /// fn by_any_token(req: &HttpRequest) -> Option<Identity> {
    ///     STAFF.identify(req).or_else(|| CUSTOMERS.identify(req))
    /// }
    ///
    /// #[get("/")]
    /// #[rate_limit("10/minute", identifier = by_any_token)]
    /// #[rate_limit(unlimited, identifier = by_any_token, group = "admin")]
    /// async fn index() -> &'static str {
    ///     "ok"
    /// }
    /// ```
    #[must_use]
    pub fn identify(&self, request: &HttpRequest) -> Option<Identity> {
        let found = self
            .0
            .token_source
            .read(request, |token| self.examine(token))?;
        match found {
            Ok(identity) => return Some(identity),
            Err(TokenError::Untrusted(why)) => {
                log::debug!(target: TARGET, "a token identifies nobody: {why}");
            }
            Err(TokenError::Unusable(why)) => {
                UNUSABLE_TOKENS.log(format_args!("a genuine token identifies nobody: {why}"));
            }
        }
        None
    }

    /// Returns the identity of an issuer's user, to reset, block or inspect its counters. The
    /// issuer matters only if [several](JwtBuilder::issuer) are configured.
    ///
    /// ```
    /// use actix_throttle::{Identity, Jwt, JwtKey};
    ///
    /// # fn main() -> Result<(), actix_throttle::InitError> {
    /// let key = JwtKey::secret("a secret of at least 32 bytes, kept in a safe");
    /// let jwt = Jwt::builder().key(key).issuer("https://id.example.com").build()?;
    /// assert_eq!(jwt.user_of("https://id.example.com", "42"), Identity::token("42"));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn user_of(&self, issuer: &str, user: &str) -> Identity {
        self.0.rules.user_of(issuer, user)
    }

    pub(super) fn source(&self) -> IdentitySource {
        self.0.rules.source()
    }

    /// Returns whether both are clones of the same `Jwt`.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }

    fn examine(&self, token: &[u8]) -> Result<Identity, TokenError> {
        let now = SystemTime::now().duration_since(UNIX_EPOCH);
        self.examine_at(token, now.unwrap_or_default().as_secs())
    }

    /// Verifies the token and checks its claims at `now`, in seconds since the Unix epoch.
    fn examine_at(&self, token: &[u8], now: u64) -> Result<Identity, TokenError> {
        let claims = token::verify(token, &self.0.keys)?;
        self.0.rules.identity(&claims, now)
    }
}

impl fmt::Debug for Jwt {
    /// Writes the settings without the keys.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Jwt")
            .field("keys", &self.0.keys.len())
            .field("token_source", &self.0.token_source)
            .field("rules", &self.0.rules)
            .finish()
    }
}

#[cfg(test)]
mod tests;
