//! The arguments of a handler: whether one of them may read the decisions of its request.
//!
//! A decision is kept with the request only for handlers that may read it there, because that costs
//! more than many a decision.

use std::{
    any::type_name,
    sync::atomic::{AtomicUsize, Ordering},
};

/// Extractors that have no access to the request once they are made, by the beginnings of the names
/// of their types.
const WITHOUT_REQUEST: [&str; 13] = [
    "actix_web::types::path::Path<",
    "actix_web::types::query::Query<",
    "actix_web::types::json::Json<",
    "actix_web::types::form::Form<",
    "actix_web::types::header::Header<",
    "actix_web::types::payload::Payload",
    "actix_web::data::Data<",
    "actix_web::thin_data::ThinData<",
    "actix_web::info::ConnectionInfo",
    "actix_web::info::PeerAddr",
    "alloc::string::String",
    "bytes::bytes::Bytes",
    "http::method::Method",
];

/// The handler's last tuple of arguments of each kind, by the address of its type's name. A generic
/// handler has one name for each choice of its parameters. The orderings are relaxed: each word is
/// read by itself, and a stale one costs a comparison of names.
#[derive(Debug, Default)]
pub(super) struct ArgumentsCache {
    reading: AtomicUsize,
    others: AtomicUsize,
}

impl ArgumentsCache {
    /// Whether an argument in this tuple may read the decisions of the request.
    pub(super) fn may_read_decisions<Args>(&self) -> bool {
        let name = type_name::<Args>();
        let address = name.as_ptr().addr();
        if self.others.load(Ordering::Relaxed) == address {
            return false;
        }
        if self.reading.load(Ordering::Relaxed) == address {
            return true;
        }
        let reads = may_read_decisions(name);
        let known = if reads { &self.reading } else { &self.others };
        known.store(address, Ordering::Relaxed);
        reads
    }
}

/// Whether a tuple with this name has an extractor that is not known to leave the request alone. A
/// name that is not understood counts as one with such an extractor.
fn may_read_decisions(tuple: &str) -> bool {
    let tuple = tuple
        .strip_prefix('(')
        .and_then(|rest| rest.strip_suffix(')'));
    let Some(arguments) = tuple else {
        return true;
    };
    let mut depth = 0_usize;
    let arguments = arguments.split(|character| {
        match character {
            '<' | '(' | '[' => depth += 1,
            '>' | ')' | ']' => depth = depth.saturating_sub(1),
            _ => {}
        }
        character == ',' && depth == 0
    });
    let mut arguments = arguments.map(str::trim).filter(|name| !name.is_empty());
    arguments.any(|name| !WITHOUT_REQUEST.iter().any(|known| name.starts_with(known)))
}

#[cfg(test)]
mod tests {
    use actix_web::{HttpRequest, dev::ConnectionInfo, http::Method, web};

    use super::*;

    fn reads<Args>() -> bool {
        let cache = ArgumentsCache::default();
        let first = cache.may_read_decisions::<Args>();
        assert_eq!(cache.may_read_decisions::<Args>(), first);
        first
    }

    #[test]
    fn extractors_of_actix_read_no_decisions() {
        assert!(!reads::<()>());
        assert!(!reads::<(web::Path<(u32, String)>,)>());
        assert!(!reads::<(
            web::Query<Vec<(u8, u8)>>,
            web::Json<[u8; 3]>,
            web::Form<()>,
            web::Data<fn(u8) -> u8>,
            web::ThinData<()>,
            web::Payload,
            web::Bytes,
            web::Header<web::Bytes>,
            String,
        )>());
        assert!(!reads::<(ConnectionInfo, Method)>());
    }

    #[test]
    fn other_extractors_may_read_decisions() {
        struct Own;
        assert!(reads::<(HttpRequest,)>());
        assert!(reads::<(web::Path<u32>, Own)>());
        assert!(reads::<(Option<web::Path<u32>>,)>());
        assert!(reads::<(Result<String, Own>, web::Bytes)>());
    }

    #[test]
    fn cache_distinguishes_choices_of_a_generic_handler() {
        let cache = ArgumentsCache::default();
        for _ in 0..2 {
            assert!(!cache.may_read_decisions::<(String,)>());
            assert!(cache.may_read_decisions::<(HttpRequest,)>());
            assert!(!cache.may_read_decisions::<(web::Bytes,)>());
        }
    }
}
