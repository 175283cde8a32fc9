//! From entries that a request fits to whether it may go on.

use actix_web::{HttpRequest, HttpResponse, http::StatusCode};

use super::{choose::choose, matcher::Fitting, plan::Plan, rulebook::Rulebook};
use crate::{
    answer::HeaderStyle,
    http::{
        applied::Census,
        guard::{Passage, pass, shut},
        manner::Manner,
        not_installed::not_installed,
        pending::Pending,
        shown::{Layer, Shown},
    },
    limiter::{Hold, Nearest, RateLimiter},
};

impl Admitted {
    /// What is to be held until the response's body has ended.
    pub(super) fn take_hold(&mut self) -> Option<Box<Hold>> {
        self.pending.take_hold()
    }
}

/// What a request may do.
pub(super) enum Admission {
    /// Go on; this is what its response is owed.
    Open(Admitted),
    /// Take this answer.
    Shut(HttpResponse),
}

/// What the response of an admitted request is owed, kept without the request.
pub(super) struct Admitted {
    pending: Pending,
    /// Who gives back, if there may be something. Else it is not kept: workers that count up and
    /// down how often one limiter is held wait for each other.
    limiter: Option<RateLimiter>,
    /// What was decided, unless that was nothing.
    shown: Option<Shown>,
    style: HeaderStyle,
}

/// Asks the entries at these places.
pub(super) async fn admit(
    plan: &Plan,
    rulebook: &Rulebook,
    fitting: &Fitting,
    request: &HttpRequest,
) -> Admission {
    let own = plan.limiter.as_ref().map(Nearest::Lent);
    let Some(limiter) = own.or_else(|| RateLimiter::nearest(request)) else {
        return Admission::Shut(not_installed());
    };
    let entries = rulebook.matcher.entries();
    let entries = fitting.iter().filter_map(|place| entries.get(*place));
    let mut census = Census::new(Manner::with(&limiter, &plan.manner), request);
    let passage = match choose(entries, &mut census).await {
        Ok(applied) => pass(&census, &applied, Layer::Outer).await,
        Err(answer) => shut(&limiter, request, answer),
    };
    match passage {
        Passage::Shut(answer) => Admission::Shut(answer),
        Passage::Open(pending) => Admission::Open(Admitted {
            limiter: pending.has_refunds().then(|| limiter.clone()),
            shown: pending.shown().cloned(),
            style: limiter.settings().headers,
            pending,
        }),
    }
}

impl Admitted {
    /// Gives back what is to be given back at this status, and says what headers tell of.
    pub(super) async fn finish(mut self, status: StatusCode) -> Option<(Shown, HeaderStyle)> {
        if let Some(limiter) = &self.limiter {
            self.pending.settle(limiter, status).await;
        }
        Some((self.shown?, self.style))
    }
}
