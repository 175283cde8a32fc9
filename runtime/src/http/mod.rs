//! Limits on requests.

mod applied;
mod error;
mod gate;
mod guard;
mod manner;
mod not_installed;
mod pending;
mod rule;
mod shown;
mod statuses;
mod throttle;

pub use self::gate::{Gate, Policy, respond, serve};
pub use self::{
    error::RequestError,
    rule::Rule,
    statuses::{Statuses, StatusesError},
    throttle::{Paths, Throttle},
};
