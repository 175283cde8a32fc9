//! Real servers and processes for the tests to run against, and ways to make them fail.

mod child;
mod cluster;
mod flavour;
mod launch;
mod monitor;
mod ports;
mod process;
mod proxy;
mod replica;
mod sentinel;
mod server;
mod tests;
mod tls;
mod trouble;
mod wait;

pub(crate) use cluster::{Cluster, SLOTS, slot_of};
pub(crate) use flavour::Flavour;
pub(crate) use monitor::Monitor;
pub(crate) use process::Process;
pub(crate) use proxy::{Mode, Proxy};
pub(crate) use sentinel::Sentinels;
pub(crate) use server::Server;
pub(crate) use tls::TlsServer;
pub(crate) use wait::{eventually, eventually_async};
