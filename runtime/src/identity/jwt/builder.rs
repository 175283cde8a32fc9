use std::{sync::Arc, time::Duration};

use super::{Jwt, JwtKey, Settings, claims::Rules, token::TokenSource};
use crate::error::InitError;

/// Clocks of issuers are allowed to be this far off.
const DEFAULT_LEEWAY: Duration = Duration::from_secs(60);
const DEFAULT_USER_CLAIM: &str = "sub";
const DEFAULT_GROUP_CLAIM: &str = "group";

/// The settings of a [`Jwt`]. At least one [`key`](Self::key) must be named; everything else has a
/// default.
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

    /// A key that tokens may be signed with. Call it again for more, while keys are changed say.
    pub fn key(mut self, key: JwtKey) -> Self {
        self.keys.push(key);
        self
    }

    /// Who tokens must come from: the claim `iss` is this. Default: whoever has a key.
    ///
    /// Call it again for more. Users of several issuers are counted apart, as only one issuer's
    /// names are unique. Every key may sign for every issuer; for issuers that do not trust each
    /// other make a [`Jwt`] each.
    pub fn issuer(mut self, issuer: impl Into<String>) -> Self {
        self.issuers.push(issuer.into());
        self
    }

    /// Whom tokens must be for: the claim `aud` is this or has it in its list. Call it again for
    /// others that will do too. Default: tokens must not have an `aud`, for without a name here it
    /// is somebody else's (RFC 7519, section 4.1.3).
    pub fn audience(mut self, audience: impl Into<String>) -> Self {
        self.audiences.push(audience.into());
        self
    }

    /// How far the issuer's clock may be off, for `exp` and `nbf`. Whole seconds; default: 60 s.
    pub fn leeway(mut self, leeway: Duration) -> Self {
        self.leeway = leeway;
        self
    }

    /// The claim that names the user: a text or a whole number. Default: `sub`.
    pub fn user_claim(mut self, claim: impl Into<String>) -> Self {
        self.user_claim = claim.into();
        self
    }

    /// The claim that names the user's group: a text or a whole number. Default: `group`. Without
    /// it the user is in the group `default`.
    pub fn group_claim(mut self, claim: impl Into<String>) -> Self {
        self.group_claim = claim.into();
        self
    }

    /// Reads the token from this cookie. Default: from the header `Authorization: Bearer`.
    pub fn cookie(mut self, name: impl Into<String>) -> Self {
        self.cookie = Some(name.into());
        self
    }

    /// Checks the settings.
    ///
    /// # Errors
    ///
    /// [`is_settings`](InitError::is_settings) if there is no key, if one of them cannot be read or
    /// does not fit its algorithms, or if a name is empty.
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
        let place = match self.cookie {
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
        Ok(Jwt(Arc::new(Settings { keys, rules, place })))
    }
}
