//! Functions of the application, each sync or async, behind one type.
//!
//! Rules, `on_limited` and `on_unidentified` store them. A sync function is called in place; only
//! an async one costs a boxed future.

use std::{fmt, future::Future, pin::Pin, sync::Arc};

use actix_web::HttpRequest;

type BoxedFuture<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;
type SyncFn<T> = dyn Fn(&HttpRequest) -> T + Send + Sync;
type AsyncFn1<T> = dyn for<'a> Fn(&'a HttpRequest) -> BoxedFuture<'a, T> + Send + Sync;
type SyncFnWith<A, T> = dyn Fn(&HttpRequest, &A) -> T + Send + Sync;
type AsyncFnWith<A, T> = dyn for<'a> Fn(&'a HttpRequest, &'a A) -> BoxedFuture<'a, T> + Send + Sync;

/// A function of the request.
pub enum UserFn<T> {
    /// A sync function, called in place.
    Sync(Arc<SyncFn<T>>),
    /// An async function, whose future is boxed.
    Async(Arc<AsyncFn1<T>>),
}

/// A function of the request and of an `A`: the identity, or the decision that denied the request.
pub enum UserFnWith<A, T> {
    /// A sync function, called in place.
    Sync(Arc<SyncFnWith<A, T>>),
    /// An async function, whose future is boxed.
    Async(Arc<AsyncFnWith<A, T>>),
}

impl<T: 'static> UserFn<T> {
    pub(crate) fn from_sync<F, R>(function: F) -> Self
    where
        F: Fn(&HttpRequest) -> R + Send + Sync + 'static,
        R: Into<T>,
    {
        Self::Sync(Arc::new(move |request: &HttpRequest| {
            function(request).into()
        }))
    }

    pub(crate) fn from_async<F, R>(function: F) -> Self
    where
        F: AsyncFn(&HttpRequest) -> R + Send + Sync + 'static,
        R: Into<T>,
    {
        let shared = Arc::new(function);
        Self::Async(Arc::new(typed(move |request| {
            let function = Arc::clone(&shared);
            Box::pin(async move { function(request).await.into() })
        })))
    }

    pub(crate) async fn call(&self, request: &HttpRequest) -> T {
        match self {
            Self::Sync(function) => function(request),
            Self::Async(function) => function(request).await,
        }
    }
}

impl<A: 'static, T: 'static> UserFnWith<A, T> {
    pub(crate) fn from_sync<F, R>(function: F) -> Self
    where
        F: Fn(&HttpRequest, &A) -> R + Send + Sync + 'static,
        R: Into<T>,
    {
        Self::Sync(Arc::new(move |request: &HttpRequest, with: &A| {
            function(request, with).into()
        }))
    }

    pub(crate) fn from_async<F, R>(function: F) -> Self
    where
        F: AsyncFn(&HttpRequest, &A) -> R + Send + Sync + 'static,
        R: Into<T>,
    {
        let shared = Arc::new(function);
        Self::Async(Arc::new(typed_with(move |request, with| {
            let function = Arc::clone(&shared);
            Box::pin(async move { function(request, with).await.into() })
        })))
    }

    pub(crate) async fn call(&self, request: &HttpRequest, with: &A) -> T {
        match self {
            Self::Sync(function) => function(request, with),
            Self::Async(function) => function(request, with).await,
        }
    }
}

/// Tells the compiler that the closure takes a request of any lifetime: it does not infer that.
fn typed<T, F>(function: F) -> F
where
    F: for<'a> Fn(&'a HttpRequest) -> BoxedFuture<'a, T>,
{
    function
}

/// [`typed`] for two arguments.
fn typed_with<A, T, F>(function: F) -> F
where
    F: for<'a> Fn(&'a HttpRequest, &'a A) -> BoxedFuture<'a, T>,
{
    function
}

// These are written by hand: derived ones would ask `A` and `T` to be `Clone` and `Debug`.

impl<T> Clone for UserFn<T> {
    fn clone(&self) -> Self {
        match self {
            Self::Sync(function) => Self::Sync(Arc::clone(function)),
            Self::Async(function) => Self::Async(Arc::clone(function)),
        }
    }
}

impl<A, T> Clone for UserFnWith<A, T> {
    fn clone(&self) -> Self {
        match self {
            Self::Sync(function) => Self::Sync(Arc::clone(function)),
            Self::Async(function) => Self::Async(Arc::clone(function)),
        }
    }
}

impl<T> fmt::Debug for UserFn<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sync(_) => "function",
            Self::Async(_) => "async function",
        })
    }
}

impl<A, T> fmt::Debug for UserFnWith<A, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sync(_) => "function",
            Self::Async(_) => "async function",
        })
    }
}
