//! The settings of a middleware, shared by all workers.

use std::sync::Arc;

use actix_web::HttpRequest;

use super::{
    matcher::Matches,
    preflight::is_preflight,
    rule_table::{LiveRuleTable, RuleTable},
};
use crate::{http::context::Overrides, limiter::RateLimiter};

type SkipFn = dyn Fn(&HttpRequest) -> bool + Send + Sync;

#[derive(Clone, Default)]
pub(super) struct ThrottleSettings {
    /// The entries of the application.
    pub(super) own: Arc<RuleTable>,
    /// The entries of a configuration, which replace those of the application.
    pub(super) live: Option<Arc<LiveRuleTable>>,
    pub(super) skip_if: Vec<Arc<SkipFn>>,
    pub(super) context: Overrides,
    pub(super) limiter: Option<RateLimiter>,
}

impl ThrottleSettings {
    /// The indices of the table's entries that match a request, in their order.
    pub(super) fn matching(&self, rulebook: &RuleTable, request: &HttpRequest) -> Matches {
        rulebook.exempt.check_once(request);
        self.own.exempt.check_once(request);
        let mut fitting = rulebook.matcher.fitting(request);
        // Matching comes first: it is cheaper to see that no entry matches than to find the route.
        if !fitting.is_empty() && (self.skips(rulebook, request) || self.exempts(rulebook, request))
        {
            fitting.clear();
        }
        fitting
    }

    fn exempts(&self, rulebook: &RuleTable, request: &HttpRequest) -> bool {
        let is_live = self.live.is_some();
        rulebook.exempt.covers(request) || (is_live && self.own.exempt.covers(request))
    }

    fn skips(&self, rulebook: &RuleTable, request: &HttpRequest) -> bool {
        let skip_preflight = rulebook.skip_preflight || self.own.skip_preflight;
        (skip_preflight && is_preflight(request)) || self.skip_if.iter().any(|skip| skip(request))
    }
}
