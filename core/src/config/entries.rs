//! Checks the rules of a file as the middleware will when it takes them: what its entries are
//! called, and which limits would share a counter.

use super::{
    diagnostics::{Diagnostic, Diagnostics},
    position::Spanned,
};
use crate::{
    limit::{AnyLimit, SlowDown},
    rule_check::{self, CheckedRule},
    rules::{LimitSpec, PathsSpec, RouteRuleSpec},
};

/// Checks all rules.
///
/// # Errors
///
/// A diagnostic for each rule that a middleware would refuse, at its position.
pub(super) fn check(rules: &[Spanned<RouteRuleSpec>]) -> Result<(), Vec<Diagnostic>> {
    let mut diagnostics = Diagnostics::default();
    let mut labels: Vec<(&'static str, bool)> = Vec::new();
    for rule in rules.iter().filter(|rule| !rule.value.limits.is_empty()) {
        let checked = check_rule(&rule.value, &mut labels);
        diagnostics.ok(rule.position, checked);
    }
    diagnostics.into_result(Some(()))
}

/// Checks one rule; `labels` are those of the rules before it, with whether they are shadows.
fn check_rule(rule: &RouteRuleSpec, labels: &mut Vec<(&'static str, bool)>) -> Result<(), String> {
    let PathsSpec { name, shadow, .. } = &rule.paths;
    // Shadows have counters of their own.
    let label = rule_check::label(name.as_deref(), &default_label(&rule.paths), |label| {
        labels.contains(&(label, *shadow))
    })?;
    labels.push((label, *shadow));
    let mut number = 0;
    let rules: Vec<NamedRule<'_>> = rule
        .limits
        .iter()
        .map(|spec| {
            number += usize::from(spec.limit.is_some());
            let name = rule_check::name_of_limit(label, number);
            let limit = spec.limit.as_ref().map(|limit| {
                let limit = limit.limit.with_default_name(name, label);
                match limit {
                    AnyLimit::Rate(limit) if *shadow => AnyLimit::Rate(limit.shadow()),
                    AnyLimit::Concurrency(limit) if *shadow => {
                        AnyLimit::Concurrency(limit.shadow())
                    }
                    limit => limit,
                }
            });
            NamedRule { spec, limit }
        })
        .collect();
    rule_check::check(label, *shadow, &rules)
}

/// A limit of a rule with the default names of the rule.
struct NamedRule<'a> {
    spec: &'a LimitSpec,
    limit: Option<AnyLimit>,
}

impl CheckedRule for NamedRule<'_> {
    fn group(&self) -> Option<&str> {
        self.spec.group.as_deref()
    }

    fn is_unlimited(&self) -> bool {
        self.limit.is_none()
    }

    fn slow_down(&self) -> SlowDown {
        self.spec.options_in_force().slow_down
    }

    fn limit(&self) -> Option<AnyLimit> {
        self.limit
    }

    fn settles(&self) -> bool {
        self.spec.options_in_force().settle == Some(true)
    }

    fn identifier_problem(&self) -> Option<String> {
        // The parser has checked the identifier.
        None
    }

    fn has_identifier_of(&self, other: &Self) -> bool {
        self.spec.identifier == other.spec.identifier
    }
}

/// The label of a rule without a name, as the middleware's `Paths` has it.
fn default_label(paths: &PathsSpec) -> String {
    let methods = if paths.methods.is_empty() {
        String::new()
    } else {
        format!("{} ", paths.methods.join(","))
    };
    let regex = paths.path.as_deref().or(paths.pattern.as_deref());
    match regex {
        Some("") | None => format!("{methods}global"),
        Some(regex) => format!("{methods}{regex}"),
    }
}
