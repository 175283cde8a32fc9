//! The identifiers to which the application has given names, and those that a file names.

use std::collections::BTreeMap;

use actix_throttle_core::rules::IdentifierSpec;

use crate::identity::Identifier;

/// Identifiers of the application by their names.
#[derive(Clone, Debug, Default)]
pub(super) struct IdentifierRegistry(BTreeMap<String, Identifier>);

impl IdentifierRegistry {
    pub(super) fn insert(&mut self, name: String, identifier: Identifier) {
        self.0.insert(name, identifier);
    }

    /// Returns the names, which a file may use.
    pub(super) fn names(&self) -> Vec<&str> {
        self.0.keys().map(String::as_str).collect()
    }

    /// Makes the identifier of a file; `None` if it names one that is not registered.
    pub(super) fn resolve(&self, spec: &IdentifierSpec) -> Option<Identifier> {
        match spec {
            IdentifierSpec::Ip => Some(Identifier::ip()),
            IdentifierSpec::Global => Some(Identifier::global()),
            IdentifierSpec::Header(name) => Some(Identifier::header(name.as_str())),
            IdentifierSpec::Cookie(name) => Some(Identifier::cookie(name.as_str())),
            IdentifierSpec::Query(name) => Some(Identifier::query(name.as_str())),
            IdentifierSpec::Named(name) => self.0.get(name).cloned(),
            IdentifierSpec::All(parts) => {
                let parts: Option<Vec<_>> = parts.iter().map(|part| self.resolve(part)).collect();
                Some(Identifier::all(parts?))
            }
        }
    }
}
