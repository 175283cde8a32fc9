//! The functions of the application that a rule calls, each sync or async.
//!
//! A sync function is called in place; only an async one costs a boxed future. Macro output uses
//! the `Into…` traits, because it cannot tell which of the two a function is.

use std::{future::Future, pin::Pin, sync::Arc};

use actix_throttle_core::identity::Identity;
use actix_web::HttpRequest;

use super::DynamicLimit;
use crate::identity::{AsyncFunction, Function};

type Later<'a, T> = Pin<Box<dyn Future<Output = T> + 'a>>;
type SyncFn<T> = dyn Fn(&HttpRequest) -> T + Send + Sync;
type AsyncOne<T> = dyn for<'a> Fn(&'a HttpRequest) -> Later<'a, T> + Send + Sync;
type SyncOfTwo = dyn Fn(&HttpRequest, &Identity) -> DynamicLimit + Send + Sync;
type AsyncOfTwo =
    dyn for<'a> Fn(&'a HttpRequest, &'a Identity) -> Later<'a, DynamicLimit> + Send + Sync;

/// A function of the request.
#[derive(Clone)]
pub enum RequestFn<T> {
    Sync(Arc<SyncFn<T>>),
    Async(Arc<AsyncOne<T>>),
}

/// A function of the request and of the identity that is counted.
#[derive(Clone)]
pub enum IdentityFn {
    Sync(Arc<SyncOfTwo>),
    Async(Arc<AsyncOfTwo>),
}

impl<T: 'static> RequestFn<T> {
    pub(super) fn sync(function: impl Fn(&HttpRequest) -> T + Send + Sync + 'static) -> Self {
        Self::Sync(Arc::new(function))
    }

    pub(super) fn asynchronous<F>(function: F) -> Self
    where
        F: AsyncFn(&HttpRequest) -> T + Send + Sync + 'static,
    {
        let shared = Arc::new(function);
        Self::Async(Arc::new(of_one(move |request| {
            let function = Arc::clone(&shared);
            Box::pin(async move { function(request).await })
        })))
    }

    pub(super) async fn call(&self, request: &HttpRequest) -> T {
        match self {
            Self::Sync(function) => function(request),
            Self::Async(function) => function(request).await,
        }
    }
}

impl IdentityFn {
    pub(super) fn sync<F, R>(function: F) -> Self
    where
        F: Fn(&HttpRequest, &Identity) -> R + Send + Sync + 'static,
        R: Into<DynamicLimit>,
    {
        Self::Sync(Arc::new(
            move |request: &HttpRequest, identity: &Identity| function(request, identity).into(),
        ))
    }

    pub(super) fn asynchronous<F, R>(function: F) -> Self
    where
        F: AsyncFn(&HttpRequest, &Identity) -> R + Send + Sync + 'static,
        R: Into<DynamicLimit>,
    {
        let shared = Arc::new(function);
        Self::Async(Arc::new(of_two(move |request, identity| {
            let function = Arc::clone(&shared);
            Box::pin(async move { function(request, identity).await.into() })
        })))
    }

    pub(super) async fn call(&self, request: &HttpRequest, identity: &Identity) -> DynamicLimit {
        match self {
            Self::Sync(function) => function(request, identity),
            Self::Async(function) => function(request, identity).await,
        }
    }
}

/// Tells the compiler that a closure works for every lifetime of the request.
fn of_one<T, F>(function: F) -> F
where
    F: for<'a> Fn(&'a HttpRequest) -> Later<'a, T>,
{
    function
}

/// Tells the compiler that a closure of two arguments works for every lifetime of them.
fn of_two<F>(function: F) -> F
where
    F: for<'a> Fn(&'a HttpRequest, &'a Identity) -> Later<'a, DynamicLimit>,
{
    function
}

/// A function that `cost` of an attribute may name in place of a number.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell what a request costs",
    label = "not a cost",
    note = "write `fn cost_of(request: &HttpRequest) -> u32 {{ ... }}` and `cost = cost_of`; \
            an `async fn` will do, too"
)]
pub trait IntoCost<M> {
    /// Converts into the function that a rule calls.
    fn into_cost(self) -> RequestFn<u32>;
}

impl<F> IntoCost<Function<u32>> for F
where
    F: Fn(&HttpRequest) -> u32 + Send + Sync + 'static,
{
    fn into_cost(self) -> RequestFn<u32> {
        RequestFn::sync(self)
    }
}

impl<F> IntoCost<AsyncFunction<u32>> for F
where
    F: AsyncFn(&HttpRequest) -> u32 + Send + Sync + 'static,
{
    fn into_cost(self) -> RequestFn<u32> {
        RequestFn::asynchronous(self)
    }
}

/// A function that `skip_if` of an attribute may name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell which requests to skip",
    label = "not a condition",
    note = "write `fn is_internal(request: &HttpRequest) -> bool {{ ... }}` and \
            `skip_if = is_internal`; an `async fn` will do, too"
)]
pub trait IntoSkipIf<M> {
    /// Converts into the function that a rule calls.
    fn into_skip_if(self) -> RequestFn<bool>;
}

impl<F> IntoSkipIf<Function<bool>> for F
where
    F: Fn(&HttpRequest) -> bool + Send + Sync + 'static,
{
    fn into_skip_if(self) -> RequestFn<bool> {
        RequestFn::sync(self)
    }
}

impl<F> IntoSkipIf<AsyncFunction<bool>> for F
where
    F: AsyncFn(&HttpRequest) -> bool + Send + Sync + 'static,
{
    fn into_skip_if(self) -> RequestFn<bool> {
        RequestFn::asynchronous(self)
    }
}

/// A function that `dynamic` of an attribute may name.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not choose a limit",
    label = "not a choice of limits",
    note = "write `fn by_plan(request: &HttpRequest, caller: &Identity) -> Option<Limit> {{ ... }}` \
            and `dynamic = by_plan`; an `async fn` will do, too, and `DynamicLimit` in place of the \
            `Option`"
)]
pub trait IntoDynamic<M> {
    /// Converts into the function that a rule calls.
    fn into_dynamic(self) -> IdentityFn;
}

impl<F, R> IntoDynamic<Function<R>> for F
where
    F: Fn(&HttpRequest, &Identity) -> R + Send + Sync + 'static,
    R: Into<DynamicLimit>,
{
    fn into_dynamic(self) -> IdentityFn {
        IdentityFn::sync(self)
    }
}

impl<F, R> IntoDynamic<AsyncFunction<R>> for F
where
    F: AsyncFn(&HttpRequest, &Identity) -> R + Send + Sync + 'static,
    R: Into<DynamicLimit>,
{
    fn into_dynamic(self) -> IdentityFn {
        IdentityFn::asynchronous(self)
    }
}
