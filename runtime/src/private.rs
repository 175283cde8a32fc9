//! Every name that macro output may use, nothing else. No public API.

pub use std::vec;

pub use actix_web::HttpResponse;

pub use crate::{
    failure_mode::FailureMode,
    http::{DefaultZone, Limited, Policy, PolicyByType, Rule, respond, serve, typed},
    identity::Identifier,
    limit::{Algorithm, Concurrency, Limit, Refill},
    status_set::StatusSet,
};
