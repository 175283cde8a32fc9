//! Reads `[[rules]]`: which requests a rule matches, and its limits.

use std::time::Duration;

use actix_throttle_core::{intern::intern, limit::AnyLimit, text::suggest};
use actix_web::http::Method;
use regex::Regex;

use super::{
    error::Diagnostics,
    identifier::{IdentifierRegistry, IdentifierSpec, identifier},
    keys, limit, limit_options,
    limit_table::{Limits, whole_limit},
    position::Position,
    table_reader::{Spanned, TableReader, text},
    tree::Node,
};
use crate::engine::{LimitOptions, NamedLimit};

/// One rule of the file.
#[derive(Clone, Debug)]
pub(super) struct RouteRuleSpec {
    pub(super) place: Position,
    pub(super) paths: FilePaths,
    /// If it is empty, the requests of the rule are not limited.
    pub(super) shares: Vec<LimitSpec>,
}

/// The requests that a rule matches.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct FilePaths {
    /// Regex over the path.
    pub(super) path: Option<String>,
    /// Regex over the pattern of the route.
    pub(super) pattern: Option<String>,
    pub(super) methods: Vec<Method>,
    pub(super) name: Option<String>,
    pub(super) shadow: bool,
}

/// One limit of a rule, and what it is for.
#[derive(Clone, Debug, Default)]
pub(super) struct LimitSpec {
    /// `None`: unlimited.
    pub(super) limit: Option<NamedLimit>,
    /// Name of the limit in the file, if it is a named limit.
    pub(super) of: Option<String>,
    /// Options of the rule's entry, which override those of the limit.
    pub(super) options: LimitOptions,
    pub(super) group: Option<String>,
    pub(super) who: Option<IdentifierSpec>,
}

const RULE: &str = "{ path = \"^/api\", limits = [\"100/minute\"] }";
const LIMITS: &str = "[\"100/minute\"]";
/// Methods of RFC 9110, and PATCH (RFC 5789).
const METHODS: [&str; 9] = [
    "GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "CONNECT",
];

/// Reads one rule.
pub(super) fn rule(
    node: &Node,
    limits: &Limits,
    known: &IdentifierRegistry,
    diagnostics: &mut Diagnostics,
) -> Option<RouteRuleSpec> {
    let mut table = TableReader::of(node, RULE, diagnostics)?;
    let paths = paths(&mut table, node.place, diagnostics);
    let who = identifier(&mut table, known, diagnostics);
    let max_wait = limit_options::max_wait(&mut table, diagnostics);
    let mut shares = Vec::new();
    if table.flag("exempt", diagnostics) {
        let reason = |key: &str| format!("`exempt` leaves these requests alone: remove `{key}`");
        let keys = ["limits", "identifier", "max_wait", "shadow"];
        table.refuse(&keys, reason, diagnostics);
    } else {
        let nodes = table.list("limits", LIMITS, diagnostics);
        if nodes.map_or(!table.has("limits"), <[Node]>::is_empty) {
            let reason = format!(
                "a rule without limits does nothing: add `limits = {LIMITS}`, or `exempt = true`"
            );
            diagnostics.at(node.place, reason);
        }
        for node in nodes.unwrap_or_default() {
            let share = share(node, limits, known, diagnostics);
            shares.extend(share.map(|share| share.or(who.as_ref(), max_wait)));
        }
    }
    table.finish(diagnostics);
    Some(RouteRuleSpec {
        place: node.place,
        paths,
        shares,
    })
}

fn paths(table: &mut TableReader<'_>, place: Position, diagnostics: &mut Diagnostics) -> FilePaths {
    let path = table.text("path", "\"^/api\"", diagnostics);
    let pattern = table.text("pattern", "'^/user/\\{id\\}$'", diagnostics);
    if table.has("path") && table.has("pattern") {
        let reason = "`path` and `pattern` are two ways to say which requests: remove one of them";
        diagnostics.at(place, reason);
    }
    for regex in path.iter().chain(&pattern) {
        if let Err(error) = Regex::new(regex.value) {
            diagnostics.at(regex.place, no_regex(regex.value, &error));
        }
    }
    let mut methods = Vec::new();
    for Spanned { place, value } in table.texts("methods", "[\"GET\"]", diagnostics) {
        match Method::from_bytes(value.as_bytes()) {
            Ok(method) if METHODS.contains(&value) => methods.push(method),
            _ => diagnostics.at(place, suggest::unknown("method", value, &METHODS)),
        }
    }
    let own = |text: Spanned<&str>| text.value.to_owned();
    FilePaths {
        path: path.map(own),
        pattern: pattern.map(own),
        methods,
        name: name(table, diagnostics),
        shadow: table.flag("shadow", diagnostics),
    }
}

/// Reads the name of a rule, which goes into headers.
fn name(table: &mut TableReader<'_>, diagnostics: &mut Diagnostics) -> Option<String> {
    let name = table.text("name", "\"towns\"", diagnostics)?;
    if name.value.chars().any(|c| !matches!(c, ' '..='~')) {
        let reason = "`name` goes into a header: write printable ASCII characters, at least one";
        diagnostics.at(name.place, reason);
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
fn share(
    node: &Node,
    limits: &Limits,
    known: &IdentifierRegistry,
    diagnostics: &mut Diagnostics,
) -> Option<LimitSpec> {
    if let Some(text) = text(node) {
        let is_rate = text
            .value
            .trim_start()
            .starts_with(|c: char| c.is_ascii_digit());
        return match is_rate {
            true => Some(LimitSpec::of_all(
                limit::shorthand(text, diagnostics)?.into(),
            )),
            false => by_name(text, limits, diagnostics),
        };
    }
    let mut table = TableReader::of(node, "{ rate = \"100/minute\" }", diagnostics)?;
    let group = table.text("group", "\"pro\"", diagnostics);
    let who = identifier(&mut table, known, diagnostics);
    let is_unlimited = table.flag("unlimited", diagnostics);
    let share = if is_unlimited {
        unlimited(&mut table, node.place, diagnostics)
    } else if let Some(name) = table.text("limit", "\"login\"", diagnostics) {
        let reason = |key: &str| format!("`limit` names a limit that says this: remove `{key}`");
        keys::refuse(&mut table, reason, diagnostics);
        let share = by_name(name, limits, diagnostics);
        let options = match share.as_ref().is_some_and(LimitSpec::is_of_places) {
            true => {
                let reason = |key: &str| {
                    format!(
                        "`{}` is a concurrency limit and has no use for `{key}`: remove it",
                        name.value
                    )
                };
                table.refuse(&[keys::REFUND_ON], reason, diagnostics);
                limit_options::of_place(&mut table, diagnostics)
            }
            false => limit_options::of_rate(&mut table, diagnostics),
        };
        share.map(|share| LimitSpec { options, ..share })
    } else {
        whole_limit(&mut table, node.place, diagnostics).map(LimitSpec::of_all)
    };
    table.finish(diagnostics);
    Some(LimitSpec {
        group: group.map(|group| group.value.to_owned()),
        who,
        ..share?
    })
}

fn by_name(
    name: Spanned<&str>,
    limits: &Limits,
    diagnostics: &mut Diagnostics,
) -> Option<LimitSpec> {
    let limit = limits.get(name.value);
    if limit.is_none() {
        let reason = match limits.is_empty() {
            true => format!("no limit is named `{}`: add it to `limits`", name.value),
            false => {
                let valid: Vec<_> = limits.keys().map(String::as_str).collect();
                suggest::unknown("limit", name.value, &valid)
            }
        };
        diagnostics.at(name.place, reason);
    }
    // A named limit counts under its name, together with all rules that name it.
    let mut named = limit?.clone();
    let key = intern(name.value);
    named.limit = named.limit.with_default_name(key, key);
    Some(LimitSpec {
        of: Some(name.value.to_owned()),
        ..LimitSpec::of_all(named)
    })
}

fn unlimited(
    table: &mut TableReader<'_>,
    place: Position,
    diagnostics: &mut Diagnostics,
) -> Option<LimitSpec> {
    let reason = |key: &str| format!("`unlimited` has no use for `{key}`: remove it");
    keys::refuse(table, reason, diagnostics);
    let keys = ["limit", "failure_mode", keys::REFUND_ON, "max_wait"];
    table.refuse(&keys, reason, diagnostics);
    if !table.has("group") {
        let reason = "`unlimited` needs a group: add `group = \"admin\"`";
        diagnostics.at(place, reason);
    }
    Some(LimitSpec::default())
}

impl LimitSpec {
    /// Makes the limit of all identities without a group.
    fn of_all(limit: NamedLimit) -> Self {
        Self {
            limit: Some(limit),
            ..Self::default()
        }
    }

    /// Adds what the rule says for limits without an identifier or a wait of their own.
    fn or(mut self, who: Option<&IdentifierSpec>, max_wait: Option<Duration>) -> Self {
        self.who = self.who.or_else(|| who.cloned());
        let is_open = |limit: &NamedLimit| limit.options.max_wait.is_none();
        if self.limit.as_ref().is_some_and(is_open) {
            self.options.max_wait = self.options.max_wait.or(max_wait);
        }
        self
    }

    fn is_of_places(&self) -> bool {
        let limit = self.limit.as_ref();
        limit.is_some_and(|limit| matches!(limit.limit, AnyLimit::Concurrency(_)))
    }
}
