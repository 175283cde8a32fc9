//! Limits: how much is allowed, in numbers, without anything of HTTP. Applications build them, and
//! the limiter and the stores read them; a limit holds no state.

mod any_limit;
mod block;
mod block_lengths;
mod calendar;
mod concurrency;
mod counting;
mod defaults;
mod kind;
#[allow(
    clippy::module_inception,
    reason = "named after the type that it defines"
)]
mod limit;
mod marks;
mod options;
#[doc(hidden)]
pub mod range;
mod rate;
mod slow_down;
mod validate;
mod words;

pub use self::any_limit::{AnyLimit, LimitRef, PermitId};
pub use self::{
    concurrency::Concurrency,
    kind::{Algorithm, Refill},
    limit::Limit,
    range::LimitError,
    rate::RateError,
};
#[doc(hidden)]
pub use self::{
    counting::Counting,
    options::{LimitOptions, NamedLimit},
    slow_down::{SlowDown, ValidSlowDown},
};

#[cfg(test)]
mod tests;
