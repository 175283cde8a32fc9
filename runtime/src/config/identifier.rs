//! Reads `identifier = …`: what a limit counts by.

use std::collections::BTreeMap;

use actix_throttle_core::text::suggest;

use super::{
    error::Diagnostics,
    table_reader::{Spanned, TableReader, text},
    tree::{Entry, Node, Value},
};
use crate::identity::Identifier;

/// The identifiers to which the application has given names.
pub(super) type IdentifierRegistry = BTreeMap<String, Identifier>;

/// An identifier, and how the file writes it.
#[derive(Clone, Debug)]
pub(super) struct IdentifierSpec {
    pub(super) identifier: Identifier,
    pub(super) written: String,
}

const EXAMPLE: &str = "\"header:X-Api-Key\"";
/// Makes the identifier of a header, cookie or query parameter of this name.
type Source = fn(&str) -> Identifier;
type Plain = fn() -> Identifier;

const SOURCES: [(&str, Source); 3] = [
    ("header", Identifier::header),
    ("cookie", Identifier::cookie),
    ("query", Identifier::query),
];
/// A source that only the attribute knows.
const PATH: &str = "path";
const PLAIN: [(&str, Plain); 2] = [("ip", Identifier::ip), ("global", Identifier::global)];

/// Whether an identifier of the application may have this name, which the file must not know
/// already.
pub(super) fn is_free(name: &str) -> bool {
    let taken = |word: &str| word == name;
    !name.is_empty()
        && name != PATH
        && !name.contains(':')
        && !SOURCES.iter().any(|(source, _)| taken(source))
        && !PLAIN.iter().any(|(plain, _)| taken(plain))
}

/// Reads the identifier of a table, if it has one.
pub(super) fn identifier(
    table: &mut TableReader<'_>,
    known: &IdentifierRegistry,
    diagnostics: &mut Diagnostics,
) -> Option<IdentifierSpec> {
    let Entry { node, .. } = table.take("identifier")?;
    match &node.value {
        Value::Text(_) => by_text(text(node)?, known, diagnostics),
        Value::Table(_) => by_table(node, diagnostics),
        other => {
            let kind = other.kind();
            let reason = format!(
                "`identifier` takes a string or a table, not {kind}: write `identifier = {EXAMPLE}`"
            );
            diagnostics.at(node.place, reason);
            None
        }
    }
}

fn by_text(
    text: Spanned<&str>,
    known: &IdentifierRegistry,
    diagnostics: &mut Diagnostics,
) -> Option<IdentifierSpec> {
    let Spanned { place, value } = text;
    let (source, name) = value.split_once(':').unwrap_or((value, ""));
    if source == PATH {
        let reason = "a middleware comes before the route and knows no segments of its path: limit \
                      the handler by the attribute, or give a function of yours a name";
        diagnostics.at(place, reason);
        return None;
    }
    if let Some(make) = source_of(source) {
        return match name {
            "" => {
                let reason = format!("`{source}` needs a name: write `\"{source}:name\"`");
                diagnostics.at(place, reason);
                None
            }
            name => named(source, Spanned { place, value: name }, make, diagnostics),
        };
    }
    let plain = PLAIN.iter().find(|(plain, _)| *plain == value);
    let plain = plain.map(|(_, make)| make());
    let Some(identifier) = plain.or_else(|| known.get(value).cloned()) else {
        let mut valid: Vec<&str> = PLAIN.iter().map(|(plain, _)| *plain).collect();
        valid.extend(["header:…", "cookie:…", "query:…"]);
        valid.extend(known.keys().map(String::as_str));
        let reason = suggest::unknown("identifier", value, &valid);
        let how = "a function is given its name by `Config::builder().identifier(name, function)`";
        diagnostics.at(place, format!("{reason}; {how}"));
        return None;
    };
    let written = value.to_owned();
    Some(IdentifierSpec {
        identifier,
        written,
    })
}

/// Reads a table such as `{ header = "X-Api-Key" }`.
fn by_table(node: &Node, diagnostics: &mut Diagnostics) -> Option<IdentifierSpec> {
    let mut table = TableReader::of(node, EXAMPLE, diagnostics)?;
    let mut found = Vec::new();
    for (source, make) in SOURCES {
        if let Some(name) = table.text(source, "\"name\"", diagnostics) {
            found.extend(named(source, name, make, diagnostics));
        }
    }
    let given = SOURCES.iter().filter(|(source, _)| table.has(source));
    if given.count() != 1 {
        let reason = "an identifier is one of these: write `{ header = \"X-Api-Key\" }`";
        diagnostics.at(node.place, reason);
    }
    table.finish(diagnostics);
    found.pop()
}

fn source_of(word: &str) -> Option<Source> {
    let source = SOURCES.iter().find(|(source, _)| *source == word);
    source.map(|(_, make)| *make)
}

fn named(
    source: &str,
    name: Spanned<&str>,
    make: Source,
    diagnostics: &mut Diagnostics,
) -> Option<IdentifierSpec> {
    let identifier = make(name.value);
    if let Some(diagnostic) = identifier.validate() {
        diagnostics.at(name.place, diagnostic);
        return None;
    }
    let written = format!("{source}:{}", name.value);
    Some(IdentifierSpec {
        identifier,
        written,
    })
}
