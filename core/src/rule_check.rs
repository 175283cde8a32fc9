//! Checks the rules of one entry of a middleware, as code or a configuration file gives them, and
//! names the entry. The middleware calls it for rules, and the parser of a file for specs, so both
//! find the same errors.

use std::fmt;

use crate::{
    identity::Identity,
    intern::intern,
    key::Key,
    limit::{
        AnyLimit, Limit, LimitError, PermitId, SlowDown,
        range::{NO_SLOW_DOWN, SETTLE_WITH_LEASE, of_concurrency, of_unlimited},
    },
};

/// The error of an entry whose list of methods is empty.
pub const NO_METHODS: &str = "`methods` is empty, so no request has one of them: write one, such \
                              as `GET`, or leave `methods` out";

/// A rule or its spec, with the default names of its entry.
pub trait CheckedRule {
    fn group(&self) -> Option<&str>;
    fn is_unlimited(&self) -> bool;
    /// Returns the limit. `None` if there is none, or only its name is known.
    fn limit(&self) -> Option<AnyLimit>;
    /// Returns whether the cost is an estimate.
    fn settles(&self) -> bool;
    /// Returns the words of the rule's slow-down.
    fn slow_down(&self) -> SlowDown;
    /// Returns an option of a limit that is set, if there is one. Default: the parser of a file has
    /// refused it where it makes no sense.
    fn any_option(&self) -> Option<&'static str> {
        None
    }
    /// Returns an option that only a rate has and that is set, if there is one, without those of
    /// [`slow_down`](Self::slow_down). Default: as for [`any_option`](Self::any_option).
    fn option_of_rate(&self) -> Option<&'static str> {
        None
    }
    /// Returns what is wrong with the identifier.
    fn identifier_problem(&self) -> Option<String>;
    /// Returns whether both rules surely find the same identity.
    fn has_identifier_of(&self, other: &Self) -> bool;
}

/// Checks the rules of the entry with this label.
///
/// # Errors
///
/// The first problem that is found, with the entry's label.
pub fn check(label: &str, shadow: bool, rules: &[impl CheckedRule]) -> Result<(), String> {
    let problem =
        |what: &dyn fmt::Display| Err(format!("the entry `{label}` of a `Throttle`: {what}"));
    if rules.is_empty() {
        return problem(
            &"it has no rule; give it one, or leave its requests alone by `exempt_paths`",
        );
    }
    if shadow && rules.iter().all(CheckedRule::is_unlimited) {
        return problem(&"a shadow that limits nobody counts nothing; give it a limit");
    }
    for (index, rule) in rules.iter().enumerate() {
        if let Some(what) = rule.identifier_problem() {
            return problem(&what);
        }
        let before = &rules[..index];
        if rule.is_unlimited() {
            if let Some(option) = rule.any_option() {
                return problem(&of_unlimited(option));
            }
            has_effect(rule, rules, before).or_else(|what| problem(&what))?;
        }
        // A limit that a configuration names was validated by that configuration.
        let Some(limit) = rule.limit() else {
            match rule.slow_down().check(None) {
                Ok(_) => continue,
                Err(error) => return problem(&error),
            }
        };
        let called = match &limit {
            AnyLimit::Rate(limit) => limit.name_value(),
            AnyLimit::Concurrency(limit) => limit.name_value(),
        };
        let called = called.unwrap_or(label);
        let of_limit = |what: &dyn fmt::Display| problem(&format!("the limit `{called}`: {what}"));
        if let Err(error) = limit.as_ref_with(PermitId::new()).validate() {
            return of_limit(&error);
        }
        match &limit {
            AnyLimit::Rate(limit) => {
                check_rate(rule, limit, shadow).or_else(|what| of_limit(&what))?;
            }
            AnyLimit::Concurrency(_) => {
                check_concurrency(rule).or_else(|what| of_limit(&what))?;
            }
        }
        if before.iter().any(|other| shares_counter(other, rule)) {
            return match limit {
                AnyLimit::Rate(_) => of_limit(
                    &"it would share its counter with another one of this entry: give it another \
                      window, algorithm, identifier, group or zone",
                ),
                AnyLimit::Concurrency(_) => of_limit(
                    &"it would share its permits with another one of this entry: give it another \
                      identifier, group or zone",
                ),
            };
        }
    }
    Ok(())
}

/// Checks the options of a rule together with its rate.
fn check_rate(rule: &impl CheckedRule, limit: &Limit, shadow: bool) -> Result<(), String> {
    let text = |error: LimitError| error.to_string();
    limit.validate_cost().map_err(text)?;
    if rule.settles() && limit.lease_size() > 0 {
        return Err(SETTLE_WITH_LEASE.to_owned());
    }
    rule.slow_down().check_in(shadow, limit).map_err(text)
}

/// Checks that a rule with a concurrency limit has no option of a rate.
fn check_concurrency(rule: &impl CheckedRule) -> Result<(), String> {
    if !rule.slow_down().is_empty() {
        return Err(NO_SLOW_DOWN.to_owned());
    }
    match rule.option_of_rate() {
        Some(option) => Err(of_concurrency(option)),
        None => Ok(()),
    }
}

/// Whether an unlimited rule has an effect; `Err` says why not.
fn has_effect<R: CheckedRule>(rule: &R, rules: &[R], before: &[R]) -> Result<(), String> {
    let group = rule.group().unwrap_or_default();
    let same = |other: &&R| other.group() == rule.group();
    if before.iter().filter(same).any(CheckedRule::is_unlimited) {
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
fn shares_counter<R: CheckedRule>(one: &R, other: &R) -> bool {
    if one.group() != other.group() || !one.has_identifier_of(other) {
        return false;
    }
    let anyone = Identity::global();
    match (one.limit(), other.limit()) {
        (Some(AnyLimit::Rate(one)), Some(AnyLimit::Rate(other))) => {
            Key::counter(&anyone, &one).is_same(&Key::counter(&anyone, &other))
        }
        (Some(AnyLimit::Concurrency(one)), Some(AnyLimit::Concurrency(other))) => {
            Key::permits(&anyone, &one).is_same(&Key::permits(&anyone, &other))
        }
        _ => false,
    }
}

/// Returns the name and zone of an entry's limits that have none of their own: the entry's name, or
/// else its default label. If an earlier entry has the default label, a number is added, so that no
/// two entries share a counter by accident.
///
/// # Errors
///
/// If an earlier entry has the name.
pub fn label(
    name: Option<&str>,
    default: &str,
    is_taken: impl Fn(&str) -> bool,
) -> Result<&'static str, String> {
    if let Some(name) = name {
        if is_taken(name) {
            return Err(format!(
                "two entries of a `Throttle` are named `{name}`, and would count together; name one \
                 of them otherwise, or give the limits that are to share a counter a `zone`"
            ));
        }
        return Ok(intern(name));
    }
    // Names are printable ASCII; a regex need not be.
    let text: String = default.chars().map(printable).collect();
    let numbered = (2..).map(|number| format!("{text} #{number}"));
    let mut labels = std::iter::once(text.clone()).chain(numbered);
    let free = labels.find(|label| !is_taken(label));
    Ok(intern(&free.unwrap_or(text)))
}

/// Returns the name of the limit with this number among the limits of an entry, from 1.
pub fn name_of_limit(label: &'static str, number: usize) -> &'static str {
    match number {
        0 | 1 => label,
        number => intern(&format!("{label}-{number}")),
    }
}

fn printable(character: char) -> String {
    match character {
        ' '..='~' => character.to_string(),
        other => other.escape_default().to_string(),
    }
}
