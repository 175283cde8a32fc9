//! Metrics through the `metrics` facade. [`Metrics`] is an observer; the table says what it writes,
//! and from the same table come the guide's page and the files under `ops/`.

mod label;
mod limiter_series;
mod observer;
mod policies;
mod policy_series;
mod register;
mod table;
#[cfg(test)]
mod tests;

pub use self::observer::Metrics;
