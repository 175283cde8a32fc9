//! Decision → bytes. Pure: no store, no clock of its own.

mod errors;
mod foreign;
mod headers;
mod number;
mod on_limited;
mod problem;
mod unidentified;

pub(crate) use self::{
    foreign::Foreign,
    headers::{retry_after, write},
    problem::{quota_exceeded, unavailable},
};
pub use self::{
    headers::HeaderStyle,
    on_limited::{IntoOnLimited, OnLimited},
    unidentified::{IntoOnUnidentified, OnUnidentified, Unidentified},
};
