//! What a middleware was told, shared by all workers.

use std::sync::Arc;

use actix_web::HttpRequest;

use super::{
    exempt::Exempt,
    matcher::{Fitting, Matcher},
    preflight::is_preflight,
};
use crate::{http::manner::OwnManner, limiter::RateLimiter};

type SkipFn = dyn Fn(&HttpRequest) -> bool + Send + Sync;

#[derive(Clone, Default)]
pub(super) struct Plan {
    pub(super) matcher: Matcher,
    pub(super) exempt: Exempt,
    pub(super) skip_if: Vec<Arc<SkipFn>>,
    pub(super) skip_preflight: bool,
    pub(super) manner: OwnManner,
    pub(super) limiter: Option<RateLimiter>,
}

impl Plan {
    /// The places of the entries to be asked about a request, in their order.
    pub(super) fn fitting(&self, request: &HttpRequest) -> Fitting {
        self.exempt.check_once(request);
        let mut fitting = self.matcher.fitting(request);
        // It takes less to see that no entry fits than to find the route.
        if !fitting.is_empty() && (self.skips(request) || self.exempt.covers(request)) {
            fitting.clear();
        }
        fitting
    }

    fn skips(&self, request: &HttpRequest) -> bool {
        (self.skip_preflight && is_preflight(request))
            || self.skip_if.iter().any(|skip| skip(request))
    }
}
