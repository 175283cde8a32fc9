//! The response of an application that has rules but no limiter.

use actix_web::HttpResponse;

use crate::engine::log_lines::NOT_INSTALLED;

/// Responds with 500 to a request with rules but without a limiter, and logs an error.
pub(super) fn not_installed() -> HttpResponse {
    NOT_INSTALLED.log(format_args!(
        "rate limits were reached without a limiter, and the response is 500; call \
         `RateLimiter::init(pool).await` in `main`, or give a limiter to the app by `app_data`"
    ));
    HttpResponse::InternalServerError().finish()
}
