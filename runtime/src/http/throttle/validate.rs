//! Validates the rules of an entry when it is added. It looks at no request.

use actix_throttle_core::{
    limit::{AnyLimit, SlowDown},
    rule_check::{self, CheckedRule},
};

use crate::{engine::error::InitError, http::rule::Rule};

/// Checks the rules of an entry.
///
/// # Errors
///
/// The first problem that is found, with the entry's name.
pub(super) fn check(label: &str, shadow: bool, rules: &[Rule]) -> Result<(), InitError> {
    rule_check::check(label, shadow, rules).map_err(InitError::settings)
}

impl CheckedRule for Rule {
    fn group(&self) -> Option<&str> {
        self.group_name()
    }

    fn is_unlimited(&self) -> bool {
        Self::is_unlimited(self)
    }

    fn slow_down(&self) -> SlowDown {
        self.limit_options().slow_down
    }

    fn limit(&self) -> Option<AnyLimit> {
        let rate = self.static_limit().copied().map(AnyLimit::Rate);
        rate.or_else(|| self.concurrency_limit().map(AnyLimit::Concurrency))
    }

    fn settles(&self) -> bool {
        Self::settles(self)
    }

    fn any_option(&self) -> Option<&'static str> {
        self.options().next()
    }

    fn option_of_rate(&self) -> Option<&'static str> {
        self.options_of_rate().next()
    }

    fn identifier_problem(&self) -> Option<String> {
        self.own_identifier()?.validate()
    }

    fn has_identifier_of(&self, other: &Self) -> bool {
        match (self.own_identifier(), other.own_identifier()) {
            (Some(one), Some(other)) => one.is_same(other),
            (one, other) => one.is_none() && other.is_none(),
        }
    }
}
