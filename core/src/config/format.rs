//! The formats in which a configuration can be written.

use std::path::Path;

/// The format of a configuration.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Format {
    /// TOML: a file whose name ends in `.toml`.
    Toml,
    /// YAML: a file whose name ends in `.yaml` or `.yml`.
    Yaml,
}

impl Format {
    /// Returns the format of a file by the end of its name.
    #[doc(hidden)]
    #[must_use]
    pub fn of(path: &Path) -> Option<Self> {
        let extension = path.extension()?.to_str()?.to_ascii_lowercase();
        match extension.as_str() {
            "toml" => Some(Self::Toml),
            "yaml" | "yml" => Some(Self::Yaml),
            _ => None,
        }
    }
}
