//! The error of a check that the application makes for a request.

use actix_throttle_core::decision::Decision;
use actix_web::{HttpResponse, ResponseError, http::StatusCode};

use super::{
    respond::not_installed,
    shared_response::{keep_body, take},
};
use crate::{engine::error::RateLimitError, response};

/// The error of [`RateLimiter::check_request`](crate::RateLimiter::check_request), of
/// [`RateLimiter::enforce`](crate::RateLimiter::enforce), of a [`RateLimiter`](crate::RateLimiter)
/// as an extractor, and of a `WebSocketLimiter` (feature `websocket`).
///
/// A handler that returns it responds as an attribute would: with 429 or the response of
/// `on_limited`, with that of `on_unidentified`, with 403 if the client's network is denied, with
/// 503 if the store could not decide, with 500 if something is missing or wrong in the application.
#[non_exhaustive]
pub enum RequestError {
    /// An identifier found no identity, and `on_unidentified` returned this response.
    Unidentified(HttpResponse),
    /// A limit has denied the request.
    #[non_exhaustive]
    Denied {
        /// The decision of that limit.
        decision: Decision,
        /// The response, with its headers.
        response: HttpResponse,
    },
    /// The client's network is [denied](crate::Builder::deny).
    Forbidden,
    /// The limiter could not decide.
    Undecided(RateLimitError),
    /// No limiter is installed, and the application's data has none. Only a caller that looks the
    /// limiter up returns this.
    NotInstalled,
}

actix_throttle_core::debug_is_message!(RequestError);

impl RequestError {
    pub(super) fn unidentified(response: HttpResponse) -> Self {
        Self::Unidentified(keep_body(response))
    }

    pub(super) fn denied(decision: Decision, response: HttpResponse) -> Self {
        Self::Denied {
            decision,
            response: keep_body(response),
        }
    }
}

impl ResponseError for RequestError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Unidentified(response) | Self::Denied { response, .. } => response.status(),
            Self::Forbidden => StatusCode::FORBIDDEN,
            Self::Undecided(error) => error.status_code(),
            Self::NotInstalled => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A streaming body is in the first of these responses, and no longer in the error then: it can
    /// be sent once.
    fn error_response(&self) -> HttpResponse {
        match self {
            Self::Unidentified(response) | Self::Denied { response, .. } => take(response),
            Self::Forbidden => response::forbidden(),
            Self::Undecided(error) => error.error_response(),
            Self::NotInstalled => not_installed(),
        }
    }
}

impl std::fmt::Display for RequestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unidentified(response) => {
                write!(f, "unidentified, responded with {}", response.status())
            }
            Self::Denied { decision, .. } => match decision.strictest() {
                Some(limit) => write!(f, "denied by the limit \"{}\"", limit.name()),
                None => f.write_str("denied"),
            },
            Self::Forbidden => f.write_str("the client's network is denied"),
            Self::Undecided(error) => error.fmt(f),
            Self::NotInstalled => f.write_str(
                "there is no limiter; call `RateLimiter::init(pool).await` in `main`, or give a \
                 limiter to the app by `app_data`",
            ),
        }
    }
}

impl std::error::Error for RequestError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Unidentified(_) | Self::Forbidden | Self::Denied { .. } | Self::NotInstalled => {
                None
            }
            Self::Undecided(error) => Some(error),
        }
    }
}
