//! Checks raw arguments and the function, and returns rules that expansion cannot fail on.

pub(crate) mod concurrency;
mod duration;
mod function;
pub(crate) mod handler_rules;
pub(crate) mod identifier;
mod krate;
pub(crate) mod label;
pub(crate) mod limit;
mod named;
pub(crate) mod rate;
mod report;
pub(crate) mod rule;
pub(crate) mod signature;
pub(crate) mod slow_down;
pub(crate) mod stack;
mod status_set;
#[cfg(test)]
mod tests;
pub(crate) mod value;
pub(crate) mod window;
