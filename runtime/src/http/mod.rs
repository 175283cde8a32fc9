//! Limits on requests.

mod gate;
mod guard;
mod rule;

pub use self::gate::{Gate, Policy, respond, serve};
pub use self::{guard::RequestError, rule::Rule};
