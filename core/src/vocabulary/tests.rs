//! Tests that the documentation has the arguments of the table, with their ranges and defaults.

use std::{collections::BTreeSet, fs, time::Duration};

use super::{ARGUMENTS, Argument, Scope, ValueKind};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/..");

/// A table of Markdown: its rows without the head, each as its cells.
type Table = Vec<Vec<String>>;

/// Returns the tables of a file whose first column has this title, from documentation comments too.
fn tables(path: &str, title: &str) -> Vec<Table> {
    let text = fs::read_to_string(format!("{ROOT}/{path}")).expect(path);
    let mut tables = Vec::new();
    let mut current: Option<Table> = None;
    for line in text.lines() {
        let line = line.trim();
        if !line.starts_with('|') {
            tables.extend(current.take());
            continue;
        }
        let cells = line.trim_matches('|').split('|');
        let cells: Vec<_> = cells.map(|cell| cell.trim().to_owned()).collect();
        match &mut current {
            Some(table) if !cells[0].starts_with("---") => table.push(cells),
            None if cells[0] == title => current = Some(Table::new()),
            _ => {}
        }
    }
    tables.extend(current);
    assert!(!tables.is_empty(), "{path} has no table of `{title}`");
    tables
}

/// Returns what stands in backticks.
fn names(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

fn arguments(scope: Scope) -> impl Iterator<Item = &'static Argument> {
    let arguments = ARGUMENTS.iter().copied();
    arguments.filter(move |argument| argument.is_in(scope))
}

fn expected(scope: Scope) -> BTreeSet<&'static str> {
    arguments(scope).map(|argument| argument.name).collect()
}

/// Checks a table of an attribute's arguments.
fn check_attribute(table: &Table, scope: Scope, path: &str) {
    let found: BTreeSet<_> = table.iter().flat_map(|row| names(&row[0])).collect();
    assert_eq!(found, expected(scope), "{path}: {scope:?}");
    for row in table {
        for name in names(&row[0]) {
            let argument = arguments(scope).find(|argument| argument.name == name);
            check_row(argument.expect(name), row, path);
        }
    }
}

fn check_row(argument: &Argument, row: &[String], path: &str) {
    let Argument { name, default, .. } = argument;
    let text = row[1..].join(" ");
    if text.contains("as for [") {
        return;
    }
    let last = row.last().expect("a cell").replace('`', "");
    assert!(
        last.contains(default),
        "{path}: `{name}` has the default {default}, not {last}"
    );
    if text.contains("as in `") || text.contains("see ") {
        return;
    }
    let words: Vec<String> = match &argument.kind {
        ValueKind::Count(range) => {
            let min = range.start();
            let range = format!("{min} to {}", with_commas(*range.end()));
            let is_whole = text.contains(&format!("integer ≥ {min}"));
            vec![if is_whole { String::new() } else { range }]
        }
        ValueKind::Micros(range) => vec![in_words(*range.start(), *range.end())],
        ValueKind::Duration(range) => {
            let micros = |duration: &Duration| u64::try_from(duration.as_micros()).expect(name);
            vec![in_words(micros(range.start()), micros(range.end()))]
        }
        ValueKind::Word(words) => words().iter().map(|word| format!("\"{word}\"")).collect(),
        ValueKind::Flag => vec!["flag".to_owned()],
        _ => Vec::new(),
    };
    for word in words {
        assert!(
            text.contains(&word),
            "{path}: `{name}` lacks {word}: {text}"
        );
    }
}

fn with_commas(number: u32) -> String {
    let digits = number.to_string();
    let mut text = String::new();
    for (index, digit) in digits.chars().enumerate() {
        if index > 0 && (digits.len() - index).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    text
}

/// Writes a range of microseconds as the documentation does: `100 ms to 24 h`.
fn in_words(min: u64, max: u64) -> String {
    const HOUR: u64 = 3_600_000_000;
    let one = |micros| match micros {
        days if days > 24 * HOUR => format!("{} days", days / (24 * HOUR)),
        hours if hours >= HOUR => format!("{} h", hours / HOUR),
        millis => format!("{} ms", millis / 1_000),
    };
    format!("{} to {}", one(min), one(max))
}

#[test]
fn each_name_has_one_meaning_in_a_table() {
    for scope in [
        Scope::RateLimit,
        Scope::ConcurrencyLimit,
        Scope::File,
        Scope::Rule,
        Scope::Identifier,
    ] {
        assert_eq!(arguments(scope).count(), expected(scope).len(), "{scope:?}");
    }
    let of_limit = |argument: &Argument| {
        [Scope::RuleLimit, Scope::Rate, Scope::Concurrency]
            .iter()
            .any(|scope| argument.is_in(*scope))
    };
    let keys: Vec<_> = ARGUMENTS.iter().filter(|one| of_limit(one)).collect();
    let names: BTreeSet<_> = keys.iter().map(|argument| argument.name).collect();
    assert_eq!(keys.len(), names.len());
}

#[test]
fn documentation_of_the_attributes_is_the_table() {
    for (path, scope) in [
        ("macros/src/docs/rate_limit.md", Scope::RateLimit),
        (
            "macros/src/docs/concurrency_limit.md",
            Scope::ConcurrencyLimit,
        ),
    ] {
        let tables = tables(path, "argument");
        assert_eq!(tables.len(), 1, "{path}");
        check_attribute(&tables[0], scope, path);
    }
}

#[test]
fn guide_has_the_arguments_of_the_table() {
    for (path, scope) in [
        ("docs/guide/attribute.md", Scope::RateLimit),
        ("docs/guide/concurrency.md", Scope::ConcurrencyLimit),
    ] {
        check_attribute(&tables(path, "argument")[0], scope, path);
    }
}

#[test]
fn guide_has_the_keys_of_the_table() {
    let path = "docs/guide/configuration-file.md";
    let keys = tables(path, "key");
    for (table, scope) in keys.iter().zip([Scope::File, Scope::Rule]) {
        let found: BTreeSet<_> = table.iter().flat_map(|row| names(&row[0])).collect();
        assert_eq!(found, expected(scope), "{path}: {scope:?}");
    }
    let units = ["milliseconds", "seconds", "minutes", "hours", "days"];
    let kinds = tables(path, "kind");
    let scopes = [Scope::Rate, Scope::Concurrency, Scope::RuleLimit];
    for (row, scope) in kinds[0].iter().zip(scopes) {
        let mut found: BTreeSet<_> = names(&row[1]).into_iter().collect();
        if scope == Scope::Rate {
            found.extend(units);
        }
        assert_eq!(found, expected(scope), "{path}: {scope:?}");
    }
}
