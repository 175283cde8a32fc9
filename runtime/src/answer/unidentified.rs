//! What becomes of a request whose identifier found nobody.

use std::{fmt, sync::Arc};

use actix_web::{HttpRequest, HttpResponse};

type UnidentifiedFn = dyn Fn(&HttpRequest) -> Unidentified + Send + Sync;

/// What becomes of a request whose identifier found nobody.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unidentified {
    /// It is counted under the client's address, apart from real identities. The default.
    CountByIp,
    /// The limits that wanted to know do not apply to it.
    Skip,
    /// It is answered with this, a 401 say.
    Respond(HttpResponse),
}

impl From<HttpResponse> for Unidentified {
    fn from(response: HttpResponse) -> Self {
        Self::Respond(response)
    }
}

#[derive(Clone)]
pub(crate) struct OnUnidentified(Arc<UnidentifiedFn>);

impl OnUnidentified {
    pub(crate) fn new<F, R>(function: F) -> Self
    where
        F: Fn(&HttpRequest) -> R + Send + Sync + 'static,
        R: Into<Unidentified>,
    {
        Self(Arc::new(move |request| function(request).into()))
    }

    pub(crate) fn answer(&self, request: &HttpRequest) -> Unidentified {
        (self.0)(request)
    }
}

impl fmt::Debug for OnUnidentified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("function")
    }
}
