use actix_web::HttpResponse;

use crate::error::RateLimitError;

/// Why [`RateLimiter::check_request`](crate::RateLimiter::check_request), or a `WebSocketLimiter`
/// (feature `websocket`), has no decision.
#[derive(Debug)]
#[non_exhaustive]
pub enum RequestError {
    /// An identifier found nobody, and this is to be the answer.
    Unidentified(HttpResponse),
    /// The limiter could not decide.
    Undecided(RateLimitError),
    /// There is no limiter: none installed, and none among the application's data. Only for those
    /// who look for one.
    NotInstalled,
}

impl std::fmt::Display for RequestError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Self::Unidentified(response) => {
                write!(f, "unidentified, to be answered {}", response.status())
            }
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
            Self::Unidentified(_) | Self::NotInstalled => None,
            Self::Undecided(error) => Some(error),
        }
    }
}
