//! Detects functions of the application that keep a clone of the `HttpRequest`.
//!
//! The request is a shared handle, and Actix's router panics if it is shared. A function that reads
//! the request may clone it, and keep that clone or give it to a task. So the middleware checks
//! before it passes the request on.
//!
//! Actix does not say whether a request is shared. The check does what the router does first, and
//! catches the panic. Where panics cannot be caught, there is no check, and the router panics.

use std::{
    cell::Cell,
    panic::{AssertUnwindSafe, catch_unwind},
};

use actix_web::{HttpResponse, dev::ServiceRequest};

use crate::engine::{log_lines::KEPT_REQUESTS, log_throttle::TARGET};

/// Remembers whether requests come to a middleware shared.
#[derive(Debug, Default)]
pub(super) struct SharingDetector {
    /// Whether requests come shared already. That does no harm where no router follows, as on a
    /// resource.
    comes_shared: Cell<bool>,
}

/// The check of one request: whether a clone that the application keeps can be detected.
#[derive(Clone, Copy)]
pub(super) struct SharingCheck(bool);

impl SharingDetector {
    /// Starts the check, before the application sees the request.
    pub(super) fn begin(&self, request: &mut ServiceRequest) -> SharingCheck {
        if cfg!(panic = "abort") || self.comes_shared.get() {
            return SharingCheck(false);
        }
        let alone = is_alone(request);
        if !alone {
            self.comes_shared.set(true);
            log::warn!(
                target: TARGET,
                "a middleware around a `Throttle` keeps a clone of the `HttpRequest` while it is handled; \
                 that is fine on a resource, but Actix's router panics on a request that is shared"
            );
        }
        SharingCheck(alone)
    }
}

impl SharingCheck {
    /// The response to a request of which the application has kept a clone: it cannot go on.
    pub(super) fn refusal(self, request: &mut ServiceRequest) -> Option<HttpResponse> {
        if !self.0 || is_alone(request) {
            return None;
        }
        KEPT_REQUESTS.log(format_args!(
            "a function that a `Throttle` calls with the request (an identifier, `skip_if`, `cost`, \
             `dynamic` or `on_unidentified`) keeps a clone of the `HttpRequest`, in a task \
             that it has spawned for example; Actix's router could not go on with it, so the response is \
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
