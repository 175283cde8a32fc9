//! A whole configuration file, parsed and checked: nothing in it can still be wrong by itself.

use super::{
    clients,
    diagnostics::{Diagnostic, Diagnostics},
    document::{self, DocumentNode, DocumentValue, KeyValue},
    entries,
    format::Format,
    limit_table::{self, Limits},
    position::{Position, Spanned},
    reader::TableReader,
    rules,
};
use crate::{enforcement::Enforcement, network::ClientSpec, rules::RouteRuleSpec, vocabulary};

/// The content of a file.
#[doc(hidden)]
#[derive(Clone, Debug, Default)]
pub struct ConfigSpec {
    /// The named limits.
    pub limits: Limits,
    /// The position of `limits`.
    pub limits_position: Position,
    /// The rules, in order.
    pub rules: Vec<Spanned<RouteRuleSpec>>,
    /// Whether it has the key `rules`. A file without it may have been cut off.
    pub has_rules: bool,
    /// Patterns of exempt routes.
    pub exempt: Vec<String>,
    /// Whether CORS preflights are left alone.
    pub skip_preflight: bool,
    /// The enforcement of all limits.
    pub enforcement: Enforcement,
    /// The settings of clients' addresses.
    pub clients: ClientSpec,
}

/// The start of a file, for diagnostics about all of it.
const START: Position = Position { line: 1, column: 1 };

impl ConfigSpec {
    /// Parses and checks a text. Besides its own identifiers, a file may use those whose names are
    /// given, in the order of diagnostics that list them.
    ///
    /// # Errors
    ///
    /// All diagnostics of the text.
    pub fn parse(
        text: &str,
        format: Format,
        identifiers: &[&str],
    ) -> Result<Self, Vec<Diagnostic>> {
        let mut diagnostics = Diagnostics::default();
        let root = document::parse(text, format, &mut diagnostics);
        // A text with syntax errors and without a limit or a rule was hardly cut off. It has
        // another format, and what can be read of it means nothing.
        let spec = root
            .filter(|root| diagnostics.is_empty() || has_content(root))
            .and_then(|root| Self::read(&root, identifiers, &mut diagnostics));
        let spec = diagnostics.into_result(spec)?;
        entries::check(&spec.rules)?;
        Ok(spec)
    }

    fn read(
        root: &DocumentNode,
        identifiers: &[&str],
        diagnostics: &mut Diagnostics,
    ) -> Option<Self> {
        let mut table = TableReader::of(root, vocabulary::LIMITS.example, diagnostics)?;
        let clients = clients::clients(&mut table, diagnostics);
        let (limits_position, limits) = match table.take(&vocabulary::LIMITS) {
            Some(KeyValue { position, node, .. }) => {
                (*position, limit_table::read(node, diagnostics))
            }
            None => (root.position, Limits::new()),
        };
        let has_rules = table.has(&vocabulary::RULES);
        if limits.is_empty() && !has_rules {
            diagnostics.at(
                root.position,
                cut_off("the file has no rules and no limits"),
            );
        }
        let mut rules = Vec::new();
        for node in table
            .list(&vocabulary::RULES, diagnostics)
            .unwrap_or_default()
        {
            if let Some(value) = rules::rule(node, &limits, identifiers, diagnostics) {
                let position = node.position;
                rules.push(Spanned { position, value });
            }
        }
        let mut exempt = Vec::new();
        for pattern in table.texts(&vocabulary::EXEMPT, diagnostics) {
            if !pattern.value.starts_with('/') {
                let reason = "the pattern of a route, as it was registered, starts with `/`";
                diagnostics.at(pattern.position, reason);
            }
            exempt.push(pattern.value.to_owned());
        }
        let skip_preflight = table.flag(&vocabulary::SKIP_PREFLIGHT, diagnostics);
        let enforcement = table.word(&vocabulary::ENFORCEMENT, diagnostics);
        table.finish(diagnostics);
        Some(Self {
            limits,
            limits_position,
            rules,
            has_rules,
            exempt,
            skip_preflight,
            enforcement: enforcement.map_or_else(Enforcement::default, |word| word.value),
            clients,
        })
    }

    /// Checks that this file may replace `old`: it must not lose all rules without saying so.
    ///
    /// # Errors
    ///
    /// The diagnostic of a file that was probably cut off.
    pub fn check_successor_of(&self, old: &Self) -> Result<(), Vec<Diagnostic>> {
        let mut diagnostics = Diagnostics::default();
        let count = old.rules.len();
        if count > 0 && self.rules.is_empty() && !self.has_rules {
            let are = if count == 1 { "is" } else { "are" };
            let what = format!("the file has no rules any more, although {count} {are} in force");
            diagnostics.at(START, cut_off(&what));
        }
        diagnostics.into_result(Some(()))
    }
}

/// Whether the file has a limit or a rule, right or wrong.
fn has_content(root: &DocumentNode) -> bool {
    let DocumentValue::Table(entries) = &root.value else {
        return false;
    };
    entries.iter().any(|entry| match &entry.node.value {
        DocumentValue::Table(limits) => entry.key == vocabulary::LIMITS.name && !limits.is_empty(),
        DocumentValue::List(rules) => entry.key == vocabulary::RULES.name && !rules.is_empty(),
        _ => false,
    })
}

/// Returns the reason for rejecting a file from which limits have vanished. A full disk and an
/// unfinished copy leave such files behind, and accepting them would lift all limits.
fn cut_off(what: &str) -> String {
    format!("{what}: was it cut off? Write `rules = []` if there are to be none")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn lines(text: &str, format: Format) -> Vec<String> {
        let diagnostics = ConfigSpec::parse(text, format, &[]).expect_err(text);
        diagnostics.iter().map(ToString::to_string).collect()
    }

    #[test]
    fn text_without_syntax_has_syntax_errors_alone() {
        let yaml = "limits:\n  login: 5/minute\nrules:\n- limits: [login]\n";
        let toml = "[limits]\nlogin = \"5/minute\"\n";
        for (text, format) in [
            (yaml, Format::Toml),
            (toml, Format::Yaml),
            ("{ \"limits\": { \"login\": \"5/minute\" } }", Format::Toml),
            ("limits = ", Format::Toml),
            ("[limits\nlogin = '5/minute'", Format::Toml),
            ("---\n---\nlimits: {a: 1/s}", Format::Yaml),
            ("1: 2", Format::Yaml),
        ] {
            let lines = lines(text, format);
            for words in ["was it cut off?", "unknown key", "a table"] {
                assert!(
                    !lines.iter().any(|line| line.contains(words)),
                    "{text}: {lines:#?}"
                );
            }
        }
    }

    #[test]
    fn text_without_anything_may_have_been_cut_off() {
        for (text, format) in [
            ("", Format::Toml),
            ("# b", Format::Yaml),
            ("limts = 1", Format::Toml),
        ] {
            let lines = lines(text, format);
            assert!(lines[0].contains("was it cut off?"), "{text}: {lines:#?}");
        }
    }

    #[test]
    fn what_can_be_read_beside_a_syntax_error_is_checked() {
        let lines = lines("limits.a = '5/minuet'\nb = = 1\nc = 1\n", Format::Toml);
        for words in ["unknown unit of time", "extra `=`", "unknown key `c`"] {
            assert!(
                lines.iter().any(|line| line.contains(words)),
                "{words}: {lines:#?}"
            );
        }
    }
}
