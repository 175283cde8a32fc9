//! Real servers and processes for the tests to run against.

mod child;
mod flavour;
mod monitor;
mod process;
mod server;
mod tests;

pub(crate) use flavour::Flavour;
pub(crate) use monitor::Monitor;
pub(crate) use process::Process;
pub(crate) use server::Server;
