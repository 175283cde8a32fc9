//! A company's crate that re-exports actix-throttle for dependents that know this crate alone, and
//! has a macro that limits handlers.

pub use actix_throttle;

/// Defines a handler with the company's usual limit.
#[macro_export]
macro_rules! company_handler {
    ($name:ident, $body:block) => {
        #[$crate::actix_throttle::rate_limit("2/minute", crate = $crate::actix_throttle)]
        async fn $name() -> &'static str $body
    };
}
