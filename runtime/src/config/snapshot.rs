//! A snapshot: one state of a configuration, which a reload replaces as a whole.

use std::time::SystemTime;

use actix_throttle_core::{
    config::{ConfigSpec, Diagnostics, Spanned},
    limit::AnyLimit,
    rules::{LimitSpec, PathsSpec, RouteRuleSpec},
};
use actix_web::http::Method;
use sha2::{Digest, Sha256};

use super::{error::ConfigError, identifiers::IdentifierRegistry, source::ConfigSource};
use crate::{
    engine::{Configuration, NamedLimits, error::InitError},
    http::{Paths, Rule, RuleTable},
    identity::ClientSettings,
};

/// One state of a configuration. It is immutable: a request sees all of a snapshot or nothing of
/// it.
#[derive(Debug)]
pub(super) struct ConfigSnapshot {
    /// The text as it was read.
    pub(super) text: String,
    pub(super) spec: ConfigSpec,
    /// The policies of the rules and limits.
    policies: Vec<&'static str>,
}

impl ConfigSnapshot {
    /// Makes the snapshot that follows `old`, with its rules for middleware and its settings about
    /// clients. Its named limits apply at once.
    ///
    /// # Errors
    ///
    /// All diagnostics of the text, or that all rules are gone, or the named limits that are gone
    /// and in use.
    pub(super) fn new(
        text: &str,
        old: Option<&ConfigSpec>,
        source: &ConfigSource,
        identifiers: &IdentifierRegistry,
        named_limits: &NamedLimits,
    ) -> Result<(Self, RuleTable, ClientSettings), ConfigError> {
        let invalid = |diagnostics| ConfigError::invalid(&source.name, diagnostics);
        let spec = ConfigSpec::parse(text, source.format, &identifiers.names()).map_err(invalid)?;
        if let Some(old) = old {
            spec.check_successor_of(old).map_err(invalid)?;
        }
        let mut diagnostics = Diagnostics::default();
        let rule_table = rule_table(&spec, identifiers, &mut diagnostics);
        let mut rule_table = diagnostics.into_result(Some(rule_table)).map_err(invalid)?;
        // The reader has checked the header's name.
        let clients = ClientSettings::new(spec.clients.clone())
            .map_err(|error| ConfigError::unusable(&source.name, error))?;
        let names = named_limits.replace(spec.limits.clone()).map_err(|missing| {
            let mut diagnostics = Diagnostics::default();
            for name in missing {
                let reason = format!(
                    "handlers use the limit `{name}` and have none to fall back to: keep it, or \
                     take them out of service first"
                );
                diagnostics.at(spec.limits_position, reason);
            }
            invalid(diagnostics.into_vec())
        })?;
        if !spec.limits.is_empty() {
            rule_table.with_names(names);
        }
        let named = spec
            .limits
            .values()
            .filter_map(|named| named.limit.own_name());
        let snapshot = Self {
            text: text.to_owned(),
            policies: rule_table.policies().chain(named).collect(),
            spec,
        };
        Ok((snapshot, rule_table, clients))
    }

    /// Describes the snapshot to observers, as in force from now on.
    pub(super) fn in_force(&self, source: &ConfigSource) -> Configuration {
        let digest = Sha256::digest(self.text.as_bytes());
        // The hash has 48 bits, which a float, as metrics are, holds exactly.
        let hash = digest
            .iter()
            .take(6)
            .fold(0, |hash, byte| hash << 8 | u64::from(*byte));
        Configuration {
            source: source.name.clone(),
            text: self.text.clone(),
            hash,
            since: SystemTime::now(),
            policies: self.policies.clone(),
        }
    }
}

/// Makes a middleware's rule table, which has its own checks of what goes together.
fn rule_table(
    spec: &ConfigSpec,
    identifiers: &IdentifierRegistry,
    diagnostics: &mut Diagnostics,
) -> RuleTable {
    let mut rule_table = RuleTable::default();
    for Spanned { position, value } in &spec.rules {
        diagnostics.ok(*position, add(&mut rule_table, value, identifiers));
    }
    for pattern in &spec.exempt {
        rule_table.exempt(pattern.clone());
    }
    rule_table.skip_preflight(spec.skip_preflight);
    rule_table
}

fn add(
    rule_table: &mut RuleTable,
    spec: &RouteRuleSpec,
    identifiers: &IdentifierRegistry,
) -> Result<(), InitError> {
    let paths = paths(&spec.paths)?;
    if spec.limits.is_empty() {
        return rule_table.add_exempt(paths);
    }
    let rules: Result<Vec<_>, _> = spec
        .limits
        .iter()
        .map(|limit| rule(limit, identifiers))
        .collect();
    rule_table.add(paths, rules?)
}

fn paths(spec: &PathsSpec) -> Result<Paths, InitError> {
    let PathsSpec {
        path,
        pattern,
        methods,
        networks,
        name,
        shadow,
    } = spec;
    let mut paths = match (path, pattern) {
        (Some(regex), _) => Paths::regex(regex)?,
        (None, Some(regex)) => Paths::pattern(regex)?,
        (None, None) => Paths::all(),
    };
    for method in methods {
        let method = Method::from_bytes(method.as_bytes())
            .map_err(|error| InitError::settings(error.to_string()))?;
        paths = paths.methods([method]);
    }
    if let Some(networks) = networks {
        paths = paths.with_networks(networks.clone());
    }
    if let Some(name) = name {
        paths = paths.name(name);
    }
    if *shadow {
        paths = paths.shadow();
    }
    Ok(paths)
}

fn rule(spec: &LimitSpec, identifiers: &IdentifierRegistry) -> Result<Rule, InitError> {
    let mut rule = match spec.limit.as_ref().map(|limit| limit.limit) {
        Some(AnyLimit::Rate(limit)) => Rule::new(limit),
        Some(AnyLimit::Concurrency(limit)) => Rule::concurrency(limit),
        // A file whose `unlimited` has no group was rejected before.
        None => Rule::unlimited(spec.group.clone().unwrap_or_default()),
    };
    if let Some(group) = &spec.group {
        rule = rule.group(group.clone());
    }
    if let Some(identifier) = &spec.identifier {
        // The parser was given the names, so a name that is not registered was rejected before.
        let resolved = identifiers.resolve(identifier).ok_or_else(|| {
            InitError::settings(format!("no identifier is called `{identifier}`"))
        })?;
        rule = rule.identifier(resolved);
    }
    if spec.limit.is_some() {
        let options = spec.options_in_force();
        if let Some(mode) = options.failure_mode {
            rule = rule.failure_mode(mode);
        }
        if let Some(statuses) = options.refund_on {
            rule = rule.refund_on(statuses);
        }
        if options.settle == Some(true) {
            rule = rule.settle();
        }
        if let Some(max_wait) = options.max_wait {
            rule = rule.max_wait(max_wait);
        }
        rule = rule.slowed_down(options.slow_down);
    }
    Ok(rule)
}
