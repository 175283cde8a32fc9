//! The middleware: ordered rules for a whole application, scope or resource.

mod admit;
mod alone;
mod builder;
mod check;
mod choose;
mod entry;
mod exempt;
mod failed;
mod listing;
mod matcher;
mod paths;
mod plan;
mod preflight;
mod route;
mod routes;
mod rulebook;
mod service;

#[cfg(feature = "config")]
pub(crate) use self::rulebook::{LiveRulebook, Rulebook};
pub use self::{builder::Throttle, paths::Paths};
