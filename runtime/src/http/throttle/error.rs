//! Errors of the inner service, whose responses get rate-limit headers like any other.

use std::fmt;

use actix_web::{Error, HttpResponse, ResponseError, http::StatusCode};

use crate::{http::decisions::RequestDecisions, response::HeaderStyle};

/// An error of the inner service, with the headers for its response.
///
/// `InternalError::from_response` would build the response here, and hand it out only once: an
/// outer middleware that looks at it would take its status and body.
pub(super) struct ErrorWithHeaders {
    inside: Error,
    decisions: RequestDecisions,
    style: HeaderStyle,
}

impl ErrorWithHeaders {
    pub(super) fn wrap(inside: Error, decisions: RequestDecisions, style: HeaderStyle) -> Error {
        let tells = style != HeaderStyle::Off && decisions.has_limits();
        if tells {
            Self {
                inside,
                decisions,
                style,
            }
            .into()
        } else {
            inside
        }
    }
}

impl ResponseError for ErrorWithHeaders {
    fn status_code(&self) -> StatusCode {
        self.inside.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.inside.error_response();
        self.decisions.write(self.style, response.headers_mut());
        response
    }
}

impl fmt::Display for ErrorWithHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inside.fmt(f)
    }
}

impl fmt::Debug for ErrorWithHeaders {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inside.fmt(f)
    }
}
