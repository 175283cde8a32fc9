//! Reads `identifier = …`: what a limit counts by.

use super::{
    diagnostics::Diagnostics,
    document::{DocumentNode, DocumentValue, KeyValue},
    position::Spanned,
    reader::{TableReader, text},
};
use crate::{
    identity::CombinationError,
    network::check_header_name,
    rules::IdentifierSpec,
    text::suggest,
    vocabulary::{self, Argument},
};

/// A function that makes the identifier of a header, cookie or query parameter of this name.
type NamedSource = fn(String) -> IdentifierSpec;

static SOURCES: [(&Argument, NamedSource); 3] = [
    (&vocabulary::HEADER, IdentifierSpec::Header),
    (&vocabulary::COOKIE, IdentifierSpec::Cookie),
    (&vocabulary::QUERY, IdentifierSpec::Query),
];
/// A source that only the attribute knows.
const PATH: &str = "path";
const PLAIN: [(&str, IdentifierSpec); 2] = [
    ("ip", IdentifierSpec::Ip),
    ("global", IdentifierSpec::Global),
];

/// Whether an identifier of the application may have this name, which the file must not know
/// already.
#[doc(hidden)]
#[must_use]
pub fn is_free_name(name: &str) -> bool {
    let taken = |word: &str| word == name;
    !name.is_empty()
        && name != PATH
        && !name.contains(':')
        && !SOURCES.iter().any(|(source, _)| taken(source.name))
        && !PLAIN.iter().any(|(plain, _)| taken(plain))
}

/// Reads the identifier of a table, if it has one; `names` are those of the application.
pub(crate) fn identifier(
    table: &mut TableReader<'_>,
    names: &[&str],
    diagnostics: &mut Diagnostics,
) -> Option<IdentifierSpec> {
    let KeyValue { node, .. } = table.take(&vocabulary::IDENTIFIER)?;
    match &node.value {
        DocumentValue::List(parts) => combination(node, parts, names, diagnostics),
        _ => single(node, names, diagnostics),
    }
}

/// Reads an identifier that is no combination.
fn single(
    node: &DocumentNode,
    names: &[&str],
    diagnostics: &mut Diagnostics,
) -> Option<IdentifierSpec> {
    match &node.value {
        DocumentValue::Text(_) => by_text(text(node)?, names, diagnostics),
        DocumentValue::Table(_) => by_table(node, diagnostics),
        other => {
            let kind = other.kind();
            let reason = format!(
                "`identifier` takes a string, a table or a list of them, not {kind}: write \
                 `identifier = {}`",
                vocabulary::IDENTIFIER.example
            );
            diagnostics.at(node.position, reason);
            None
        }
    }
}

/// Reads a combination, such as `["ip", "header:X-Tenant"]`.
fn combination(
    node: &DocumentNode,
    nodes: &[DocumentNode],
    names: &[&str],
    diagnostics: &mut Diagnostics,
) -> Option<IdentifierSpec> {
    let mut parts: Vec<IdentifierSpec> = Vec::new();
    for node in nodes {
        if let DocumentValue::List(_) = node.value {
            diagnostics.at(node.position, CombinationError::Nested.to_string());
            continue;
        }
        let Some(part) = single(node, names, diagnostics) else {
            continue;
        };
        let error = match &part {
            IdentifierSpec::Global => CombinationError::Global,
            part if parts.iter().any(|other| other.is_same(part)) => {
                CombinationError::Repeated(part.to_string())
            }
            _ => {
                parts.push(part);
                continue;
            }
        };
        diagnostics.at(node.position, error.to_string());
    }
    if nodes.len() < 2 {
        diagnostics.at(node.position, CombinationError::Few.to_string());
    }
    (parts.len() > 1).then_some(IdentifierSpec::All(parts))
}

fn by_text(
    text: Spanned<&str>,
    names: &[&str],
    diagnostics: &mut Diagnostics,
) -> Option<IdentifierSpec> {
    let Spanned { position, value } = text;
    let (source, name) = value.split_once(':').unwrap_or((value, ""));
    if source == PATH {
        let reason = "a middleware comes before the route and knows no segments of its path: limit \
                      the handler by the attribute, or give a function of yours a name";
        diagnostics.at(position, reason);
        return None;
    }
    if let Some((_, make)) = SOURCES.iter().find(|(argument, _)| argument.name == source) {
        if name.is_empty() {
            let reason = format!("`{source}` needs a name: write `\"{source}:name\"`");
            diagnostics.at(position, reason);
            return None;
        }
        let name = Spanned {
            position,
            value: name,
        };
        return named(*make, name, diagnostics);
    }
    if let Some((_, plain)) = PLAIN.iter().find(|(plain, _)| *plain == value) {
        return Some(plain.clone());
    }
    if names.contains(&value) {
        return Some(IdentifierSpec::Named(value.to_owned()));
    }
    let mut valid: Vec<&str> = PLAIN.iter().map(|(plain, _)| *plain).collect();
    valid.extend(["header:…", "cookie:…", "query:…"]);
    valid.extend(names);
    let reason = suggest::unknown("identifier", value, &valid);
    let how = "a function is given its name by `Config::builder().identifier(name, function)`";
    diagnostics.at(position, format!("{reason}; {how}"));
    None
}

/// Reads a table such as `{ header = "X-Api-Key" }`.
fn by_table(node: &DocumentNode, diagnostics: &mut Diagnostics) -> Option<IdentifierSpec> {
    let mut table = TableReader::of(node, vocabulary::IDENTIFIER.example, diagnostics)?;
    let mut found = Vec::new();
    for (source, make) in &SOURCES {
        if let Some(name) = table.text(source, diagnostics) {
            found.extend(named(*make, name, diagnostics));
        }
    }
    let given = SOURCES.iter().filter(|(source, _)| table.has(source));
    if given.count() != 1 {
        let reason = "an identifier is one of these: write `{ header = \"X-Api-Key\" }`";
        diagnostics.at(node.position, reason);
    }
    table.finish(diagnostics);
    found.pop()
}

fn named(
    make: NamedSource,
    name: Spanned<&str>,
    diagnostics: &mut Diagnostics,
) -> Option<IdentifierSpec> {
    let identifier = make(name.value.to_owned());
    if matches!(identifier, IdentifierSpec::Header(_)) {
        diagnostics.ok(name.position, check_header_name(name.value))?;
    }
    Some(identifier)
}

#[cfg(test)]
mod tests {
    use crate::config::testing::parse;

    fn rule(identifier: &str) -> Result<String, String> {
        let text = format!("rules = [{{ identifier = {identifier}, limits = ['1/s'] }}]");
        let limit = parse(&text)?.rules.remove(0).value.limits.remove(0);
        Ok(limit.identifier.expect("an identifier").to_string())
    }

    #[test]
    fn list_is_a_combination() {
        let read = rule("['ip', 'header:X-Tenant', { cookie = 'sid' }]");
        assert_eq!(read.as_deref(), Ok("(ip, header:X-Tenant, cookie:sid)"));
    }

    #[test]
    fn diagnostics_of_a_combination_have_their_positions() {
        for (identifier, expected) in [
            (
                "[]",
                "1:25: a combination has at least two parts: add another identifier, or write the \
                 one without a combination",
            ),
            (
                "['ip']",
                "1:25: a combination has at least two parts: add another identifier, or write the \
                 one without a combination",
            ),
            (
                "['ip', 'global']",
                "1:32: `global` is the same for all requests and tells none apart: remove it from \
                 the combination",
            ),
            (
                "['header:a', 'ip', { header = 'A' }]",
                "1:44: `header:A` is in the combination already: remove it",
            ),
            (
                "['ip', ['ip', 'cookie:a']]",
                "1:32: a combination within a combination: write all of its parts into one",
            ),
            (
                "['ip', 7]",
                "1:32: `identifier` takes a string, a table or a list of them, not an integer: \
                 write `identifier = \"header:X-Api-Key\"`",
            ),
            (
                "['ip', 'header:a b']",
                "1:32: `a b` is no name of an HTTP header",
            ),
        ] {
            let error = rule(identifier).expect_err(identifier);
            assert_eq!(error, format!("a.toml:{expected}"), "{identifier}");
        }
    }
}
