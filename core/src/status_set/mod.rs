//! Sets of HTTP statuses, and the parser of their text. Rules, the macro and configurations use
//! them to decide which responses get a refund.

mod part;
mod set;

pub use self::set::{StatusSet, StatusSetError};
