//! Diagnostics: what is wrong in a file, and where. A reader collects all of them.

use std::fmt;

use super::position::Position;

/// One error in a configuration, with its position.
#[derive(Clone, PartialEq, Eq)]
pub struct Diagnostic {
    position: Position,
    reason: String,
}

impl Diagnostic {
    /// Returns the line of the error, from 1.
    #[must_use]
    pub fn line(&self) -> usize {
        self.position.line
    }

    /// Returns the column where the error starts, in characters, from 1.
    #[must_use]
    pub fn column(&self) -> usize {
        self.position.column
    }

    /// Returns the text: the error, then the correction to write.
    #[must_use]
    pub fn reason(&self) -> &str {
        &self.reason
    }
}

debug_is_message!(Diagnostic);

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Position { line, column } = self.position;
        write!(f, "{line}:{column}: {}", self.reason)
    }
}

/// A collection of diagnostics, so that one attempt shows them all: a reader that reports one goes
/// on.
#[doc(hidden)]
#[derive(Debug, Default)]
pub struct Diagnostics(Vec<Diagnostic>);

impl Diagnostics {
    /// Adds a diagnostic.
    pub fn at(&mut self, position: Position, reason: impl Into<String>) {
        let reason = reason.into();
        self.0.push(Diagnostic { position, reason });
    }

    /// Whether nothing was reported.
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Returns the value, or reports the error.
    pub fn ok<T, E: fmt::Display>(
        &mut self,
        position: Position,
        result: Result<T, E>,
    ) -> Option<T> {
        result
            .map_err(|error| self.at(position, error.to_string()))
            .ok()
    }

    /// Returns the value if nothing was reported.
    ///
    /// # Errors
    ///
    /// All diagnostics, in the order of the file.
    pub fn into_result<T>(self, value: Option<T>) -> Result<T, Vec<Diagnostic>> {
        match value {
            Some(value) if self.0.is_empty() => Ok(value),
            _ => Err(self.into_vec()),
        }
    }

    /// Returns all diagnostics, in the order of the file.
    #[must_use]
    pub fn into_vec(mut self) -> Vec<Diagnostic> {
        self.0.sort_by_key(|diagnostic| diagnostic.position);
        self.0
    }

    #[cfg(test)]
    pub(crate) fn lines(&self) -> Vec<String> {
        self.0.iter().map(ToString::to_string).collect()
    }
}
