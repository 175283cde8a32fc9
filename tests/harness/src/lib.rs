//! Real servers and processes for the tests to run against, and ways to make them fail.

mod child;
mod cluster;
mod flavour;
pub mod http;
mod launch;
pub mod load_client;
mod monitor;
pub mod permit_holder;
mod ports;
mod process;
mod proxy;
mod replica;
mod sentinel;
mod server;
pub mod stores;
#[cfg(test)]
mod tests;
mod tls;
mod trouble;
mod wait;

pub use cluster::{Cluster, SLOTS, slot_of};
pub use flavour::Flavour;
pub use monitor::Monitor;
pub use process::Process;
pub use proxy::{Mode, Proxy};
pub use sentinel::Sentinels;
pub use server::Server;
pub use tls::TlsServer;
pub use wait::{eventually, eventually_async};
