//! The application's own response to denied requests.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use actix_throttle_core::decision::Decision;
use actix_web::{HttpRequest, HttpResponse};

use crate::identity::{AsyncFunction, Function};

type Answer<'a> = Pin<Box<dyn Future<Output = HttpResponse> + 'a>>;
type SyncFn = dyn Fn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync;
type BoxedFn = dyn for<'a> Fn(&'a HttpRequest, &'a Decision) -> Answer<'a> + Send + Sync;

/// The application's function for the response to a denied request.
#[derive(Clone)]
pub struct OnLimited(Kind);

#[derive(Clone)]
enum Kind {
    Sync(Arc<SyncFn>),
    Async(Arc<BoxedFn>),
}

impl OnLimited {
    pub(crate) fn from_sync<F>(function: F) -> Self
    where
        F: Fn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
    {
        Self(Kind::Sync(Arc::new(function)))
    }

    pub(crate) fn from_async<F>(function: F) -> Self
    where
        F: AsyncFn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
    {
        let shared = Arc::new(function);
        Self(Kind::Async(Arc::new(boxed(move |request, decision| {
            let function = Arc::clone(&shared);
            Box::pin(async move { function(request, decision).await })
        }))))
    }

    pub(crate) async fn respond(&self, request: &HttpRequest, denied: &Decision) -> HttpResponse {
        match &self.0 {
            Kind::Sync(function) => function(request, denied),
            Kind::Async(function) => function(request, denied).await,
        }
    }
}

/// Tells the compiler that a closure works for every lifetime of the request.
fn boxed<F>(function: F) -> F
where
    F: for<'a> Fn(&'a HttpRequest, &'a Decision) -> Answer<'a>,
{
    function
}

impl fmt::Debug for OnLimited {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self.0 {
            Kind::Sync(_) => "function",
            Kind::Async(_) => "async function",
        })
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
