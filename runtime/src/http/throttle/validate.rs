//! Validates the rules of an entry when it is added. It looks at no request.

use std::fmt;

use actix_throttle_core::{
    identity::Identity,
    key::Key,
    limit::{Concurrency, Limit},
};

use crate::{engine::error::InitError, http::rule::Rule};

/// Checks the rules of an entry.
///
/// # Errors
///
/// The first problem that is found, with the entry's name.
pub(super) fn check(label: &str, shadow: bool, rules: &[Rule]) -> Result<(), InitError> {
    let diagnostic = |what: &dyn fmt::Display| {
        Err(InitError::settings(format!(
            "the entry `{label}` of a `Throttle`: {what}"
        )))
    };
    if rules.is_empty() {
        return diagnostic(
            &"it has no rule; give it one, or leave its requests alone by `exempt_paths`",
        );
    }
    if shadow && rules.iter().all(Rule::is_unlimited) {
        return diagnostic(&"a shadow that limits nobody counts nothing; give it a limit");
    }
    for (index, rule) in rules.iter().enumerate() {
        if let Some(problem) = rule.own_identifier().and_then(|one| one.validate()) {
            return diagnostic(&problem);
        }
        let before = &rules[..index];
        if rule.is_unlimited() {
            has_effect(rule, rules, before).or_else(|what| diagnostic(&what))?;
        }
        if let Some(concurrency) = rule.concurrency_limit() {
            let called = concurrency.policy_name().unwrap_or(label);
            if let Err(error) = concurrency.validate() {
                return diagnostic(&format!("the limit `{called}`: {error}"));
            }
            if before.iter().any(|other| shares_counter(other, rule)) {
                return diagnostic(&format!(
                    "the limit `{called}`: it would share its permits with another one of this entry: \
                     give it another identifier, group or zone"
                ));
            }
        }
        // A limit that a configuration names was validated by that configuration.
        let Some(limit) = rule.static_limit() else {
            continue;
        };
        let called = limit.policy_name().unwrap_or(label);
        let of_limit =
            |what: &dyn fmt::Display| diagnostic(&format!("the limit `{called}`: {what}"));
        if let Err(error) = limit.validate() {
            return of_limit(&error);
        }
        if let Err(error) = limit.validate_cost() {
            return of_limit(&error);
        }
        if before.iter().any(|other| shares_counter(other, rule)) {
            return of_limit(
                &"it would share its counter with another one of this entry: give it another \
                  window, algorithm, identifier, group or zone",
            );
        }
    }
    Ok(())
}

/// Whether an unlimited rule has an effect; `Err` says why not.
fn has_effect(rule: &Rule, rules: &[Rule], before: &[Rule]) -> Result<(), String> {
    let group = rule.group_name().unwrap_or_default();
    let same = |other: &&Rule| other.group_name() == rule.group_name();
    if before.iter().filter(same).any(Rule::is_unlimited) {
        return Err(format!(
            "the group `{group}` is unlimited twice; once is enough"
        ));
    }
    if rules.iter().filter(same).any(|one| !one.is_unlimited()) {
        return Err(format!(
            "the group `{group}` is both unlimited and limited; leave one of the two out"
        ));
    }
    Ok(())
}

/// Whether both rules can apply to one request, and then surely count it in one counter.
fn shares_counter(one: &Rule, other: &Rule) -> bool {
    let identifiers = match (one.own_identifier(), other.own_identifier()) {
        (Some(one), Some(other)) => one.is_same(other),
        (one, other) => one.is_none() && other.is_none(),
    };
    let anyone = Identity::global();
    let counter = |limit: &Limit| Key::counter(&anyone, limit);
    let permits = |limit: &Concurrency| Key::permits(&anyone, limit);
    identifiers
        && one.group_name() == other.group_name()
        && match (one.static_limit(), other.static_limit()) {
            (Some(one), Some(other)) => counter(one).is_same(&counter(other)),
            _ => match (one.concurrency_limit(), other.concurrency_limit()) {
                (Some(one), Some(other)) => permits(&one).is_same(&permits(&other)),
                _ => false,
            },
        }
}
