//! The settings of a limiter that concern HTTP.

use crate::{
    engine::error::InitError,
    identity::{ClientIp, Identifier},
    response::{HeaderStyle, OnLimited, OnUnidentified},
};

/// Settings of HTTP that all handlers of one limiter share.
#[derive(Debug, Default)]
pub(crate) struct HttpSettings {
    pub(crate) identifier: Identifier,
    pub(crate) clients: ClientIp,
    pub(crate) headers: HeaderStyle,
    pub(crate) on_limited: Option<OnLimited>,
    pub(crate) on_unidentified: Option<OnUnidentified>,
    /// The reason why a setting is invalid whose method returns no error.
    pub(super) invalid: Option<String>,
}

impl HttpSettings {
    /// Checks that each setting is in its range.
    pub(super) fn validate(&self) -> Result<(), InitError> {
        if !(1..=128).contains(&self.clients.ipv6_prefix) {
            return Err(InitError::settings("`ipv6_prefix` must be from 1 to 128"));
        }
        if let Some(problem) = self.clients.problem() {
            return Err(InitError::settings(problem));
        }
        match self.invalid.clone().or_else(|| self.identifier.validate()) {
            None => Ok(()),
            Some(diagnostic) => Err(InitError::settings(diagnostic)),
        }
    }

    /// Whether both are equal, as far as can be told: functions cannot be compared.
    pub(super) fn is_equal(&self, other: &Self) -> bool {
        self.identifier.is_same(&other.identifier)
            && self.clients == other.clients
            && self.headers == other.headers
            && self.on_limited.is_some() == other.on_limited.is_some()
            && self.on_unidentified.is_some() == other.on_unidentified.is_some()
    }
}
