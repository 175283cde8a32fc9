//! A file as a tree of values with positions.

use crate::config::position::Position;

/// A value and the position where it begins.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct DocumentNode {
    pub(crate) position: Position,
    pub(crate) value: DocumentValue,
}

/// A value of a file, in the words that TOML and YAML share.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum DocumentValue {
    /// No value behind a key, which only YAML knows.
    Null,
    Flag(bool),
    /// Saturated at the ends of `i64`, far beyond every valid number.
    Integer(i64),
    Text(String),
    List(Vec<DocumentNode>),
    Table(Vec<KeyValue>),
    /// A value that no setting takes, by its name in errors.
    Other(&'static str),
}

/// A key with its position, and its value.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct KeyValue {
    pub(crate) position: Position,
    pub(crate) key: String,
    pub(crate) node: DocumentNode,
}

impl DocumentValue {
    /// Returns the name of its kind in errors.
    pub(crate) fn kind(&self) -> &'static str {
        match self {
            Self::Null => "nothing",
            Self::Flag(_) => "true or false",
            Self::Integer(_) => "an integer",
            Self::Text(_) => "a string",
            Self::List(_) => "a list",
            Self::Table(_) => "a table",
            Self::Other(kind) => kind,
        }
    }
}
