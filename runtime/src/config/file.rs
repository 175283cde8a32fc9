//! A whole configuration file, parsed and checked: nothing in it can still be wrong.

use std::collections::BTreeMap;

use actix_throttle_core::limit::AnyLimit;

use super::{
    concurrency,
    error::{ConfigError, Diagnostics},
    format::Format,
    identifier::IdentifierRegistry,
    limit, limit_options,
    rule::{self, RouteRuleSpec},
    table_reader::{TableReader, text},
    tree::{Entry, Node, Position, Value},
};
use crate::engine::NamedLimit;

/// The content of a file.
#[derive(Clone, Debug, Default)]
pub(super) struct File {
    pub(super) limits: Limits,
    /// Position of `limits`.
    pub(super) limits_at: Position,
    pub(super) rules: Vec<RouteRuleSpec>,
    /// Whether it has the key `rules`. A file without it may have been cut off.
    pub(super) says_rules: bool,
    /// Patterns of exempt routes.
    pub(super) exempt: Vec<String>,
    pub(super) skip_preflight: bool,
}

/// The named limits.
pub(super) type Limits = BTreeMap<String, NamedLimit>;

/// Start of a file, for diagnostics about all of it.
const START: Position = Position { line: 1, column: 1 };

const LIMITS: &str = "login = \"5/minute\"";
const RULES: &str = "[{ path = \"^/api\", limits = [\"100/minute\"] }]";
const EXEMPT: &str = "[\"/api/search\"]";

impl File {
    /// Parses and checks a text; `source` is its name in errors.
    ///
    /// # Errors
    ///
    /// All diagnostics of the text.
    pub(super) fn parse(
        text: &str,
        format: Format,
        source: &str,
        known: &IdentifierRegistry,
    ) -> Result<Self, ConfigError> {
        let mut diagnostics = Diagnostics::default();
        let root = Node::parse(text, format, &mut diagnostics);
        let file = root.and_then(|root| Self::read(&root, known, &mut diagnostics));
        diagnostics.into_result(source, file)
    }

    fn read(
        root: &Node,
        known: &IdentifierRegistry,
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut table = TableReader::of(root, LIMITS, diagnostics)?;
        let (limits_at, limits) = match table.take("limits") {
            Some(Entry { place, node, .. }) => (*place, limits(node, diagnostics)),
            None => (root.place, Limits::new()),
        };
        let says_rules = table.has("rules");
        if limits.is_empty() && !says_rules {
            diagnostics.at(root.place, cut_off("the file has no rules and no limits"));
        }
        let mut rules = Vec::new();
        for node in table.list("rules", RULES, diagnostics).unwrap_or_default() {
            rules.extend(rule::rule(node, &limits, known, diagnostics));
        }
        let mut exempt = Vec::new();
        for pattern in table.texts("exempt", EXEMPT, diagnostics) {
            if !pattern.value.starts_with('/') {
                let reason = "the pattern of a route, as it was registered, starts with `/`";
                diagnostics.at(pattern.place, reason);
            }
            exempt.push(pattern.value.to_owned());
        }
        let skip_preflight = table.flag("skip_preflight", diagnostics);
        table.finish(diagnostics);
        Some(Self {
            limits,
            limits_at,
            rules,
            says_rules,
            exempt,
            skip_preflight,
        })
    }

    /// Checks that this file may replace `old`: it must not lose all rules without saying so.
    pub(super) fn check_successor_of(&self, old: &Self, diagnostics: &mut Diagnostics) {
        let count = old.rules.len();
        if count > 0 && self.rules.is_empty() && !self.says_rules {
            let s = if count == 1 { "" } else { "s" };
            let what = format!("the file has no rules any more, and {count} rule{s} in force");
            diagnostics.at(START, cut_off(&what));
        }
    }
}

/// Returns the reason for rejecting a file from which limits have vanished. A full disk and an
/// unfinished copy leave such files behind, and accepting them would lift all limits.
fn cut_off(what: &str) -> String {
    format!("{what}: was it cut off? Write `rules = []` if there are to be none")
}

fn limits(node: &Node, diagnostics: &mut Diagnostics) -> Limits {
    let mut limits = Limits::new();
    let Value::Table(entries) = &node.value else {
        let kind = node.value.kind();
        let reason = format!("`limits` is a table of names, not {kind}: write `{LIMITS}` into it");
        diagnostics.at(node.place, reason);
        return limits;
    };
    for Entry { place, key, node } in entries {
        if !is_name(key) {
            let reason = "a limit's name starts with a letter and goes on with letters, digits, \
                          `_`, `-` and `.`, so that no rate looks like one";
            diagnostics.at(*place, reason);
        }
        let named = match text(node) {
            Some(rate) => limit::shorthand(rate, diagnostics).map(NamedLimit::from),
            None => TableReader::of(node, limit::EXAMPLE, diagnostics).and_then(|mut table| {
                let limit = whole_limit(&mut table, *place, diagnostics);
                table.finish(diagnostics);
                limit
            }),
        };
        // Keep the name of an invalid limit, or every rule that uses it would be reported as well.
        limits.insert(key.clone(), named.unwrap_or(limit::STAND_IN.into()));
    }
    limits
}

/// Reads a rate or a concurrency limit, with its options.
pub(super) fn whole_limit(
    table: &mut TableReader<'_>,
    place: Position,
    diagnostics: &mut Diagnostics,
) -> Option<NamedLimit> {
    let (policy, options) = match concurrency::is_meant(table) {
        true => {
            let limit = concurrency::concurrency(table, place, diagnostics);
            let options = limit_options::of_place(table, diagnostics);
            (limit.map(AnyLimit::Concurrency), options)
        }
        false => {
            let limit = limit::limit(table, place, diagnostics);
            let options = limit_options::of_rate(table, diagnostics);
            (limit.map(AnyLimit::Rate), options)
        }
    };
    Some(NamedLimit {
        limit: policy?,
        options,
    })
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain)
}
