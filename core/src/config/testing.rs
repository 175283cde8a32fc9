//! Parses texts of the unit tests.

use super::{ConfigSpec, Format};

/// Parses TOML without identifiers of an application. Errors are as in a file `a.toml`.
pub(crate) fn parse(text: &str) -> Result<ConfigSpec, String> {
    ConfigSpec::parse(text, Format::Toml, &[]).map_err(|diagnostics| {
        let lines = diagnostics.iter().map(|line| format!("a.toml:{line}"));
        lines.collect::<Vec<_>>().join("\n")
    })
}
