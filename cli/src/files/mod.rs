//! `throttle check` and `diff`: configuration files, read as the library reads them.

mod check;
mod diff;
mod read;

pub(crate) use self::{check::check, diff::diff};
