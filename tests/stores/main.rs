//! Tests of the stores: what every store must do, what only Redis can show, and processes that
//! share a Redis.

mod acceptance;
mod leases;
mod processes;
mod properties;
mod redis;
