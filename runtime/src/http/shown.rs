use std::time::Duration;

use actix_web::HttpResponse;

use crate::{
    answer::{self, HeaderStyle},
    decision::Decision,
    limiter::RateLimiter,
};

/// What was decided for a request, kept until its response gets headers.
pub(super) struct Shown {
    decision: Decision,
    /// When, since the Unix epoch: resets are counted from then.
    at: Duration,
}

impl Shown {
    /// What this limiter decides now.
    pub(super) fn new(limiter: &RateLimiter, decision: Decision) -> Self {
        let at = match limiter.settings().headers {
            HeaderStyle::GitHub => limiter.now(),
            // The others tell no time of day.
            _ => Duration::ZERO,
        };
        Self { decision, at }
    }

    /// Adds the headers of every limit that is no shadow.
    pub(super) fn write(&self, limiter: &RateLimiter, response: &mut HttpResponse) {
        let style = limiter.settings().headers;
        answer::write(response.headers_mut(), style, &self.decision, self.at);
    }
}
