//! Where a configuration comes from.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{error::ConfigError, format::Format};

/// What a file may have at most: this is not it.
const LONGEST: u64 = 4 * 1024 * 1024;

#[derive(Clone, Debug)]
pub(super) struct Source {
    path: Option<PathBuf>,
    /// What it is called in errors and in the log.
    pub(super) name: String,
    pub(super) format: Format,
}

impl Source {
    /// A file, by the end of its name.
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

    /// A text of the application's.
    pub(super) fn text(format: Format) -> Self {
        Self {
            path: None,
            name: "configuration".to_owned(),
            format,
        }
    }

    /// What the file says now.
    pub(super) fn read(&self) -> Result<String, ConfigError> {
        let unreadable =
            |reason: &dyn std::fmt::Display| Err(ConfigError::unreadable(&self.name, reason));
        let Some(path) = &self.path else {
            return unreadable(&"it came from a text and no file; give the next one to `replace`");
        };
        match fs::metadata(path) {
            Ok(about) if about.len() > LONGEST => return unreadable(&"it is larger than 4 MiB"),
            Ok(_) => {}
            Err(error) => return unreadable(&error),
        }
        fs::read_to_string(path).or_else(|error| unreadable(&error))
    }

    pub(super) fn is_file(&self) -> bool {
        self.path.is_some()
    }
}
