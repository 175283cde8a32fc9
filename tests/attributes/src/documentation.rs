//! The examples in the documentation of the attributes. The macros cannot run them themselves: they
//! would have to depend on the crate that depends on them.

#[doc = include_str!("../../../macros/src/docs/rate_limit.md")]
mod rate_limit {}

#[doc = include_str!("../../../macros/src/docs/concurrency_limit.md")]
mod concurrency_limit {}
