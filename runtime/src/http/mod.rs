//! Limits on requests.

mod error;
mod gate;
mod guard;
mod pending;
mod rule;
mod shown;
mod statuses;

pub use self::gate::{Gate, Policy, respond, serve};
pub use self::{
    error::RequestError,
    rule::Rule,
    statuses::{Statuses, StatusesError},
};
