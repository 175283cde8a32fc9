//! Unidentified requests: those whose identifier finds no identity.

use std::fmt;

use actix_web::{HttpRequest, HttpResponse};

use crate::{
    identity::{AsyncFunction, Function},
    user_fn::UserFn,
};

/// The treatment of a request whose identifier finds no identity.
#[derive(Debug)]
#[non_exhaustive]
pub enum Unidentified {
    /// The request is counted under the client's address, apart from real identities. The default.
    CountByIp,
    /// The limits that need the identity do not apply to the request.
    Skip,
    /// The request gets this response, such as a 401.
    Respond(HttpResponse),
}

impl From<HttpResponse> for Unidentified {
    fn from(response: HttpResponse) -> Self {
        Self::Respond(response)
    }
}

/// The application's function for requests whose identifier finds no identity.
#[derive(Clone)]
pub struct OnUnidentified(UserFn<Unidentified>);

impl OnUnidentified {
    pub(crate) fn from_sync<F, R>(function: F) -> Self
    where
        F: Fn(&HttpRequest) -> R + Send + Sync + 'static,
        R: Into<Unidentified>,
    {
        Self(UserFn::from_sync(function))
    }

    pub(crate) fn from_async<F, R>(function: F) -> Self
    where
        F: AsyncFn(&HttpRequest) -> R + Send + Sync + 'static,
        R: Into<Unidentified>,
    {
        Self(UserFn::from_async(function))
    }

    pub(crate) async fn respond(&self, request: &HttpRequest) -> Unidentified {
        self.0.call(request).await
    }
}

impl fmt::Debug for OnUnidentified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A function, sync or async, from a request whose identifier finds no identity to an
/// [`Unidentified`] or to a response.
///
/// | implemented for | `M` |
/// |---|---|
/// | `Fn(&HttpRequest) -> R` | a marker with `R` |
/// | `AsyncFn(&HttpRequest) -> R` | a marker with `R` |
///
/// Both are `Send + Sync + 'static`, and `R` is `Unidentified` or `HttpResponse`. `M` only
/// distinguishes the two and is inferred. A closure must give the type of its argument. The builder
/// has two methods in place of this, [`on_unidentified`](crate::Builder::on_unidentified) and
/// [`on_unidentified_async`](crate::Builder::on_unidentified_async), where it need not.
///
/// ```
/// use actix_throttle::{Throttle, Unidentified};
/// use actix_web::{HttpRequest, HttpResponse};
///
/// fn by_path(request: &HttpRequest) -> Unidentified {
///     match request.path() {
///         "/health" => Unidentified::Skip,
///         _ => HttpResponse::Unauthorized().finish().into(),
///     }
/// }
///
/// let _ = Throttle::new().on_unidentified(by_path);
/// let _ = Throttle::new()
///     .on_unidentified(async |_: &HttpRequest| HttpResponse::Unauthorized().finish());
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not say what becomes of an unidentified request",
    label = "no answer to an unidentified request",
    note = "give a function, sync or async, from `&HttpRequest` to `Unidentified` or `HttpResponse`"
)]
pub trait IntoOnUnidentified<M> {
    /// Converts into the function that a limiter or middleware calls.
    fn into_on_unidentified(self) -> OnUnidentified;
}

impl<F, R> IntoOnUnidentified<Function<R>> for F
where
    F: Fn(&HttpRequest) -> R + Send + Sync + 'static,
    R: Into<Unidentified>,
{
    fn into_on_unidentified(self) -> OnUnidentified {
        OnUnidentified::from_sync(self)
    }
}

impl<F, R> IntoOnUnidentified<AsyncFunction<R>> for F
where
    F: AsyncFn(&HttpRequest) -> R + Send + Sync + 'static,
    R: Into<Unidentified>,
{
    fn into_on_unidentified(self) -> OnUnidentified {
        OnUnidentified::from_async(self)
    }
}
