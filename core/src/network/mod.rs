//! Networks of clients and proxies: parsed, put into tables, and looked up by the longest prefix.
//! The builder of a limiter and the reader of the configuration file share them.

mod access;
mod address;
mod client_spec;
mod error;
mod parse;
mod proxies;
mod set;
mod table;

pub use self::{
    access::{AccessList, NetworkAccess},
    address::canonical,
    client_spec::{ClientSpec, check_client_ip_header, check_header_name},
    error::NetworkError,
    parse::parse,
    proxies::TrustedProxies,
    set::NetworkSet,
};
