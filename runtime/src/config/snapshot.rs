//! A snapshot: one state of a configuration, which a reload replaces as a whole.

use actix_throttle_core::limit::AnyLimit;

use super::{
    error::{ConfigError, Diagnostics},
    file::File,
    identifier::IdentifierRegistry,
    rule::{FilePaths, LimitSpec, RouteRuleSpec},
    source::Source,
};
use crate::{
    engine::{NamedLimits, error::InitError},
    http::{Paths, Rule, RuleTable},
};

/// One state of a configuration. It is immutable: a request sees all of a snapshot or nothing of
/// it.
#[derive(Debug)]
pub(super) struct Snapshot {
    /// The text as it was read.
    pub(super) text: String,
    pub(super) file: File,
}

impl Snapshot {
    /// Makes the snapshot that follows `old`, and its rules for middleware. Its named limits apply
    /// at once.
    ///
    /// # Errors
    ///
    /// All diagnostics of the text, or that all rules are gone, or the named limits that are gone
    /// and in use.
    pub(super) fn new(
        text: &str,
        old: Option<&File>,
        source: &Source,
        known: &IdentifierRegistry,
        named: &NamedLimits,
    ) -> Result<(Self, RuleTable), ConfigError> {
        let file = File::parse(text, source.format, &source.name, known)?;
        if let Some(old) = old {
            let mut diagnostics = Diagnostics::default();
            file.check_successor_of(old, &mut diagnostics);
            diagnostics.into_result(&source.name, Some(()))?;
        }
        let mut rulebook = rulebook(&file, &source.name)?;
        let limits = file.limits.clone();
        let names = named.replace(limits).or_else(|missing| {
            let mut diagnostics = Diagnostics::default();
            for name in missing {
                let reason = format!(
                    "handlers use the limit `{name}` and have none to fall back to: keep it, or \
                     take them out of service first"
                );
                diagnostics.at(file.limits_at, reason);
            }
            diagnostics.into_result(&source.name, None)
        })?;
        if !file.limits.is_empty() {
            rulebook.with_names(names);
        }
        let text = text.to_owned();
        Ok((Self { text, file }, rulebook))
    }
}

/// Makes a middleware's rule table, which has its own checks of what goes together.
fn rulebook(file: &File, source: &str) -> Result<RuleTable, ConfigError> {
    let mut diagnostics = Diagnostics::default();
    let mut rulebook = RuleTable::default();
    for rule in &file.rules {
        diagnostics.ok(rule.place, add(&mut rulebook, rule));
    }
    for pattern in &file.exempt {
        rulebook.exempt(pattern.clone());
    }
    rulebook.skip_preflight(file.skip_preflight);
    diagnostics.into_result(source, Some(rulebook))
}

fn add(rulebook: &mut RuleTable, rule: &RouteRuleSpec) -> Result<(), InitError> {
    let FilePaths {
        path,
        pattern,
        methods,
        name,
        shadow,
    } = &rule.paths;
    let mut paths = match (path, pattern) {
        (Some(regex), _) => Paths::regex(regex)?,
        (None, Some(regex)) => Paths::pattern(regex)?,
        (None, None) => Paths::all(),
    };
    paths = paths.methods(methods.iter().cloned());
    if let Some(name) = name {
        paths = paths.name(name);
    }
    if *shadow {
        paths = paths.shadow();
    }
    match rule.shares.is_empty() {
        true => rulebook.add_exempt(paths),
        false => rulebook.add(paths, rule.shares.iter().map(as_rule)),
    }
}

fn as_rule(share: &LimitSpec) -> Rule {
    let LimitSpec {
        limit,
        of: _,
        options: said,
        group,
        who,
    } = share;
    let mut rule = match limit.as_ref().map(|named| named.limit) {
        Some(AnyLimit::Rate(limit)) => Rule::new(limit),
        Some(AnyLimit::Concurrency(places)) => Rule::concurrency(places),
        // A file whose `unlimited` has no group was rejected before.
        None => Rule::unlimited(group.clone().unwrap_or_default()),
    };
    if let Some(group) = group {
        rule = rule.group(group.clone());
    }
    if let Some(who) = who {
        rule = rule.identifier(who.identifier.clone());
    }
    if let Some(named) = limit {
        let options = &named.options;
        if let Some(mode) = said.failure_mode.or(options.failure_mode) {
            rule = rule.failure_mode(mode);
        }
        if let Some(statuses) = said.refund_on.as_ref().or(options.refund_on.as_ref()) {
            rule = rule.refund_on(statuses.clone());
        }
        if let Some(max_wait) = said.max_wait.or(options.max_wait) {
            rule = rule.max_wait(max_wait);
        }
    }
    rule
}
