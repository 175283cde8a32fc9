//! The options of a rule that functions of the application decide for each request.

use actix_throttle_core::identity::Identity;
use actix_web::HttpRequest;

use super::{
    DynamicLimit, Rule,
    function::{IntoCost, IntoDynamic, IntoSkipIf},
};
use crate::user_fn::{UserFn, UserFnWith};

impl Rule {
    /// Sets the cost of a request. A request of cost 0 is admitted without being counted.
    pub fn cost(mut self, cost: impl Fn(&HttpRequest) -> u32 + Send + Sync + 'static) -> Self {
        self.cost = Some(UserFn::from_sync(cost));
        self
    }

    /// Sets the [`cost`](Self::cost) by an async function.
    pub fn cost_async<F>(mut self, cost: F) -> Self
    where
        F: AsyncFn(&HttpRequest) -> u32 + Send + Sync + 'static,
    {
        self.cost = Some(UserFn::from_async(cost));
        self
    }

    /// Sets which requests the rule skips: it neither counts nor limits them.
    pub fn skip_if(mut self, skip: impl Fn(&HttpRequest) -> bool + Send + Sync + 'static) -> Self {
        self.skip_if = Some(UserFn::from_sync(skip));
        self
    }

    /// Sets the requests to skip ([`skip_if`](Self::skip_if)) by an async function.
    pub fn skip_if_async<F>(mut self, skip: F) -> Self
    where
        F: AsyncFn(&HttpRequest) -> bool + Send + Sync + 'static,
    {
        self.skip_if = Some(UserFn::from_async(skip));
        self
    }

    /// Sets a function that chooses the limit of a request, for example by the client's plan. The
    /// written limit fills what the chosen one leaves open: the algorithm, cost, name, zone, block
    /// and lease. `None` keeps the written limit. So does an invalid limit, with an error in the
    /// log.
    ///
    /// A function that returns a [`DynamicLimit`] may also leave a request unlimited.
    pub fn dynamic<F, R>(mut self, dynamic: F) -> Self
    where
        F: Fn(&HttpRequest, &Identity) -> R + Send + Sync + 'static,
        R: Into<DynamicLimit>,
    {
        self.dynamic = Some(UserFnWith::from_sync(dynamic));
        self
    }

    /// Sets the limit ([`dynamic`](Self::dynamic)) by an async function.
    ///
    /// ```
    /// use actix_throttle::{DynamicLimit, Identity, Limit, Rule};
    /// use actix_web::HttpRequest;
    ///
    /// async fn by_plan(_: &HttpRequest, caller: &Identity) -> DynamicLimit {
    ///     // ... ask the database ...
    ///     match caller.group_name() {
    ///         Some("staff") => DynamicLimit::Unlimited,
    ///         Some("pro") => Limit::per_minute(600).into(),
    ///         _ => DynamicLimit::Written,
    ///     }
    /// }
    ///
    /// let rule = Rule::new(Limit::per_minute(60).name("api")).dynamic_async(by_plan);
    /// # let _ = rule;
    /// ```
    pub fn dynamic_async<F, R>(mut self, dynamic: F) -> Self
    where
        F: AsyncFn(&HttpRequest, &Identity) -> R + Send + Sync + 'static,
        R: Into<DynamicLimit>,
    {
        self.dynamic = Some(UserFnWith::from_async(dynamic));
        self
    }

    /// Sets the [`cost`](Self::cost) by a function, sync or async. Macro output calls it, because
    /// it cannot tell the two apart.
    #[doc(hidden)]
    pub fn cost_by<M>(mut self, cost: impl IntoCost<M>) -> Self {
        self.cost = Some(cost.into_cost());
        self
    }

    /// Sets the requests to skip ([`skip_if`](Self::skip_if)) by a function, sync or async. Macro
    /// output calls it.
    #[doc(hidden)]
    pub fn skip_by<M>(mut self, skip: impl IntoSkipIf<M>) -> Self {
        self.skip_if = Some(skip.into_skip_if());
        self
    }

    /// Sets the limit ([`dynamic`](Self::dynamic)) by a function, sync or async. Macro output calls
    /// it.
    #[doc(hidden)]
    pub fn dynamic_by<M>(mut self, dynamic: impl IntoDynamic<M>) -> Self {
        self.dynamic = Some(dynamic.into_dynamic());
        self
    }
}
