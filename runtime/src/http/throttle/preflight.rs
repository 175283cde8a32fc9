//! CORS preflights: the requests that a browser sends before a request to another origin.

use actix_web::HttpRequest;
use actix_web::http::{
    Method,
    header::{ACCESS_CONTROL_REQUEST_METHOD, ORIGIN},
};

/// Whether this is a CORS preflight
/// ([Fetch standard](https://fetch.spec.whatwg.org/#cors-preflight-request), section 3.3.2), and no
/// other `OPTIONS` request.
pub(super) fn is_preflight(request: &HttpRequest) -> bool {
    request.method() == Method::OPTIONS
        && request.headers().contains_key(ORIGIN)
        && request
            .headers()
            .contains_key(ACCESS_CONTROL_REQUEST_METHOD)
}
