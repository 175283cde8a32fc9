//! The configuration file: rules and named limits, read at the start and again while the service
//! runs. The application loads it; no request reads the file.

mod builder;
#[expect(clippy::module_inception, reason = "it defines `Config`")]
mod config;
mod error;
mod identifiers;
mod reload;
mod snapshot;
mod source;
#[cfg(test)]
mod tests;
mod watch;

pub use actix_throttle_core::config::{Diagnostic, Diff, Format};

pub use self::{builder::ConfigBuilder, config::Config, error::ConfigError, watch::Watch};
