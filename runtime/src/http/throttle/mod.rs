//! The middleware: ordered rules for a whole application, scope or resource. Applications wrap it,
//! and configurations replace its rules; the decisions are made by the guard.

mod admission;
mod builder;
mod error;
mod exempt;
mod matcher;
mod paths;
mod preflight;
mod route;
mod route_rules;
mod routes;
mod rule_table;
mod select;
mod service;
mod settings;
mod shared_request;
mod validate;

#[cfg(feature = "config")]
pub(crate) use self::rule_table::{LiveRuleTable, RuleTable};
pub use self::{builder::Throttle, paths::Paths};
