//! The text of a configuration file, TOML or YAML, as a checked spec or as diagnostics. Nothing
//! here reads a file or knows HTTP: the methods of a rule are their names, and its identifiers are
//! sources and names.

mod clients;
mod concurrency;
mod describe;
mod diagnostics;
mod diff;
mod document;
mod duration;
mod entries;
mod file;
mod format;
mod identifier;
mod keys;
mod limit;
mod limit_table;
mod options;
mod position;
mod reader;
mod rules;
pub mod schema;
#[cfg(test)]
mod testing;
mod window;

pub use self::{
    diagnostics::{Diagnostic, Diagnostics},
    diff::Diff,
    file::ConfigSpec,
    format::Format,
    identifier::is_free_name,
    limit_table::Limits,
    position::{Position, Spanned},
};
