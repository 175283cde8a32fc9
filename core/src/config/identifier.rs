//! Reads `identifier = …`: what a limit counts by.

use super::{
    diagnostics::Diagnostics,
    document::{Entry, Node, Value},
    position::Spanned,
    reader::{TableReader, text},
};
use crate::{
    rules::IdentifierSpec,
    text::suggest,
    vocabulary::{self, Argument},
};

/// Makes the identifier of a header, cookie or query parameter of this name.
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
    let Entry { node, .. } = table.take(&vocabulary::IDENTIFIER)?;
    match &node.value {
        Value::Text(_) => by_text(text(node)?, names, diagnostics),
        Value::Table(_) => by_table(node, diagnostics),
        other => {
            let kind = other.kind();
            let reason = format!(
                "`identifier` takes a string or a table, not {kind}: write `identifier = {}`",
                vocabulary::IDENTIFIER.example
            );
            diagnostics.at(node.position, reason);
            None
        }
    }
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
fn by_table(node: &Node, diagnostics: &mut Diagnostics) -> Option<IdentifierSpec> {
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
    if matches!(identifier, IdentifierSpec::Header(_)) && !is_token(name.value) {
        let reason = format!("`{}` is no name of an HTTP header", name.value);
        diagnostics.at(name.position, reason);
        return None;
    }
    Some(identifier)
}

/// Whether this can be the name of a header: a token of RFC 9110, section 5.6.2.
fn is_token(text: &str) -> bool {
    let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_token)
}
