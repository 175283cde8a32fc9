//! The settings that apply where a rule has none: a limiter's, or those that a middleware or
//! WebSocket limiter sets in their place.

use actix_throttle_core::{enforcement::Enforcement, failure_mode::FailureMode};

use crate::{
    identity::Identifier,
    limiter::RateLimiter,
    response::{OnLimited, OnUnidentified},
};

/// The settings of a middleware or WebSocket limiter that take precedence over the limiter's.
#[derive(Clone, Debug, Default)]
pub(super) struct Overrides {
    pub(super) identifier: Option<Identifier>,
    pub(super) on_unidentified: Option<OnUnidentified>,
    pub(super) on_limited: Option<OnLimited>,
    pub(super) failure_mode: Option<FailureMode>,
}

/// A limiter, with the settings that take precedence over its own.
#[derive(Clone, Copy)]
pub(super) struct RuleContext<'a> {
    pub(super) limiter: &'a RateLimiter,
    /// The enforcement, which is read once, so that all rules of a request are decided alike.
    pub(super) enforcement: Enforcement,
    own: Option<&'a Overrides>,
}

impl<'a> RuleContext<'a> {
    /// The settings of the limiter alone.
    pub(super) fn of(limiter: &'a RateLimiter) -> Self {
        Self {
            limiter,
            enforcement: limiter.enforcement(),
            own: None,
        }
    }

    /// The settings of `own`, and the limiter's where `own` has none.
    pub(super) fn with(limiter: &'a RateLimiter, own: &'a Overrides) -> Self {
        Self {
            own: Some(own),
            ..Self::of(limiter)
        }
    }

    /// Whether limits only count and report.
    pub(super) fn is_shadow(self) -> bool {
        self.enforcement == Enforcement::Shadow
    }

    /// Whether limits neither count nor apply.
    pub(super) fn is_off(self) -> bool {
        self.enforcement == Enforcement::Off
    }

    pub(super) fn identifier(self) -> &'a Identifier {
        let own = self.own.and_then(|own| own.identifier.as_ref());
        own.unwrap_or(&self.limiter.settings().identifier)
    }

    pub(super) fn on_unidentified(self) -> Option<&'a OnUnidentified> {
        let own = self.own.and_then(|own| own.on_unidentified.as_ref());
        own.or(self.limiter.settings().on_unidentified.as_ref())
    }

    pub(super) fn on_limited(self) -> Option<&'a OnLimited> {
        let own = self.own.and_then(|own| own.on_limited.as_ref());
        own.or(self.limiter.settings().on_limited.as_ref())
    }

    pub(super) fn failure_mode(self) -> FailureMode {
        let own = self.own.and_then(|own| own.failure_mode);
        own.unwrap_or(self.limiter.engine().settings().failure_mode)
    }
}
