//! Reads `limits`, and a limit of either kind.

use std::collections::BTreeMap;

use crate::{
    limit::{AnyLimit, NamedLimit},
    vocabulary,
};

use super::{
    concurrency,
    diagnostics::Diagnostics,
    document::{DocumentNode, DocumentValue, KeyValue},
    limit, options,
    position::Position,
    reader::{TableReader, text},
};

/// The named limits.
pub type Limits = BTreeMap<String, NamedLimit>;

/// Reads the named limits.
pub(crate) fn read(node: &DocumentNode, diagnostics: &mut Diagnostics) -> Limits {
    let mut limits = Limits::new();
    let DocumentValue::Table(entries) = &node.value else {
        let kind = node.value.kind();
        let reason = format!(
            "`limits` is a table of names, not {kind}: write `{}` into it",
            vocabulary::LIMITS.example
        );
        diagnostics.at(node.position, reason);
        return limits;
    };
    for KeyValue {
        position,
        key,
        node,
    } in entries
    {
        if !is_name(key) {
            let reason = "a limit's name starts with a letter and goes on with letters, digits, \
                          `_`, `-` and `.`, so that no rate looks like one";
            diagnostics.at(*position, reason);
        }
        let named = match text(node) {
            Some(rate) => limit::shorthand(rate, diagnostics).map(NamedLimit::from),
            None => TableReader::of(node, limit::EXAMPLE, diagnostics).and_then(|mut table| {
                let limit = whole_limit(&mut table, *position, diagnostics);
                table.finish(diagnostics);
                limit
            }),
        };
        // The name of an invalid limit is kept, or every rule that uses it would be reported as
        // well.
        limits.insert(key.clone(), named.unwrap_or(limit::PLACEHOLDER.into()));
    }
    limits
}

/// Reads a rate or a concurrency limit, with its options.
pub(crate) fn whole_limit(
    table: &mut TableReader<'_>,
    position: Position,
    diagnostics: &mut Diagnostics,
) -> Option<NamedLimit> {
    let (limit, options) = if concurrency::is_meant(table) {
        let limit = concurrency::concurrency(table, position, diagnostics);
        let options = options::of_concurrency(table, diagnostics);
        (limit.map(AnyLimit::Concurrency), options)
    } else {
        let limit = limit::limit(table, position, diagnostics);
        let options = options::of_rate(table, limit.as_ref(), diagnostics);
        (limit.map(AnyLimit::Rate), options)
    };
    Some(NamedLimit {
        limit: limit?,
        options,
    })
}

fn is_name(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_-.".contains(c);
    text.starts_with(|c: char| c.is_ascii_alphabetic()) && text.chars().all(plain)
}
