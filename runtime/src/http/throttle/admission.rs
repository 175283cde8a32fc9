//! Admission to the inner service: decides the entries that match a request, through the guard.
//!
//! The middleware's service calls it. It never calls the inner service.

use actix_web::HttpRequest;

use super::{matcher::Matches, rule_table::RuleTable, select::select, settings::ThrottleSettings};
#[cfg(feature = "status-page")]
use crate::http::{in_flight::InFlight, status_route::is_status_page};
use crate::{
    http::{
        admission::{Admission, respond_with},
        context::RuleContext,
        decisions::Nesting,
        guard::admit_matched,
        matching::RuleMatcher,
        respond::not_installed,
    },
    limiter::{LimiterRef, RateLimiter},
};

/// Decides the entries at these indices.
pub(super) async fn admit(
    settings: &ThrottleSettings,
    rule_table: &RuleTable,
    matching: &Matches,
    request: &HttpRequest,
) -> Admission {
    let own = settings.limiter.as_ref().map(LimiterRef::Borrowed);
    let Some(limiter) = own.or_else(|| RateLimiter::nearest(request)) else {
        return Admission::Respond(not_installed());
    };
    let entries = rule_table.matcher.entries();
    let entries = matching.iter().filter_map(|index| entries.get(*index));
    let mut matcher = RuleMatcher::new(RuleContext::with(&limiter, &settings.context), request);
    match select(entries, &mut matcher).await {
        Ok(matched) => {
            let admission = admit_matched(&matcher, &matched, Nesting::Middleware).await;
            reach_status_page(admission, &limiter, request)
        }
        Err(response) => respond_with(&limiter, request, response),
    }
}

/// Admits a request to the status page in any case: there, a limit that is too tight can be lifted,
/// and an outage be seen. The page itself decides what a request may see.
#[cfg(feature = "status-page")]
fn reach_status_page(
    admission: Admission,
    limiter: &RateLimiter,
    request: &HttpRequest,
) -> Admission {
    match admission {
        Admission::Respond(_) if is_status_page(request) => {
            Admission::Proceed(InFlight::uncharged(limiter.settings().headers))
        }
        admission => admission,
    }
}

#[cfg(not(feature = "status-page"))]
fn reach_status_page(admission: Admission, _: &RateLimiter, _: &HttpRequest) -> Admission {
    admission
}
