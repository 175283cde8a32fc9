//! What a rule says, for whoever decides by it.

use std::time::Duration;

use actix_web::HttpRequest;

use super::{InUse, Rule, Terms};
use crate::{
    answer::OnLimited,
    failure_mode::FailureMode,
    http::named::Named,
    identity::{Identifier, Identity},
    limit::{Concurrency, Limit},
    log_throttle::LogThrottle,
    statuses::Statuses,
};

static INVALID_DYNAMIC: LogThrottle = LogThrottle::new(log::Level::Error);

impl Rule {
    /// The same with another limit in place of the written one, if there is one. That is a shadow
    /// already if the rule is.
    pub(in crate::http) fn map_limit(self, change: impl FnOnce(Limit) -> Limit) -> Self {
        let shadow = self.shadow;
        let whole = |limit: Limit| if shadow { limit.shadow() } else { limit };
        let change = |limit| change(whole(limit));
        let terms = match self.terms {
            Terms::Rate(limit) => Terms::Rate(change(limit)),
            Terms::Named(named, or) => Terms::Named(named, or.map(change)),
            other @ (Terms::Nothing | Terms::Places(_)) => other,
        };
        Self { terms, ..self }
    }

    /// The same with other places, if it has any.
    pub(in crate::http) fn map_places(
        self,
        change: impl FnOnce(Concurrency) -> Concurrency,
    ) -> Self {
        match self.places() {
            Some(places) => Self {
                terms: Terms::Places(change(places)),
                ..self
            },
            None => self,
        }
    }

    /// The places it asks for, if not for a limit.
    pub(in crate::http) fn places(&self) -> Option<Concurrency> {
        match self.terms {
            Terms::Places(written) => Some(self.places_for(written)),
            Terms::Nothing | Terms::Rate(_) | Terms::Named(..) => None,
        }
    }

    /// The places for a request in place of `written`.
    pub(in crate::http) fn places_for(&self, written: Concurrency) -> Concurrency {
        match self.shadow {
            true => written.shadow(),
            false => written,
        }
    }

    /// How long a request may be held; `None`: not at all.
    pub(in crate::http) fn longest_wait(&self) -> Option<Duration> {
        self.max_wait
    }

    /// The name of its limit in a configuration.
    pub(in crate::http) fn named_limit(&self) -> Option<&Named> {
        match &self.terms {
            Terms::Named(named, _) => Some(named),
            Terms::Nothing | Terms::Rate(_) | Terms::Places(_) => None,
        }
    }

    /// Whether its group is not limited.
    pub(in crate::http) fn is_unlimited(&self) -> bool {
        matches!(self.terms, Terms::Nothing)
    }

    /// What is written in the code; `None` also if there is but a name.
    pub(in crate::http) fn written_limit(&self) -> Option<&Limit> {
        match &self.terms {
            Terms::Rate(limit) => Some(limit),
            Terms::Named(_, or) => or.as_ref(),
            Terms::Nothing | Terms::Places(_) => None,
        }
    }

    /// The limit, if it applies as it is written to every request, and no request asks for more of it
    /// than whether it may go on.
    pub(in crate::http) fn plain_limit(&self) -> Option<&Limit> {
        let Terms::Rate(limit) = &self.terms else {
            return None;
        };
        let Self {
            terms: _,
            identifier: _,
            group: None,
            cost: None,
            skip_if: None,
            dynamic: None,
            on_limited: _,
            failure_mode: _,
            refund_on: None,
            max_wait: None,
            shadow: false,
        } = self
        else {
            return None;
        };
        Some(limit)
    }

    pub(in crate::http) fn skips(&self, request: &HttpRequest) -> bool {
        self.skip_if.as_ref().is_some_and(|skip| skip(request))
    }

    pub(in crate::http) fn own_identifier(&self) -> Option<&Identifier> {
        self.identifier.as_ref()
    }

    pub(in crate::http) fn group_name(&self) -> Option<&str> {
        self.group.as_deref()
    }

    pub(in crate::http) fn own_failure_mode(&self) -> Option<FailureMode> {
        self.failure_mode
    }

    pub(in crate::http) fn own_answer(&self) -> Option<&OnLimited> {
        self.on_limited.as_ref()
    }

    /// On which statuses it gives back.
    pub(in crate::http) fn statuses(&self) -> Option<&Statuses> {
        self.refund_on.as_ref()
    }

    /// The limit for this request in place of `written`, and what it takes.
    pub(in crate::http) fn limit_for<'a>(
        &self,
        written: InUse<'a>,
        request: &HttpRequest,
        identity: &Identity,
    ) -> (InUse<'a>, u32) {
        let limit = match self.dynamic_for(&written, request, identity) {
            Some(limit) => limit.into(),
            None => written,
        };
        let limit = match self.shadow {
            true => limit.shadow().into(),
            false => limit,
        };
        let cost = match &self.cost {
            Some(cost) => cost(request),
            None => limit.default_cost(),
        };
        (limit, cost)
    }

    fn dynamic_for(
        &self,
        written: &Limit,
        request: &HttpRequest,
        identity: &Identity,
    ) -> Option<Limit> {
        let limit = self.dynamic.as_ref()?(request, identity)?.in_place_of(written);
        match limit.validate() {
            Ok(()) => Some(limit),
            Err(error) => {
                INVALID_DYNAMIC.log(format_args!(
                    "the `dynamic` function of the limit \"{}\" gave an invalid limit ({error}); \
                     the written one applies",
                    written.policy_name().unwrap_or(written.zone_name())
                ));
                None
            }
        }
    }
}
