//! TOML as a tree of values with lines.

use toml::{
    Spanned,
    de::{DeInteger, DeTable, DeValue},
};

use super::node::{DocumentNode, DocumentValue, KeyValue};
use crate::config::{diagnostics::Diagnostics, position::Position};

/// Parses TOML. What stands behind an error is read all the same.
pub(super) fn parse(text: &str, diagnostics: &mut Diagnostics) -> DocumentNode {
    let index = LineIndex::of(text);
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let offset = error.span().map_or(0, |span| span.start);
        diagnostics.at(index.at(offset), error.message());
    }
    DocumentNode {
        position: Position { line: 1, column: 1 },
        value: index.table(table.get_ref()),
    }
}

/// Turns byte offsets into lines and columns.
struct LineIndex<'t> {
    text: &'t str,
    /// The byte offset of the start of each line.
    starts: Vec<usize>,
}

impl<'t> LineIndex<'t> {
    fn of(text: &'t str) -> Self {
        let breaks = text.match_indices('\n').map(|(at, _)| at + 1);
        let starts = std::iter::once(0).chain(breaks).collect();
        Self { text, starts }
    }

    fn at(&self, offset: usize) -> Position {
        // The first line starts at 0, so a line starts at or before any offset.
        let line = self.starts.partition_point(|start| *start <= offset).max(1);
        let before = self.text.get(self.starts[line - 1]..offset);
        let column = before.map_or(0, |before| before.chars().count()) + 1;
        Position { line, column }
    }

    fn node(&self, value: &Spanned<DeValue<'_>>) -> DocumentNode {
        DocumentNode {
            position: self.at(value.span().start),
            value: self.value(value.get_ref()),
        }
    }

    fn value(&self, value: &DeValue<'_>) -> DocumentValue {
        match value {
            DeValue::String(text) => DocumentValue::Text(text.clone().into_owned()),
            DeValue::Integer(number) => DocumentValue::Integer(integer(number)),
            DeValue::Boolean(flag) => DocumentValue::Flag(*flag),
            DeValue::Float(_) => DocumentValue::Other("a fraction"),
            DeValue::Datetime(_) => DocumentValue::Other("a date"),
            DeValue::Array(nodes) => {
                DocumentValue::List(nodes.iter().map(|node| self.node(node)).collect())
            }
            DeValue::Table(table) => self.table(table),
        }
    }

    fn table(&self, table: &DeTable<'_>) -> DocumentValue {
        let entries = table.iter().map(|(key, value)| KeyValue {
            position: self.at(key.span().start),
            key: key.get_ref().clone().into_owned(),
            node: self.node(value),
        });
        DocumentValue::Table(entries.collect())
    }
}

fn integer(number: &DeInteger<'_>) -> i64 {
    let digits = number.as_str();
    let cut = if digits.starts_with('-') {
        i64::MIN
    } else {
        i64::MAX
    };
    i64::from_str_radix(digits, number.radix()).unwrap_or(cut)
}
