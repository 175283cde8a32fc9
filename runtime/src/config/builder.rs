use std::path::Path;

use super::{
    Config,
    error::ConfigError,
    format::Format,
    identifier::{self, IdentifierRegistry},
    source::Source,
};
use crate::identity::IntoIdentifier;

/// What a [`Config`] knows beside its file: identifiers that the file names.
#[derive(Clone, Debug, Default)]
#[must_use = "a builder does nothing until `load` or `parse`"]
pub struct ConfigBuilder {
    known: IdentifierRegistry,
    /// Names that no identifier can have.
    taken: Vec<String>,
}

impl ConfigBuilder {
    /// Lets the file say `identifier = "name"` for this one: a function, sync or async, or an
    /// [`Identifier`](crate::Identifier). Given twice, the second counts.
    ///
    /// The name cannot be one that the file knows already (`ip`, `global`, `header` …), be empty or
    /// hold a colon: `load` and `parse` say so.
    pub fn identifier<M>(
        mut self,
        name: impl Into<String>,
        identifier: impl IntoIdentifier<M>,
    ) -> Self {
        let name = name.into();
        match identifier::is_free(&name) {
            true => {
                self.known.insert(name, identifier.into_identifier());
            }
            false => self.taken.push(name),
        }
        self
    }

    /// As [`Config::load`].
    ///
    /// # Errors
    ///
    /// As for [`Config::load`], or if an identifier has a name that it cannot have.
    pub fn load(self, path: impl AsRef<Path>) -> Result<Config, ConfigError> {
        let source = Source::file(path.as_ref())?;
        let text = source.read()?;
        self.build(source, &text)
    }

    /// As [`Config::parse`].
    ///
    /// # Errors
    ///
    /// As for [`Config::parse`], or if an identifier has a name that it cannot have.
    pub fn parse(self, text: &str, format: Format) -> Result<Config, ConfigError> {
        self.build(Source::text(format), text)
    }

    fn build(self, source: Source, text: &str) -> Result<Config, ConfigError> {
        if let Some(name) = self.taken.first() {
            let reason = format!(
                "no identifier can be called `{name}`: the file has a meaning for that already; \
                 give it another name, without a colon"
            );
            return Err(ConfigError::unusable(&source.name, reason));
        }
        Config::new(source, self.known, text)
    }
}
