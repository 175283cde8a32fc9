//! Whether a request is in nobody else's hands.
//!
//! An `HttpRequest` is a shared handle, and Actix's router panics if it finds one shared. A
//! function of the application that is asked about a request may clone it, and keep that clone or
//! give it to a task: so this is looked at before the request goes on.
//!
//! Actix does not say whether a request is shared. It is found out by what the router does first,
//! with the panic caught; where panics cannot be caught, nothing is found out, and Actix's own is
//! the last word.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use actix_web::{HttpResponse, dev::ServiceRequest};

use crate::log_throttle::{LogThrottle, TARGET};

static KEPT: LogThrottle = LogThrottle::new(log::Level::Error);

/// A middleware's knowledge of whether requests come to it shared.
#[derive(Debug, Default)]
pub(super) struct SharingDetector {
    /// They are shared already. That does no harm where no router follows, as on a resource.
    comes_shared: Cell<bool>,
}

/// Whether the application has kept a request is to be seen from here on.
#[derive(Clone, Copy)]
pub(super) struct SharingCheck(bool);

impl SharingDetector {
    /// Before the application sees the request.
    pub(super) fn begin(&self, request: &mut ServiceRequest) -> SharingCheck {
        if cfg!(panic = "abort") || self.comes_shared.get() {
            return SharingCheck(false);
        }
        let alone = is_alone(request);
        if !alone {
            self.comes_shared.set(true);
            log::warn!(
                target: TARGET,
                "a middleware options a `Throttle` keeps a clone of the `HttpRequest` while it is handled; \
                 that is fine on a resource, but Actix's router panics on a request that is shared"
            );
        }
        SharingCheck(alone)
    }
}

impl SharingCheck {
    /// The answer if the application has kept the request: it can go no further.
    pub(super) fn refusal(self, request: &mut ServiceRequest) -> Option<HttpResponse> {
        if !self.0 || is_alone(request) {
            return None;
        }
        KEPT.log(format_args!(
            "a function that a `Throttle` has asked about a request (an identifier, `skip_if`, `cost`, \
             `dynamic` or `on_unidentified`) keeps a clone of the `HttpRequest`, in a task \
             that it has spawned for example; Actix's router could not go on with it, so the answer is \
             500. Take what is needed out of the request, and keep that instead"
        ));
        Some(HttpResponse::InternalServerError().finish())
    }
}

fn is_alone(request: &mut ServiceRequest) -> bool {
    catch_unwind(AssertUnwindSafe(|| {
        request.match_info_mut();
    }))
    .is_ok()
}
