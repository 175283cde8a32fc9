//! Everything that is tested against a store, a server or a socket.

mod acceptance;
mod config;
mod failures;
mod harness;
mod http;
mod leases;
mod model;
mod outgoing;
mod processes;
mod properties;
mod redis;
mod stores;
