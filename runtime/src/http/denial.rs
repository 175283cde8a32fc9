//! Responses to denials, for handlers that call the limiter themselves.

use actix_throttle_core::decision::Decision;
use actix_web::{HttpRequest, HttpResponse};

use crate::{
    limiter::RateLimiter,
    response::{self, DatedStatus, ForeignHeaders},
};

impl RateLimiter {
    /// Builds the response to a request that a decision has denied, as an attribute does: the
    /// response of [`on_limited`](crate::Builder::on_limited), else 429 with a problem document;
    /// with `Retry-After` and the headers of the limiter's [style](crate::Builder::headers). `None`
    /// if the decision allows the request.
    ///
    /// This is for handlers that call the limiter themselves and need the decision before they
    /// respond. [`enforce`](Self::enforce) does both at once.
    ///
    /// ```
    /// use actix_throttle::{Limit, RateLimiter, RequestError};
    /// use actix_web::{HttpRequest, HttpResponse, post, web};
    ///
    /// const LOGIN: Limit = Limit::per_minute(5).name("login").expect_valid();
    ///
    /// #[post("/login")]
    /// async fn login(
    ///     req: HttpRequest,
    ///     email: web::Json<String>,
    /// ) -> actix_web::Result<HttpResponse> {
    ///     let limiter = RateLimiter::for_request(&req).ok_or(RequestError::NotInstalled)?;
    ///     let decision = limiter.check(&LOGIN, email.as_str()).await?;
    ///     if let Some(denial) = limiter.denial_response(&req, &decision).await {
    ///         return Ok(denial);
    ///     }
    ///     Ok(HttpResponse::Ok().finish())
    /// }
    /// # let _ = login;
    /// ```
    ///
    /// # Cancel safety
    ///
    /// Dropping the future drops that of `on_limited`, and has no other effect.
    pub async fn denial_response(
        &self,
        request: &HttpRequest,
        decision: &Decision,
    ) -> Option<HttpResponse> {
        if decision.is_allowed() {
            return None;
        }
        let mut response = self.respond_to_denial(request, decision).await;
        let headers = response.headers_mut();
        let foreign = ForeignHeaders::of(headers);
        let at = self.engine().wall_time();
        let limits = decision.enforced();
        let limits = limits.map(|status| DatedStatus { at, status });
        let style = self.settings().headers;
        response::write(headers, style, limits, foreign.as_deref());
        Some(response)
    }

    /// Builds the response to a denial by this limiter alone, without the headers of its limits.
    pub(super) async fn respond_to_denial(
        &self,
        request: &HttpRequest,
        decision: &Decision,
    ) -> HttpResponse {
        let mut response = match &self.settings().on_limited {
            Some(on_limited) => on_limited.respond(request, decision).await,
            None => response::quota_exceeded(decision),
        };
        response::retry_after(response.headers_mut(), decision.retry_after());
        response
    }
}
