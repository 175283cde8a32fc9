use crate::limit::Limit;

/// What a [`dynamic`](crate::Rule::dynamic) function says of a request: which limit it is held to.
///
/// An `Option<Limit>` converts into it, `None` into [`Written`](Self::Written); so does a [`Limit`].
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
    /// To the limit as it is written.
    #[default]
    Written,
    /// To this one. What it leaves open is as it is written.
    Limit(Limit),
    /// To none: the request is not counted by this limit. Others still hold.
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
