//! Responses to decisions: status, headers and problem documents. The HTTP side calls it. It reads
//! no store and no clock.

mod errors;
mod foreign_headers;
mod header_value;
mod headers;
mod on_limited;
mod problem;
mod unidentified;

pub(crate) use self::{
    foreign_headers::ForeignHeaders,
    headers::{DatedStatus, retry_after, write},
    problem::{forbidden, quota_exceeded, unavailable},
};
pub use self::{
    headers::HeaderStyle,
    on_limited::{IntoOnLimited, OnLimited},
    unidentified::{IntoOnUnidentified, OnUnidentified, Unidentified},
};
