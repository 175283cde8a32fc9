use actix_web::{
    HttpResponse, ResponseError,
    body::{BoxBody, MessageBody},
    http::StatusCode,
    web::Bytes,
};

use super::respond::not_installed;
use crate::error::RateLimitError;

/// Why [`RateLimiter::check_request`](crate::RateLimiter::check_request), or a `WebSocketLimiter`
/// (feature `websocket`), has no decision.
///
/// Returned by a handler, it answers as an attribute would: with what `on_unidentified` has made,
/// 503 if the store could not decide, 500 for what is missing or wrong in the application.
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

crate::message::debug_is_message!(RequestError);

/// The body of an answer, to be sent again: an error only lends what it holds.
struct Copied(Bytes);

impl RequestError {
    pub(super) fn unidentified(answer: HttpResponse) -> Self {
        let (mut answer, body) = answer.into_parts();
        let body = match body.try_into_bytes() {
            Ok(bytes) => {
                answer.extensions_mut().insert(Copied(bytes.clone()));
                BoxBody::new(bytes)
            }
            // One that is made while it is sent.
            Err(body) => body,
        };
        Self::Unidentified(answer.set_body(body))
    }
}

impl ResponseError for RequestError {
    fn status_code(&self) -> StatusCode {
        match self {
            Self::Unidentified(answer) => answer.status(),
            Self::Undecided(error) => error.status_code(),
            Self::NotInstalled => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    /// A body that is made while it is sent is not in it: for that, match on
    /// [`Unidentified`](Self::Unidentified).
    fn error_response(&self) -> HttpResponse {
        let answer = match self {
            Self::Unidentified(answer) => answer,
            Self::Undecided(error) => return error.error_response(),
            Self::NotInstalled => return not_installed(),
        };
        let body = match answer.extensions().get::<Copied>() {
            Some(Copied(bytes)) => BoxBody::new(bytes.clone()),
            None => BoxBody::new(()),
        };
        let mut copy = HttpResponse::with_body(answer.status(), body);
        for (name, value) in answer.headers() {
            copy.headers_mut().append(name.clone(), value.clone());
        }
        copy
    }
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
