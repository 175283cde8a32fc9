//! The plain script decides checks that only count, for a third of what the general script costs.

pub(super) mod builder;
pub(super) mod call;
mod checks;
pub(super) mod next_step;
mod outcomes;
mod runs;
mod script;
