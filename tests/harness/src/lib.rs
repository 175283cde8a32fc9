//! The test harness: real servers, proxies and processes for the tests to run against, and ways to
//! make them fail.

mod child;
mod chromedriver;
mod cluster;
mod example;
mod fault;
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
mod server_version;
mod shared;
pub mod stores;
mod tls;
mod wait;

pub use chromedriver::Chromedriver;
pub use cluster::{Cluster, SLOTS, slot_of};
pub use example::example;
pub use monitor::Monitor;
pub use ports::{Port, free_port};
pub use process::Process;
pub use proxy::{Mode, Proxy};
pub use sentinel::Sentinels;
pub use server::Server;
pub use server_version::ServerVersion;
pub use shared::{SharedServers, cluster_of_open_slots, shared, shared_cluster};
pub use tls::TlsServer;
pub use wait::{eventually, eventually_async};
