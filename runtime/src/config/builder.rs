//! [`ConfigBuilder`]: loads a configuration, whose file may name identifiers of the application.

use std::path::Path;

use actix_throttle_core::config::{Format, is_free_name};

use super::{
    config::Config, error::ConfigError, identifiers::IdentifierRegistry, source::ConfigSource,
};
use crate::identity::IntoIdentifier;

/// Settings of a [`Config`] apart from its file: the identifiers that the file names.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `load` or `parse`"]
pub struct ConfigBuilder {
    identifiers: IdentifierRegistry,
    /// The names that no identifier may have.
    taken: Vec<String>,
}

impl Config {
    /// Reads a file; its name ends in `.toml`, `.yaml` or `.yml`.
    ///
    /// It blocks on the file system, so call it at the start of the program.
    ///
    /// # Errors
    ///
    /// If the file cannot be read; or all of its diagnostics, each with line, column and reason. A
    /// file with neither rules nor limits is invalid unless it says `rules = []`.
    pub fn load(path: impl AsRef<Path>) -> Result<Self, ConfigError> {
        Self::builder().load(path)
    }

    /// Reads a text as if it came from a file.
    ///
    /// # Errors
    ///
    /// All diagnostics of the text.
    pub fn parse(text: &str, format: Format) -> Result<Self, ConfigError> {
        Self::builder().parse(text, format)
    }

    /// Starts a builder, for a file that names identifiers of the application.
    pub fn builder() -> ConfigBuilder {
        ConfigBuilder::default()
    }
}

impl ConfigBuilder {
    /// Gives an identifier a name, so that the file can say `identifier = "name"`: a function, sync
    /// or async, or an [`Identifier`](crate::Identifier). If a name is given twice, the second
    /// identifier counts.
    ///
    /// The name must not be one that the file knows already (`ip`, `global`, `header` …), be empty
    /// or contain a colon: `load` and `parse` return an error then.
    pub fn identifier<M>(
        mut self,
        name: impl Into<String>,
        identifier: impl IntoIdentifier<M>,
    ) -> Self {
        let name = name.into();
        if is_free_name(&name) {
            self.identifiers.insert(name, identifier.into_identifier());
        } else {
            self.taken.push(name);
        }
        self
    }

    /// Reads a file, as [`Config::load`] does.
    ///
    /// # Errors
    ///
    /// If [`Config::load`] would return one, or an identifier has a name that it must not have.
    pub fn load(self, path: impl AsRef<Path>) -> Result<Config, ConfigError> {
        let source = ConfigSource::file(path.as_ref())?;
        let text = source.read()?;
        self.build(source, &text)
    }

    /// Reads a text, as [`Config::parse`] does.
    ///
    /// # Errors
    ///
    /// If [`Config::parse`] would return one, or an identifier has a name that it must not have.
    pub fn parse(self, text: &str, format: Format) -> Result<Config, ConfigError> {
        self.build(ConfigSource::text(format), text)
    }

    fn build(self, source: ConfigSource, text: &str) -> Result<Config, ConfigError> {
        if let Some(name) = self.taken.first() {
            let reason = format!(
                "no identifier can be called `{name}`: the file has a meaning for that already; \
                 give it another name, without a colon"
            );
            return Err(ConfigError::unusable(&source.name, reason));
        }
        Config::new(source, self.identifiers, text)
    }
}
