//! Applications to send requests to, without a socket and with one.

pub mod app;
pub mod live;
