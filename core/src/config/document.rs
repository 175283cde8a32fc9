//! A file as a tree of values with positions, whatever its format.

mod node;
mod toml;
mod yaml;

pub(crate) use self::node::{DocumentNode, DocumentValue, KeyValue};
use super::{diagnostics::Diagnostics, format::Format};

/// Parses a text. What could be read of it, if anything, is checked further.
pub(crate) fn parse(
    text: &str,
    format: Format,
    diagnostics: &mut Diagnostics,
) -> Option<DocumentNode> {
    match format {
        Format::Toml => Some(toml::parse(text, diagnostics)),
        Format::Yaml => yaml::parse(text, diagnostics),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::position::Position;

    const TOML: &str = r#"flag = true
list = [1, "two"]

[table]
"key" = 1_000
when = 1.5
"#;
    const YAML: &str = r#"flag: true
list: [1, "two"]

table:
  key: 1000
  when: 1.5
"#;

    fn read(text: &str, format: Format) -> (Option<DocumentNode>, Vec<String>) {
        let mut diagnostics = Diagnostics::default();
        let node = parse(text, format, &mut diagnostics);
        (node, diagnostics.lines())
    }

    /// Lists the keys with their positions and the kinds of their values.
    fn outline(node: &DocumentNode) -> Vec<String> {
        let DocumentValue::Table(entries) = &node.value else {
            return Vec::new();
        };
        let mut lines: Vec<(Position, String)> = Vec::new();
        for KeyValue {
            position,
            key,
            node,
        } in entries
        {
            let Position { line, column } = node.position;
            let kind = node.value.kind();
            lines.push((*position, format!("{key} {kind} at {line}:{column}")));
        }
        lines.sort();
        let mut lines: Vec<_> = lines.into_iter().map(|(_, line)| line).collect();
        for entry in entries {
            lines.extend(outline(&entry.node));
        }
        lines
    }

    #[test]
    fn values_have_positions() {
        let (node, diagnostics) = read(TOML, Format::Toml);
        assert_eq!(diagnostics, [""; 0]);
        assert_eq!(
            outline(&node.expect("a tree")),
            [
                "flag true or false at 1:8",
                "list a list at 2:8",
                "table a table at 4:1",
                "key an integer at 5:9",
                "when a fraction at 6:8",
            ]
        );
        let (node, diagnostics) = read(YAML, Format::Yaml);
        assert_eq!(diagnostics, [""; 0]);
        assert_eq!(
            outline(&node.expect("a tree")),
            [
                "flag true or false at 1:7",
                "list a list at 2:7",
                "table a table at 5:3",
                "key an integer at 5:8",
                "when a fraction at 6:9",
            ]
        );
    }

    #[test]
    fn all_errors_of_toml_are_reported() {
        let (_, diagnostics) = read("a = \nb = 1\nc = = 2\nb = 3\n", Format::Toml);
        for (position, words) in [
            ("1:5: ", "string values must be quoted"),
            ("3:5: ", "extra `=`"),
            ("4:1: ", "duplicate key"),
        ] {
            let is_reported = |line: &String| line.starts_with(position) && line.contains(words);
            assert!(
                diagnostics.iter().any(is_reported),
                "{words}: {diagnostics:?}"
            );
        }
    }

    #[test]
    fn error_of_yaml_has_its_position() {
        for (text, position, words) in [
            ("a: [1, 2\nb: 3\n", "2:", ""),
            ("a: 1\na: 2\n", "2:1", "duplicated key"),
            ("a: 1\n---\nb: 2\n", "", "one document"),
            ("1: 2\n", "1:1", "a key is a string"),
            ("a:\n  - {b: 1", "2:10", ""),
        ] {
            let (_, diagnostics) = read(text, Format::Yaml);
            assert_eq!(diagnostics.len(), 1, "{text:?}: {diagnostics:?}");
            assert!(
                diagnostics[0].starts_with(position),
                "{text:?}: {diagnostics:?}"
            );
            assert!(diagnostics[0].contains(words), "{text:?}: {diagnostics:?}");
        }
    }

    #[test]
    fn columns_are_counted_in_characters() {
        let (node, _) = read("a = { \"ü\" = 1, b = [] }", Format::Toml);
        assert!(outline(&node.expect("a tree")).contains(&"b a list at 1:20".to_owned()));
        let (node, _) = read("a: { \"ü\": 1, b: [] }", Format::Yaml);
        assert!(outline(&node.expect("a tree")).contains(&"b a list at 1:17".to_owned()));
    }

    #[test]
    fn empty_file_is_an_empty_table() {
        for format in [Format::Toml, Format::Yaml] {
            let (node, diagnostics) = read("# nothing yet\n", format);
            assert_eq!(diagnostics, [""; 0]);
            assert_eq!(
                node.expect("a tree").value,
                DocumentValue::Table(Vec::new())
            );
        }
    }
}
