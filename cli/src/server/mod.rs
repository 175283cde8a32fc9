//! Connections to Redis or Valkey: a single server, the nodes of a cluster, or the master that
//! sentinels name. Nothing here knows keys or values.

mod address;
mod cluster;
mod connect;
mod node;
mod scan;
mod sentinel;

pub(crate) use self::{
    connect::{Servers, connect},
    node::Node,
    scan::{ScanSummary, Scanned, scan},
};
