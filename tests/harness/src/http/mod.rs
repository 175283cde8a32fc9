//! Test applications, without a socket ([`app`]) and with a real server ([`live`]).

pub mod app;
pub mod live;
