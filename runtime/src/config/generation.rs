//! What is in force at one time.

use super::{
    error::{ConfigError, Mistakes},
    file::File,
    identifier::Known,
    rule::{FilePaths, FileRule, Share},
    source::Source,
};
use crate::{
    error::InitError,
    http::{Paths, Rule, Rulebook},
    limit::Policy,
    limiter::NamedLimits,
};

/// One state of a configuration. It does not change: a request sees all of one or nothing of it.
#[derive(Debug)]
pub(super) struct Generation {
    /// As it was read.
    pub(super) text: String,
    pub(super) file: File,
}

impl Generation {
    /// The next one after `old`, and its entries for middleware. Its names are in force at once.
    ///
    /// # Errors
    ///
    /// All that is wrong with the text, or that all rules are gone, or the names that would be gone
    /// and are in use.
    pub(super) fn new(
        text: &str,
        old: Option<&File>,
        source: &Source,
        known: &Known,
        named: &NamedLimits,
    ) -> Result<(Self, Rulebook), ConfigError> {
        let file = File::parse(text, source.format, &source.name, known)?;
        if let Some(old) = old {
            let mut mistakes = Mistakes::default();
            file.check_successor_of(old, &mut mistakes);
            mistakes.settle(&source.name, Some(()))?;
        }
        let mut rulebook = rulebook(&file, &source.name)?;
        let limits = file.limits.clone();
        let names = named.replace(limits).or_else(|missing| {
            let mut mistakes = Mistakes::default();
            for name in missing {
                let reason = format!(
                    "handlers use the limit `{name}` and have none to fall back to: keep it, or \
                     take them out of service first"
                );
                mistakes.at(file.limits_at, reason);
            }
            mistakes.settle(&source.name, None)
        })?;
        if !file.limits.is_empty() {
            rulebook.pin(names);
        }
        let text = text.to_owned();
        Ok((Self { text, file }, rulebook))
    }
}

/// The rules as entries of a middleware, which has its own mind on what goes together.
fn rulebook(file: &File, source: &str) -> Result<Rulebook, ConfigError> {
    let mut mistakes = Mistakes::default();
    let mut rulebook = Rulebook::default();
    for rule in &file.rules {
        mistakes.ok(rule.place, add(&mut rulebook, rule));
    }
    for pattern in &file.exempt {
        rulebook.exempt(pattern.clone());
    }
    rulebook.skip_preflight(file.skip_preflight);
    mistakes.settle(source, Some(rulebook))
}

fn add(rulebook: &mut Rulebook, rule: &FileRule) -> Result<(), InitError> {
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

fn as_rule(share: &Share) -> Rule {
    let Share {
        limit,
        of: _,
        around: said,
        group,
        who,
    } = share;
    let mut rule = match limit.as_ref().map(|named| named.policy) {
        Some(Policy::Rate(limit)) => Rule::new(limit),
        Some(Policy::Running(places)) => Rule::concurrency(places),
        // Without a group it is nobody who is unlimited, which the file was refused for.
        None => Rule::unlimited(group.clone().unwrap_or_default()),
    };
    if let Some(group) = group {
        rule = rule.group(group.clone());
    }
    if let Some(who) = who {
        rule = rule.identifier(who.identifier.clone());
    }
    if let Some(named) = limit {
        let around = &named.around;
        if let Some(mode) = said.failure_mode.or(around.failure_mode) {
            rule = rule.failure_mode(mode);
        }
        if let Some(statuses) = said.refund_on.as_ref().or(around.refund_on.as_ref()) {
            rule = rule.refund_on(statuses.clone());
        }
        if let Some(max_wait) = said.max_wait.or(around.max_wait) {
            rule = rule.max_wait(max_wait);
        }
    }
    rule
}
