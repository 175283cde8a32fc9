//! The application's own response to denied requests.

use std::fmt;

use actix_throttle_core::decision::Decision;
use actix_web::{HttpRequest, HttpResponse};

use crate::{
    identity::{AsyncFunction, Function},
    user_fn::UserFnWith,
};

/// The application's function for the response to a denied request.
#[derive(Clone)]
pub struct OnLimited(UserFnWith<Decision, HttpResponse>);

impl OnLimited {
    pub(crate) fn from_sync<F>(function: F) -> Self
    where
        F: Fn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
    {
        Self(UserFnWith::from_sync(function))
    }

    pub(crate) fn from_async<F>(function: F) -> Self
    where
        F: AsyncFn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
    {
        Self(UserFnWith::from_async(function))
    }

    pub(crate) async fn respond(&self, request: &HttpRequest, denied: &Decision) -> HttpResponse {
        self.0.call(request, denied).await
    }
}

impl fmt::Debug for OnLimited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A function, sync or async, from a request and the [`Decision`] that denied it to the response.
///
/// | implemented for | `M` |
/// |---|---|
/// | `Fn(&HttpRequest, &Decision) -> HttpResponse` | a marker |
/// | `AsyncFn(&HttpRequest, &Decision) -> HttpResponse` | a marker |
///
/// Both are `Send + Sync + 'static`. `M` only distinguishes the two and is inferred. A closure must
/// give the types of its arguments.
///
/// ```
/// use actix_throttle::{Decision, Throttle};
/// use actix_web::{HttpRequest, HttpResponse};
///
/// async fn too_many(_: &HttpRequest, denied: &Decision) -> HttpResponse {
///     let wait = denied.retry_after().unwrap_or_default();
///     HttpResponse::TooManyRequests().body(format!("come back in {wait:?}"))
/// }
///
/// let _ = Throttle::new().on_limited(too_many);
/// let _ = Throttle::new()
///     .on_limited(|_: &HttpRequest, _: &Decision| HttpResponse::TooManyRequests().finish());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not answer a denied request",
    label = "not an answer to a denied request",
    note = "give a function, sync or async, from `&HttpRequest` and `&Decision` to `HttpResponse`"
)]
pub trait IntoOnLimited<M> {
    /// Converts into the function that a limiter, rule or middleware calls.
    fn into_on_limited(self) -> OnLimited;
}

impl<F> IntoOnLimited<Function<HttpResponse>> for F
where
    F: Fn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
{
    fn into_on_limited(self) -> OnLimited {
        OnLimited::from_sync(self)
    }
}

impl<F> IntoOnLimited<AsyncFunction<HttpResponse>> for F
where
    F: AsyncFn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
{
    fn into_on_limited(self) -> OnLimited {
        OnLimited::from_async(self)
    }
}
