//! The errors of a configuration: all diagnostics of a file at once.

use std::fmt;

use super::position::Position;

/// Why a configuration was rejected: all of its diagnostics.
///
/// Its text has a line for each diagnostic, `file:line:column: reason`, in the order of the file.
/// The reason says what to write instead.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// Name of the file, or of the text.
    source: String,
    kind: Kind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum Kind {
    Unreadable(String),
    Wrong(Vec<Diagnostic>),
    Unusable(String),
}

/// One error in a configuration, with its position.
#[derive(Clone, PartialEq, Eq)]
pub struct Diagnostic {
    place: Position,
    reason: String,
}

impl ConfigError {
    pub(super) fn unreadable(source: &str, reason: impl fmt::Display) -> Self {
        Self {
            source: source.to_owned(),
            kind: Kind::Unreadable(reason.to_string()),
        }
    }

    pub(super) fn unusable(source: &str, reason: impl fmt::Display) -> Self {
        Self {
            source: source.to_owned(),
            kind: Kind::Unusable(reason.to_string()),
        }
    }

    /// Whether the file could not be read at all, or its name does not tell its format.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self.kind, Kind::Unreadable(_))
    }

    /// Whether the file could be read, and its content is invalid.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        matches!(self.kind, Kind::Wrong(_))
    }

    /// Returns the diagnostics in the order of the file; empty unless
    /// [`is_invalid`](Self::is_invalid).
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match &self.kind {
            Kind::Wrong(diagnostics) => diagnostics,
            Kind::Unreadable(_) | Kind::Unusable(_) => &[],
        }
    }
}

impl Diagnostic {
    /// Line of the error, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.place.line
    }

    /// Column where the error starts, in characters, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.place.column
    }

    /// What is wrong, and what to write instead.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

actix_throttle_core::debug_is_message!(Diagnostic);

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.place;
        write!(f, "{line}:{column}: {}", self.reason)
    }
}

actix_throttle_core::debug_is_message!(ConfigError);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = &self.source;
        match &self.kind {
            Kind::Unreadable(reason) => write!(f, "{source}: cannot be read: {reason}"),
            Kind::Unusable(reason) => write!(f, "{source}: {reason}"),
            Kind::Wrong(diagnostics) => {
                for (index, diagnostic) in diagnostics.iter().enumerate() {
                    let line_break = if index == 0 { "" } else { "\n" };
                    write!(f, "{line_break}{source}:{diagnostic}")?;
                }
                Ok(())
            }
        }
    }
}

impl std::error::Error for ConfigError {}

/// Lets `?` work in a `main` that returns `std::io::Result`.
impl From<ConfigError> for std::io::Error {
    fn from(error: ConfigError) -> Self {
        Self::other(error)
    }
}

/// Collects diagnostics, so that one attempt shows them all: a reader that reports one goes on.
#[derive(Debug, Default)]
pub(super) struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    pub(super) fn at(&mut self, place: Position, reason: impl Into<String>) {
        let reason = reason.into();
        self.0.push(Diagnostic { place, reason });
    }

    /// Returns the value, or reports the error.
    pub(super) fn ok<T, E: fmt::Display>(
        &mut self,
        place: Position,
        result: Result<T, E>,
    ) -> Option<T> {
        result
            .map_err(|error| self.at(place, error.to_string()))
            .ok()
    }

    /// Returns the value if nothing was reported, else all diagnostics.
    pub(super) fn into_result<T>(
        mut self,
        source: &str,
        value: Option<T>,
    ) -> Result<T, ConfigError> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => {
                self.0.sort_by_key(|diagnostic| diagnostic.place);
                Err(ConfigError {
                    source: source.to_owned(),
                    kind: Kind::Wrong(self.0),
                })
            }
        }
    }

    #[cfg(test)]
    pub(super) fn lines(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}
