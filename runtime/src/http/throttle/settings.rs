//! The settings of a middleware, shared by all workers.

use std::sync::Arc;

use actix_throttle_core::{enforcement::Enforcement, network::NetworkAccess};
use actix_web::HttpRequest;

use super::{
    matcher::Matches,
    preflight::is_preflight,
    rule_table::{LiveRuleTable, RuleTable},
};
use crate::{
    engine::Event,
    http::context::Overrides,
    limiter::{LimiterRef, RateLimiter},
};

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

/// The client's network is denied, and the response is 403.
pub(super) struct NetworkDenied;

impl ThrottleSettings {
    /// The indices of the table's entries that match a request, in their order; none for a client
    /// whose network is allowed, and while limits are off.
    ///
    /// # Errors
    ///
    /// [`NetworkDenied`] for a client whose network is denied.
    pub(super) fn matching(
        &self,
        rule_table: &RuleTable,
        request: &HttpRequest,
    ) -> Result<Matches, NetworkDenied> {
        rule_table.exempt.check_once(request);
        self.own.exempt.check_once(request);
        let own = self.limiter.as_ref().map(LimiterRef::Borrowed);
        // The response to a request that matches is 500 if there is no limiter.
        let limiter = own.or_else(|| RateLimiter::nearest(request));
        match limiter.as_ref().and_then(|limiter| limiter.access(request)) {
            Some(NetworkAccess::Allow) => return Ok(Matches::new()),
            Some(NetworkAccess::Deny) => return Err(NetworkDenied),
            None => {}
        }
        if limiter
            .as_ref()
            .is_some_and(|limiter| limiter.enforcement() == Enforcement::Off)
        {
            return Ok(Matches::new());
        }
        let mut matching = rule_table.matcher.matching(request);
        if let Some(limiter) = &limiter {
            let address = || limiter.client_address(request);
            rule_table.matcher.retain_for_client(&mut matching, address);
        }
        // Matching comes first: it is cheaper to see that no entry matches than to find the route.
        if !matching.is_empty()
            && (self.skips(rule_table, request) || self.exempts(rule_table, request))
        {
            matching.clear();
        }
        Ok(matching)
    }

    /// Tells the observers of the middleware's own limiter, else of the process-wide one, which
    /// policies will be decided. The limiter of an application is known with its first request.
    pub(super) fn tell_policies(&self) {
        let Some(limiter) = self.limiter.clone().or_else(RateLimiter::global) else {
            return;
        };
        let observers = limiter.engine().observers();
        for policy in self.own.policies() {
            observers.tell(|| Event::PolicyKnown { policy });
        }
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
