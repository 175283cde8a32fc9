//! Limits on requests.

mod gate;
mod guard;
mod rule;
mod shown;

pub use self::gate::{Gate, Policy, respond, serve};
pub use self::{guard::RequestError, rule::Rule};
