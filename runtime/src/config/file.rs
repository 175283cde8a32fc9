//! A whole configuration file, parsed and checked: nothing in it can still be wrong.

use super::{
    error::{ConfigError, Diagnostics},
    format::Format,
    identifier::IdentifierRegistry,
    limit_table::{self, Limits},
    position::Position,
    rule::{self, RouteRuleSpec},
    table_reader::TableReader,
    tree::{Entry, Node},
};

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

/// Start of a file, for diagnostics about all of it.
const START: Position = Position { line: 1, column: 1 };

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
        let mut table = TableReader::of(root, limit_table::EXAMPLE, diagnostics)?;
        let (limits_at, limits) = match table.take("limits") {
            Some(Entry { place, node, .. }) => (*place, limit_table::read(node, diagnostics)),
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
