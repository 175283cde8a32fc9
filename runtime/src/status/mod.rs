//! The status page: how the limits of a service stand, for the people who operate it, and the
//! changes that they make by hand. The application mounts it; no limited request comes here.
//!
//! A request goes through `handle`: its access, its `query`, for a POST its `origin` and its
//! `form`, then a `view` or a `change`. All views have one address, and the query string says which
//! view it is: links of that form work wherever the page is mounted, with or without a slash at the
//! end and behind a proxy that rewrites paths.

mod access;
mod change;
mod data;
mod form;
mod handle;
mod origin;
mod page;
mod query;
mod reset_policy;
mod response;
mod target;
mod view;
mod visit;

pub use self::{access::Access, page::StatusPage};
pub use crate::engine::{
    ChangeSnapshot, CircuitChange, ConfigurationSnapshot, CountSnapshot, DeniedIdentity,
    LimitSnapshot, PolicySnapshot, ReloadSnapshot, Snapshot, StoreFailure, StoreSnapshot,
};
