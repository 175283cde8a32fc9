//! An error from inside of the middleware, whose response gets the headers all the same.

use std::fmt;

use actix_web::{
    Error, HttpResponse, ResponseError,
    http::{StatusCode, header::HeaderMap},
};

/// The error as it was, and headers for its response.
///
/// `InternalError::from_response` would make the response here, and lose its status and body to the
/// first outer middleware that looks at it.
pub(super) struct Failed {
    inside: Error,
    headers: HeaderMap,
}

impl Failed {
    pub(super) fn wrap(inside: Error, headers: HeaderMap) -> Error {
        match headers.is_empty() {
            true => inside,
            false => Self { inside, headers }.into(),
        }
    }
}

impl ResponseError for Failed {
    fn status_code(&self) -> StatusCode {
        self.inside.as_response_error().status_code()
    }

    fn error_response(&self) -> HttpResponse {
        let mut response = self.inside.error_response();
        for (name, value) in &self.headers {
            response.headers_mut().insert(name.clone(), value.clone());
        }
        response
    }
}

impl fmt::Display for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inside.fmt(f)
    }
}

impl fmt::Debug for Failed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.inside.fmt(f)
    }
}
