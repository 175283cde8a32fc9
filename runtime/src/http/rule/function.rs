//! The functions of the application that a rule calls, each sync or async.
//!
//! A sync function is called in place; only an async one costs a boxed future. Macro output uses
//! the `Into…` traits, because it cannot tell which of the two a function is.

use actix_throttle_core::identity::Identity;
use actix_web::HttpRequest;

use super::DynamicLimit;
use crate::{
    identity::{AsyncFunction, Function},
    user_fn::{UserFn, UserFnWith},
};

/// A function that `cost` of an attribute may name in place of a number.
#[diagnostic::on_unimplemented(
    message = "`{Self}` does not tell what a request costs",
    label = "not a cost",
    note = "write `fn cost_of(request: &HttpRequest) -> u32 {{ ... }}` and `cost = cost_of`; \
            an `async fn` will do, too"
)]
pub trait IntoCost<M> {
    /// Converts into the function that a rule calls.
    fn into_cost(self) -> UserFn<u32>;
}

impl<F> IntoCost<Function<u32>> for F
where
    F: Fn(&HttpRequest) -> u32 + Send + Sync + 'static,
{
    fn into_cost(self) -> UserFn<u32> {
        UserFn::from_sync(self)
    }
}

impl<F> IntoCost<AsyncFunction<u32>> for F
where
    F: AsyncFn(&HttpRequest) -> u32 + Send + Sync + 'static,
{
    fn into_cost(self) -> UserFn<u32> {
        UserFn::from_async(self)
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
    fn into_skip_if(self) -> UserFn<bool>;
}

impl<F> IntoSkipIf<Function<bool>> for F
where
    F: Fn(&HttpRequest) -> bool + Send + Sync + 'static,
{
    fn into_skip_if(self) -> UserFn<bool> {
        UserFn::from_sync(self)
    }
}

impl<F> IntoSkipIf<AsyncFunction<bool>> for F
where
    F: AsyncFn(&HttpRequest) -> bool + Send + Sync + 'static,
{
    fn into_skip_if(self) -> UserFn<bool> {
        UserFn::from_async(self)
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
    fn into_dynamic(self) -> UserFnWith<Identity, DynamicLimit>;
}

impl<F, R> IntoDynamic<Function<R>> for F
where
    F: Fn(&HttpRequest, &Identity) -> R + Send + Sync + 'static,
    R: Into<DynamicLimit>,
{
    fn into_dynamic(self) -> UserFnWith<Identity, DynamicLimit> {
        UserFnWith::from_sync(self)
    }
}

impl<F, R> IntoDynamic<AsyncFunction<R>> for F
where
    F: AsyncFn(&HttpRequest, &Identity) -> R + Send + Sync + 'static,
    R: Into<DynamicLimit>,
{
    fn into_dynamic(self) -> UserFnWith<Identity, DynamicLimit> {
        UserFnWith::from_async(self)
    }
}
