//! YAML as a tree of values with positions.

use saphyr::{LoadableYamlNode, MarkedYaml, Marker, Scalar, YamlData};

use super::node::{DocumentNode, DocumentValue, KeyValue};
use crate::config::{diagnostics::Diagnostics, position::Position};

/// Parses one document of YAML 1.2; `None` if it is none.
pub(super) fn parse(text: &str, diagnostics: &mut Diagnostics) -> Option<DocumentNode> {
    let documents = match MarkedYaml::load_from_str(text) {
        Ok(documents) => documents,
        Err(error) => {
            diagnostics.at(within(text, position(error.marker())), error.info());
            return None;
        }
    };
    if let Some(second) = documents.get(1) {
        let message = "a configuration is one document: remove this one, and the `---` before it";
        diagnostics.at(position(&second.span.start), message);
    }
    let root = documents.first().map(|root| node(root, diagnostics));
    Some(
        root.filter(|root| root.value != DocumentValue::Null)
            .unwrap_or(DocumentNode {
                position: Position { line: 1, column: 1 },
                value: DocumentValue::Table(Vec::new()),
            }),
    )
}

fn node(yaml: &MarkedYaml<'_>, diagnostics: &mut Diagnostics) -> DocumentNode {
    DocumentNode {
        position: position(&yaml.span.start),
        value: value(&yaml.data, diagnostics),
    }
}

fn value<'t>(data: &YamlData<'t, MarkedYaml<'t>>, diagnostics: &mut Diagnostics) -> DocumentValue {
    match data {
        YamlData::Value(Scalar::Null) => DocumentValue::Null,
        YamlData::Value(Scalar::Boolean(flag)) => DocumentValue::Flag(*flag),
        YamlData::Value(Scalar::Integer(number)) => DocumentValue::Integer(*number),
        YamlData::Value(Scalar::String(text)) => DocumentValue::Text(text.clone().into_owned()),
        YamlData::Value(Scalar::FloatingPoint(_)) => DocumentValue::Other("a fraction"),
        YamlData::Sequence(nodes) => {
            DocumentValue::List(nodes.iter().map(|yaml| node(yaml, diagnostics)).collect())
        }
        YamlData::Mapping(pairs) => {
            let mut entries = Vec::with_capacity(pairs.len());
            for (key, yaml) in pairs {
                let position = position(&key.span.start);
                let YamlData::Value(Scalar::String(name)) = &key.data else {
                    diagnostics.at(position, "a key is a string: put it in quotes");
                    continue;
                };
                entries.push(KeyValue {
                    position,
                    key: name.clone().into_owned(),
                    node: node(yaml, diagnostics),
                });
            }
            DocumentValue::Table(entries)
        }
        YamlData::Tagged(..) => DocumentValue::Other("a value with a tag"),
        YamlData::Representation(..) | YamlData::Alias(_) | YamlData::BadValue => {
            DocumentValue::Other("a value that cannot be read")
        }
    }
}

/// Returns the end of the last line for a position behind it: saphyr finds an end that comes too
/// early on a line that the text does not have.
fn within(text: &str, position: Position) -> Position {
    let last = text.split('\n').enumerate().last();
    match last {
        Some((index, line)) if position.line > index + 1 => Position {
            line: index + 1,
            column: line.chars().count() + 1,
        },
        _ => position,
    }
}

/// Turns a marker into a position: saphyr counts columns from 0.
fn position(marker: &Marker) -> Position {
    Position {
        line: marker.line(),
        column: marker.col() + 1,
    }
}
