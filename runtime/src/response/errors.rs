//! `RateLimitError` as a response, for handlers that call the limiter themselves and use `?`.

use actix_web::{HttpResponse, ResponseError, http::StatusCode};

use super::problem;
use crate::engine::{error::RateLimitError, log_lines::INVALID_CALLS};

/// Responds as an attribute would: 503 if the store could not decide, 429 if there was no capacity
/// in time. An error in the application's code is a 500, and is logged.
impl ResponseError for RateLimitError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Unavailable { .. } => StatusCode::SERVICE_UNAVAILABLE,
            Self::TimedOut { .. } => StatusCode::TOO_MANY_REQUESTS,
            Self::InvalidLimit(_)
            | Self::InvalidStatuses(_)
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
            | Self::InvalidStatuses(_)
            | Self::SharedCounter
            | Self::UnknownLimit { .. }
            | Self::InvalidDemand => {
                INVALID_CALLS.log(format_args!("{self}; the response is 500"));
                HttpResponse::InternalServerError().finish()
            }
        }
    }
}
