//! Entries of the middleware: paths and the rules for them, validated and named.

use actix_throttle_core::rule_check;

use super::{paths::Paths, validate::check};
use crate::{engine::error::InitError, http::rule::Rule};

/// An entry: the rules for requests that match its paths.
#[derive(Clone, Debug)]
pub(super) struct RouteRules {
    pub(super) paths: Paths,
    /// The name and zone of the entry's limits that have none of their own.
    label: &'static str,
    /// The rules; if there are none, the requests are not limited.
    rules: Vec<Rule>,
}

impl RouteRules {
    /// Creates an entry that comes after the entries `before`.
    pub(super) fn new(
        paths: Paths,
        rules: impl IntoIterator<Item = Rule>,
        before: &[Self],
    ) -> Result<Self, InitError> {
        paths.check_methods()?;
        paths.check_name()?;
        let label = label(&paths, before)?;
        let shadow = paths.is_shadow();
        let mut limits = 0;
        let named = rules.into_iter().map(|rule| {
            let rule = if shadow { rule.shadow() } else { rule };
            let has_limit = rule.static_limit().is_some() || rule.concurrency_limit().is_some();
            limits += usize::from(has_limit);
            let name = rule_check::name_of_limit(label, limits);
            let rule =
                rule.map_concurrency(|concurrency| concurrency.with_default_name(name, label));
            rule.map_limit(|limit| {
                let limit = limit.with_default_name(label, name);
                if shadow { limit.shadow() } else { limit }
            })
        });
        let rules: Vec<Rule> = named.collect();
        check(label, shadow, &rules)?;
        let rules = if shadow {
            rules.into_iter().map(Rule::undelayed).collect()
        } else {
            rules
        };
        Ok(Self {
            paths,
            label,
            rules,
        })
    }

    /// Creates an entry whose requests are not limited.
    pub(super) fn exempt(paths: Paths) -> Result<Self, InitError> {
        paths.check_methods()?;
        if paths.is_shadow() {
            return Err(InitError::settings(
                "an exempt entry of a `Throttle` cannot be a shadow: there is nothing to count",
            ));
        }
        Ok(Self {
            paths,
            label: "",
            rules: Vec::new(),
        })
    }

    pub(super) fn is_exempt(&self) -> bool {
        self.rules.is_empty()
    }

    pub(super) fn rules(&self) -> &[Rule] {
        &self.rules
    }

    pub(super) fn is_shadow(&self) -> bool {
        self.paths.is_shadow()
    }
}

/// The name of an entry that comes after the entries `before`.
fn label(paths: &Paths, before: &[RouteRules]) -> Result<&'static str, InitError> {
    // Shadows have counters of their own, so a candidate may have the name of what it is to
    // replace.
    let is_taken = |label: &str| {
        let mut others = before
            .iter()
            .filter(|other| other.is_shadow() == paths.is_shadow());
        others.any(|other| other.label == label)
    };
    rule_check::label(paths.own_name(), &paths.label(), is_taken).map_err(InitError::settings)
}
