//! `failure_mode = ...`: what happens to a request that the store cannot decide.

use super::value::{assigned, word};
use crate::{args::Arguments, errors::Errors, name::ArgName};

/// Mirrors the runtime's `FailureMode`, which this crate cannot depend on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FailureMode {
    Open,
    Closed,
    Local,
}

const FAILURE_MODES: [(&str, FailureMode); 3] = [
    ("open", FailureMode::Open),
    ("closed", FailureMode::Closed),
    ("local", FailureMode::Local),
];

impl FailureMode {
    /// Parses the argument; `None` if it is absent, or invalid and therefore reported.
    pub(crate) fn check(arguments: &Arguments, errors: &mut Errors) -> Option<Self> {
        let argument = arguments.named(ArgName::FailureMode)?;
        let expr = assigned(ArgName::FailureMode, argument, errors)?;
        errors.ok(word(ArgName::FailureMode, expr, &FAILURE_MODES))
    }
}
