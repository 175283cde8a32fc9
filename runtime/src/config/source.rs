//! The source of a configuration: a file, or a text of the application.

use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

use actix_throttle_core::config::Format;

use super::error::ConfigError;

/// The maximum size of a file, in bytes: a larger one is no configuration.
const LONGEST: u64 = 4 * 1024 * 1024;

/// The file or the text that a configuration is read from.
/// A reading of the file: its text, or why it cannot be read.
pub(super) type Reading = Result<String, ConfigError>;

#[derive(Clone, Debug)]
pub(super) struct ConfigSource {
    path: Option<PathBuf>,
    /// The name in errors and in the log.
    pub(super) name: String,
    pub(super) format: Format,
}

impl ConfigSource {
    /// Makes the source of a file, whose format its name tells.
    pub(super) fn file(path: &Path) -> Result<Self, ConfigError> {
        let name = path.display().to_string();
        match Format::of(path) {
            Some(format) => Ok(Self {
                path: Some(path.to_owned()),
                name,
                format,
            }),
            None => Err(ConfigError::unreadable(
                &name,
                "its name does not say what it is written in; let it end in `.toml`, `.yaml` or `.yml`",
            )),
        }
    }

    /// Makes the source of a text that the application has.
    pub(super) fn text(format: Format) -> Self {
        Self {
            path: None,
            name: "configuration".to_owned(),
            format,
        }
    }

    /// Reads what the file says now.
    pub(super) fn read(&self) -> Reading {
        let unreadable =
            |reason: &dyn std::fmt::Display| Err(ConfigError::unreadable(&self.name, reason));
        let Some(path) = &self.path else {
            return unreadable(&"it came from a text and no file; give the next one to `replace`");
        };
        // A pipe would block the reader, and a device may have no end.
        match fs::metadata(path) {
            Ok(about) if !about.is_file() => return unreadable(&"it is not a regular file"),
            Ok(_) => {}
            Err(error) => return unreadable(&error),
        }
        match read_at_most(path, LONGEST + 1) {
            Ok(text) if text.len() as u64 > LONGEST => unreadable(&"it is larger than 4 MiB"),
            Ok(text) => Ok(text),
            Err(error) => unreadable(&error),
        }
    }

    pub(super) fn is_file(&self) -> bool {
        self.path.is_some()
    }
}

/// Reads a text, of which more than `most` bytes are left out.
fn read_at_most(path: &Path, most: u64) -> io::Result<String> {
    let mut text = String::new();
    File::open(path)?.take(most).read_to_string(&mut text)?;
    Ok(text)
}
