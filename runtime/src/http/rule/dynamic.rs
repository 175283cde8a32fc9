//! The result of a rule's `dynamic` function.

use actix_throttle_core::limit::Limit;

/// The limit that a [`dynamic`](crate::Rule::dynamic) function chooses for a request.
///
/// A [`Limit`] converts into it, and so does an `Option<Limit>`, with `None` as
/// [`Written`](Self::Written).
///
/// ```
/// use actix_throttle::{DynamicLimit, Identity, Limit, rate_limit};
/// use actix_web::{HttpRequest, Responder, get};
///
/// async fn by_plan(_: &HttpRequest, caller: &Identity) -> DynamicLimit {
///     match caller.group_name() {
///         Some("staff") => DynamicLimit::Unlimited,
///         Some("pro") => Limit::per_minute(600).into(),
///         _ => DynamicLimit::Written,
///     }
/// }
///
/// #[get("/report")]
/// #[rate_limit("60/minute", dynamic = by_plan)]
/// async fn report() -> impl Responder {
///     "report"
/// }
/// ```
#[derive(Clone, Copy, Debug, Default)]
#[non_exhaustive]
pub enum DynamicLimit {
    /// The limit as it is written. The default.
    #[default]
    Written,
    /// This limit. What it leaves open is as written.
    Limit(Limit),
    /// No limit: this rule does not count the request. Other rules still apply.
    Unlimited,
}

impl From<Limit> for DynamicLimit {
    fn from(limit: Limit) -> Self {
        Self::Limit(limit)
    }
}

impl From<Option<Limit>> for DynamicLimit {
    fn from(limit: Option<Limit>) -> Self {
        limit.map_or(Self::Written, Self::Limit)
    }
}
