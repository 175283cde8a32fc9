//! What every store must do, what only a server can show, and processes that share a server.

mod acceptance;
mod leases;
mod processes;
mod properties;
mod redis;
