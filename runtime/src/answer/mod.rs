//! Decision → bytes. Pure: no store, no clock of its own.

mod custom;
mod headers;
mod problem;

pub(crate) use self::{
    custom::OnUnidentified,
    headers::{retry_after, write},
    problem::quota_exceeded,
};
pub use self::{
    custom::{IntoOnLimited, OnLimited, Unidentified},
    headers::HeaderStyle,
};
