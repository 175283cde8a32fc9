//! [`JwtBuilder`]: the settings of a [`Jwt`], checked once when it is built.

use std::{sync::Arc, time::Duration};

use super::{Jwt, JwtKey, JwtSettings, claims::Rules, token::TokenSource};
use crate::engine::error::InitError;

/// The default tolerance for clock differences between the issuer and this machine.
const DEFAULT_LEEWAY: Duration = Duration::from_secs(60);
const DEFAULT_USER_CLAIM: &str = "sub";
const DEFAULT_GROUP_CLAIM: &str = "group";

/// The settings of a [`Jwt`]. At least one [`key`](Self::key) is required; all other settings have
/// defaults.
///
/// ```
/// use std::time::Duration;
///
/// use actix_throttle::{Jwt, JwtKey};
///
/// # fn main() -> Result<(), actix_throttle::InitError> {
/// const OLD: &str = "-----BEGIN PUBLIC KEY-----
/// MCowBQYDK2VwAyEA11qYAYKxCrfVS/7TyWQHOg7hcvPapiMlrwIaaPcHURo=
/// -----END PUBLIC KEY-----";
/// const NEW: &str = "-----BEGIN PUBLIC KEY-----
/// MFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEf83OJ3D2xF1Bg8vub9tLe1gHMzV7
/// 6e8Tus9uPHvRVEXH8UTNG72bfocs3+257rn0s2ldbqkLJK2KRiMohYjlrQ==
/// -----END PUBLIC KEY-----";
///
/// let jwt = Jwt::builder()
///     .key(JwtKey::public(OLD).id("2025"))
///     .key(JwtKey::public(NEW).id("2026"))
///     .issuer("https://id.example.com")
///     .audience("shop")
///     .leeway(Duration::from_secs(10))
///     .user_claim("user")
///     .group_claim("plan")
///     .cookie("token")
///     .build()?;
/// # let _ = jwt;
/// # Ok(()) }
/// ```
#[derive(Clone, Debug)]
#[must_use = "a builder does nothing until `build`"]
pub struct JwtBuilder {
    keys: Vec<JwtKey>,
    issuers: Vec<String>,
    audiences: Vec<String>,
    leeway: Duration,
    user_claim: String,
    group_claim: String,
    cookie: Option<String>,
}

impl JwtBuilder {
    pub(super) fn new() -> Self {
        Self {
            keys: Vec::new(),
            issuers: Vec::new(),
            audiences: Vec::new(),
            leeway: DEFAULT_LEEWAY,
            user_claim: DEFAULT_USER_CLAIM.to_owned(),
            group_claim: DEFAULT_GROUP_CLAIM.to_owned(),
            cookie: None,
        }
    }

    /// Adds a key that may sign tokens. Call it again for more keys, for example during a key
    /// rotation.
    pub fn key(mut self, key: JwtKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Adds an issuer. The claim `iss` must name one of them. Default: any issuer with a key.
    ///
    /// Users of several issuers are counted separately, because names are unique within one issuer
    /// only. Every key may sign for every issuer. For issuers that do not trust each other, build
    /// one [`Jwt`] each.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// Adds an audience. The claim `aud` must be one of them or a list that contains one. Default:
    /// the token must have no `aud`, because an audience that is not configured here is another
    /// service (RFC 7519, section 4.1.3).
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// Sets how far the issuer's clock may be off when `exp` and `nbf` are checked. Whole seconds,
    /// a fraction is cut off. Default: 60 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// Sets the claim that names the user, a text or a whole number. Default: `sub`.
    pub fn user_claim(mut self, claim: impl Into<String>) -> Self {
        self.user_claim = claim.into();
        self
    }

    /// Sets the claim that names the user's group, a text or a whole number. Default: `group`. A
    /// user without this claim is in the group `default`.
    pub fn group_claim(mut self, claim: impl Into<String>) -> Self {
        self.group_claim = claim.into();
        self
    }

    /// Reads the token from this cookie. Default: the header `Authorization: Bearer` (RFC 6750).
    pub fn cookie(mut self, name: impl Into<String>) -> Self {
        self.cookie = Some(name.into());
        self
    }

    /// Checks the settings and builds the [`Jwt`].
    ///
    /// # Errors
    ///
    /// [`is_settings`](InitError::is_settings) if there is no key, if a key cannot be read or does
    /// not fit its algorithms, or if a name is empty or not a cookie name.
    pub fn build(self) -> Result<Jwt, InitError> {
        let error = |diagnostic: String| InitError::settings(format!("`Jwt`: {diagnostic}"));
        if self.keys.is_empty() {
            return Err(error(
                "no key: give `.key(JwtKey::secret(..))` or `.key(JwtKey::public(..))`".to_owned(),
            ));
        }
        let names = [
            ("issuer", &self.issuers[..]),
            ("audience", &self.audiences[..]),
            ("user_claim", std::slice::from_ref(&self.user_claim)),
            ("group_claim", std::slice::from_ref(&self.group_claim)),
            ("cookie", self.cookie.as_slice()),
        ];
        for (setting, names) in names {
            if names.iter().any(String::is_empty) {
                return Err(error(format!(
                    "`{setting}` is empty: name one, or leave it out"
                )));
            }
        }
        let token_source = match self.cookie {
            None => TokenSource::Bearer,
            Some(name) => TokenSource::cookie(name).map_err(error)?,
        };
        let keys = self.keys.into_iter().map(JwtKey::check);
        let keys = keys.collect::<Result<_, _>>().map_err(error)?;
        let rules = Rules {
            issuers: self.issuers,
            audiences: self.audiences,
            leeway: self.leeway.as_secs(),
            user_claim: self.user_claim.into(),
            group_claim: self.group_claim,
        };
        Ok(Jwt(Arc::new(JwtSettings {
            keys,
            rules,
            token_source,
        })))
    }
}
