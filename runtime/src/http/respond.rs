use actix_web::HttpResponse;

use crate::log_throttle::LogThrottle;

static NOT_INSTALLED: LogThrottle = LogThrottle::new(log::Level::Error);

/// The answer where limits are, and nobody to decide them.
pub(super) fn not_installed() -> HttpResponse {
    NOT_INSTALLED.log(format_args!(
        "rate limits were reached without a limiter, and the answer is 500; call \
         `RateLimiter::init(pool).await` in `main`, or give a limiter to the app by `app_data`"
    ));
    HttpResponse::InternalServerError().finish()
}
