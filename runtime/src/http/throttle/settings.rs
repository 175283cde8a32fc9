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
    pub(super) fn matching(&self, rule_table: &RuleTable, request: &HttpRequest) -> Matches {
        rule_table.exempt.check_once(request);
        self.own.exempt.check_once(request);
        let mut matching = rule_table.matcher.matching(request);
        // Matching comes first: it is cheaper to see that no entry matches than to find the route.
        if !matching.is_empty()
            && (self.skips(rule_table, request) || self.exempts(rule_table, request))
        {
            matching.clear();
        }
        matching
    }

    fn exempts(&self, rule_table: &RuleTable, request: &HttpRequest) -> bool {
        let is_live = self.live.is_some();
        rule_table.exempt.covers(request) || (is_live && self.own.exempt.covers(request))
    }

    fn skips(&self, rule_table: &RuleTable, request: &HttpRequest) -> bool {
        let skip_preflight = rule_table.skip_preflight || self.own.skip_preflight;
        (skip_preflight && is_preflight(request)) || self.skip_if.iter().any(|skip| skip(request))
    }
}
