//! Errors as answers: for handlers that decide by hand, and pass them on by `?`.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};

use super::problem;
use crate::{error::RateLimitError, log_throttle::LogThrottle};

static MISTAKES: LogThrottle = LogThrottle::new(log::Level::Error);

/// As an attribute would answer: 503 if the store could not decide, 429 if there was no room in
/// time. A mistake of the application is a 500, and a line in the log.
impl ResponseError for RateLimitError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::InvalidLimit(_)
            | Self::SharedCounter
            | Self::UnknownLimit { .. }
            | Self::InvalidDemand => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Unavailable { retry_after, .. } => problem::unavailable(*retry_after),
            Self::TimedOut { retry_after } => problem::timed_out(*retry_after),
            Self::InvalidLimit(_)
            | Self::SharedCounter
            | Self::UnknownLimit { .. }
            | Self::InvalidDemand => {
                MISTAKES.log(format_args!("{self}; the answer is 500"));
                HttpResponse::InternalServerError().finish()
            }
        }
    }
}
