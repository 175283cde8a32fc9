//! Reads `[[rules]]`: which requests a rule matches, and its limits.

use regex::Regex;

use super::{
    clients,
    diagnostics::Diagnostics,
    document::{DocumentNode, KeyValue},
    identifier::identifier,
    keys, limit,
    limit_table::{Limits, whole_limit},
    options,
    position::{Position, Spanned},
    reader::{TableReader, list, text, texts},
};
use crate::{
    intern::intern,
    limit::range,
    rule_check::NO_METHODS,
    rules::{LimitSpec, PathsSpec, RouteRuleSpec},
    text::suggest,
    vocabulary::{self, Argument, METHOD_NAMES},
};

const RULE: &str = "{ path = \"^/api\", limits = [\"100/minute\"] }";
/// Reads one rule. Its limits may be the named limits, and its identifiers those of these names.
pub(crate) fn rule(
    node: &DocumentNode,
    named_limits: &Limits,
    identifiers: &[&str],
    diagnostics: &mut Diagnostics,
) -> Option<RouteRuleSpec> {
    let mut table = TableReader::of(node, RULE, diagnostics)?;
    let paths = paths(&mut table, node.position, diagnostics);
    let identifier = identifier(&mut table, identifiers, diagnostics);
    let max_wait = options::max_wait(&mut table, diagnostics);
    let mut limits = Vec::new();
    if table.flag(&vocabulary::RULE_EXEMPT, diagnostics) {
        let reason = |key: &Argument| {
            format!(
                "`exempt` leaves these requests alone: remove `{}`",
                key.name
            )
        };
        let keys = [
            &vocabulary::RULE_LIMITS,
            &vocabulary::IDENTIFIER,
            &vocabulary::MAX_WAIT,
            &vocabulary::RULE_SHADOW,
        ];
        table.refuse(keys, reason, diagnostics);
    } else {
        let nodes = table.list(&vocabulary::RULE_LIMITS, diagnostics);
        if nodes.map_or(
            !table.has(&vocabulary::RULE_LIMITS),
            <[DocumentNode]>::is_empty,
        ) {
            let reason = format!(
                "a rule without limits does nothing: add `limits = {}`, or `exempt = true`",
                vocabulary::RULE_LIMITS.example
            );
            diagnostics.at(node.position, reason);
        }
        for node in nodes.unwrap_or_default() {
            let limit = limit_of_rule(node, named_limits, identifiers, diagnostics);
            limits.extend(limit.map(|limit| limit.or(identifier.as_ref(), max_wait)));
        }
    }
    table.finish(diagnostics);
    Some(RouteRuleSpec { paths, limits })
}

fn paths(
    table: &mut TableReader<'_>,
    position: Position,
    diagnostics: &mut Diagnostics,
) -> PathsSpec {
    let path = table.text(&vocabulary::PATH, diagnostics);
    let pattern = table.text(&vocabulary::PATTERN, diagnostics);
    if table.has(&vocabulary::PATH) && table.has(&vocabulary::PATTERN) {
        let reason = "`path` and `pattern` are two ways to say which requests: remove one of them";
        diagnostics.at(position, reason);
    }
    for regex in path.iter().chain(&pattern) {
        if let Err(error) = Regex::new(regex.value) {
            diagnostics.at(regex.position, no_regex(regex.value, &error));
        }
    }
    let own = |text: Spanned<&str>| text.value.to_owned();
    PathsSpec {
        path: path.map(own),
        pattern: pattern.map(own),
        methods: methods(table, diagnostics),
        networks: clients::networks(table, diagnostics),
        name: name(table, diagnostics),
        shadow: table.flag(&vocabulary::RULE_SHADOW, diagnostics),
    }
}

/// Reads the methods of a rule; empty for all methods.
fn methods(table: &mut TableReader<'_>, diagnostics: &mut Diagnostics) -> Vec<String> {
    let argument = &vocabulary::METHODS;
    let mut methods = Vec::new();
    let Some(KeyValue { node, .. }) = table.take(argument) else {
        return methods;
    };
    let nodes = list(node, argument, diagnostics);
    if nodes.is_some_and(<[DocumentNode]>::is_empty) {
        diagnostics.at(node.position, NO_METHODS);
    }
    for text in texts(nodes.unwrap_or_default(), argument, diagnostics) {
        if METHOD_NAMES.contains(&text.value) {
            methods.push(text.value.to_owned());
        } else {
            let reason = suggest::unknown("method", text.value, &METHOD_NAMES);
            diagnostics.at(text.position, reason);
        }
    }
    methods
}

/// Reads the name of a rule, which goes into headers.
fn name(table: &mut TableReader<'_>, diagnostics: &mut Diagnostics) -> Option<String> {
    let name = table.text(&vocabulary::RULE_NAME, diagnostics)?;
    if !range::is_name(name.value) {
        diagnostics.at(name.position, range::NAME_RULE);
    }
    Some(name.value.to_owned())
}

/// Returns what is wrong with a regex, in one line; the crate's own text draws a picture.
fn no_regex(text: &str, error: &regex::Error) -> String {
    let error = error.to_string();
    let last = error.lines().last().unwrap_or_default();
    let reason = last.strip_prefix("error: ").unwrap_or(last);
    format!("`{text}` is not a regex: {reason}")
}

/// Reads one limit of a rule: a rate, the name of a limit, or a table.
fn limit_of_rule(
    node: &DocumentNode,
    named_limits: &Limits,
    identifiers: &[&str],
    diagnostics: &mut Diagnostics,
) -> Option<LimitSpec> {
    if let Some(text) = text(node) {
        let is_rate = text
            .value
            .trim_start()
            .starts_with(|c: char| c.is_ascii_digit());
        return if is_rate {
            Some(LimitSpec::new(limit::shorthand(text, diagnostics)?.into()))
        } else {
            by_name(text, named_limits, diagnostics)
        };
    }
    let mut table = TableReader::of(node, "{ rate = \"100/minute\" }", diagnostics)?;
    let group = table.text(&vocabulary::GROUP, diagnostics);
    let identifier = identifier(&mut table, identifiers, diagnostics);
    let is_unlimited = table.flag(&vocabulary::UNLIMITED, diagnostics);
    let limit = if is_unlimited {
        unlimited(&mut table, node.position, diagnostics)
    } else if let Some(name) = table.text(&vocabulary::LIMIT, diagnostics) {
        let reason = |key: &Argument| {
            format!(
                "`limit` names a limit that says this: remove `{}`",
                key.name
            )
        };
        keys::refuse(&mut table, reason, diagnostics);
        let limit = by_name(name, named_limits, diagnostics);
        let options = if limit.as_ref().is_some_and(LimitSpec::is_concurrency) {
            let reason = |key: &Argument| {
                format!(
                    "`{}` is a concurrency limit and has no use for `{}`: remove it",
                    name.value, key.name
                )
            };
            table.refuse(keys::options_of_rate(), reason, diagnostics);
            options::of_concurrency(&mut table, diagnostics)
        } else {
            let rate = limit.as_ref().and_then(LimitSpec::rate);
            options::of_rate(&mut table, rate, diagnostics)
        };
        limit.map(|limit| LimitSpec { options, ..limit })
    } else {
        whole_limit(&mut table, node.position, diagnostics).map(LimitSpec::new)
    };
    table.finish(diagnostics);
    Some(LimitSpec {
        group: group.map(|group| group.value.to_owned()),
        identifier,
        ..limit?
    })
}

fn by_name(
    name: Spanned<&str>,
    limits: &Limits,
    diagnostics: &mut Diagnostics,
) -> Option<LimitSpec> {
    let limit = limits.get(name.value);
    if limit.is_none() {
        let reason = if limits.is_empty() {
            format!("no limit is named `{}`: add it to `limits`", name.value)
        } else {
            let valid: Vec<_> = limits.keys().map(String::as_str).collect();
            suggest::unknown("limit", name.value, &valid)
        };
        diagnostics.at(name.position, reason);
    }
    // A named limit counts under its name, together with all rules that name it.
    let mut named = limit?.clone();
    let key = intern(name.value);
    named.limit = named.limit.with_default_name(key, key);
    Some(LimitSpec {
        limit_name: Some(name.value.to_owned()),
        ..LimitSpec::new(named)
    })
}

fn unlimited(
    table: &mut TableReader<'_>,
    position: Position,
    diagnostics: &mut Diagnostics,
) -> Option<LimitSpec> {
    let reason = |key: &Argument| range::of_unlimited(key.name);
    keys::refuse(table, reason, diagnostics);
    let others = std::iter::once(&vocabulary::LIMIT).chain(keys::options());
    table.refuse(others, reason, diagnostics);
    if !table.has(&vocabulary::GROUP) {
        let reason = "`unlimited` needs a group: add `group = \"admin\"`";
        diagnostics.at(position, reason);
    }
    Some(LimitSpec::default())
}
