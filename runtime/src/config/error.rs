//! The errors of a configuration: all diagnostics of a file at once.

use std::fmt;

use actix_throttle_core::config::Diagnostic;

/// The reason why a configuration was rejected: all of its diagnostics.
///
/// Its text has a line for each diagnostic, `file:line:column: reason`, in the order of the file.
/// The reason says what to write instead.
#[derive(Clone, PartialEq, Eq)]
pub struct ConfigError {
    /// The name of the file, or of the text.
    source: String,
    kind: ConfigErrorKind,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum ConfigErrorKind {
    Unreadable(String),
    Invalid(Vec<Diagnostic>),
    Unusable(String),
}

impl ConfigError {
    pub(super) fn unreadable(source: &str, reason: impl fmt::Display) -> Self {
        Self {
            source: source.to_owned(),
            kind: ConfigErrorKind::Unreadable(reason.to_string()),
        }
    }

    pub(super) fn invalid(source: &str, diagnostics: Vec<Diagnostic>) -> Self {
        Self {
            source: source.to_owned(),
            kind: ConfigErrorKind::Invalid(diagnostics),
        }
    }

    pub(super) fn unusable(source: &str, reason: impl fmt::Display) -> Self {
        Self {
            source: source.to_owned(),
            kind: ConfigErrorKind::Unusable(reason.to_string()),
        }
    }

    /// Whether the file could not be read at all, or its name does not tell its format.
    #[must_use]
    pub fn is_unreadable(&self) -> bool {
        matches!(self.kind, ConfigErrorKind::Unreadable(_))
    }

    /// Whether the file could be read, and its content is invalid.
    #[must_use]
    pub fn is_invalid(&self) -> bool {
        matches!(self.kind, ConfigErrorKind::Invalid(_))
    }

    /// Returns the diagnostics in the order of the file; empty unless
    /// [`is_invalid`](Self::is_invalid).
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        match &self.kind {
            ConfigErrorKind::Invalid(diagnostics) => diagnostics,
            ConfigErrorKind::Unreadable(_) | ConfigErrorKind::Unusable(_) => &[],
        }
    }
}

actix_throttle_core::debug_is_message!(ConfigError);

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let source = &self.source;
        match &self.kind {
            ConfigErrorKind::Unreadable(reason) => write!(f, "{source}: cannot be read: {reason}"),
            ConfigErrorKind::Unusable(reason) => write!(f, "{source}: {reason}"),
            ConfigErrorKind::Invalid(diagnostics) => {
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
