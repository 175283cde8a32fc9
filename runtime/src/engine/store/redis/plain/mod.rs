//! The plain script decides checks that only count, for a third of what the general script costs.

pub(super) mod answer;
pub(super) mod builder;
pub(super) mod call;
mod checks;
mod replay;
mod runs;
mod script;
