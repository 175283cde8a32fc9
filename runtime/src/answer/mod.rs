//! Decision → bytes. Pure: no store, no clock of its own.

mod headers;
mod number;
mod on_limited;
mod problem;
mod unidentified;

#[cfg(feature = "websocket")]
pub(crate) use self::headers::seconds;
pub use self::{
    headers::HeaderStyle,
    on_limited::{IntoOnLimited, OnLimited},
    unidentified::{IntoOnUnidentified, OnUnidentified, Unidentified},
};
pub(crate) use self::{
    headers::{retry_after, write},
    problem::{quota_exceeded, unavailable},
};
