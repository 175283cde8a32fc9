//! Limits that a handler decides itself, once it knows the identity: the nearest limiter as an
//! extractor, and [`RateLimiter::enforce`].

use std::future::{Ready, ready};

use actix_throttle_core::{
    check::Mode, decision::Decision, enforcement::Enforcement, identity::Identity, limit::Limit,
    network::NetworkAccess,
};
use actix_web::{FromRequest, HttpRequest, dev::Payload};

use super::{admission::log_unenforced, decisions::record_enforced, error::RequestError};
use crate::limiter::RateLimiter;

impl RateLimiter {
    /// Decides a limit inside a handler, for an identity that only the handler knows: an e-mail
    /// address in the body, for example. The error is the response that an attribute would have
    /// given.
    ///
    /// The decision shows in [`RateLimits`](crate::RateLimits). Its headers are on the error's
    /// response. Other responses have them if an attribute or a [`Throttle`](crate::Throttle)
    /// writes headers for the request. A limit that has denied the request keeps the attribute's
    /// `refund_on` from refunding anything.
    ///
    /// If a request enforces one limit for several identities, its headers show the strictest of
    /// the decisions, and `RateLimits` lists the first of them, then those that are a good deal
    /// stricter.
    ///
    /// A client whose network is [allowed](crate::Builder::allow) is neither counted nor limited.
    ///
    /// ```
    /// use actix_throttle::{Limit, RateLimiter, RequestError, rate_limit};
    /// use actix_web::{HttpRequest, post, web};
    ///
    /// const PER_EMAIL: Limit = Limit::per_minute(5).name("login-email").zone("login-email");
    ///
    /// #[post("/login")]
    /// #[rate_limit("100/minute")]
    /// async fn login(
    ///     request: HttpRequest,
    ///     limiter: RateLimiter,
    ///     email: web::Json<String>,
    /// ) -> Result<&'static str, RequestError> {
    ///     limiter.enforce(&request, &PER_EMAIL, email.to_lowercase()).await?;
    ///     Ok("checked")
    /// }
    /// # let _ = login;
    /// ```
    ///
    /// # Errors
    ///
    /// - [`RequestError::Denied`] if the limit has denied the request: a 429 with the headers, by
    ///   the limiter's [`on_limited`](crate::Builder::on_limited) if it has one.
    /// - [`RequestError::Forbidden`] if the client's network is denied: a 403.
    /// - [`RequestError::Undecided`] if the store could not decide and the limiter's failure mode
    ///   is `Closed`: a 503. An invalid limit is a 500.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the charge may have been made.
    pub async fn enforce(
        &self,
        request: &HttpRequest,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<Decision, RequestError> {
        match self.access(request) {
            Some(NetworkAccess::Allow) => return Ok(Decision::unlimited()),
            Some(NetworkAccess::Deny) => return Err(RequestError::Forbidden),
            None => {}
        }
        let identity = identity.into();
        let decided = self.engine().check(Mode::Charge, limit, &identity).await;
        let decision = match decided {
            Ok(decision) => decision,
            Err(error) if self.enforcement() == Enforcement::Shadow => {
                log_unenforced(&error);
                return Ok(Decision::unlimited());
            }
            Err(error) => return Err(RequestError::Undecided(error)),
        };
        if decision.limits().is_empty() && decision.is_allowed() {
            return Ok(decision);
        }
        let record = record_enforced(self, request, decision.clone());
        if decision.is_allowed() {
            return Ok(decision);
        }
        let mut response = self.respond_to_denial(request, &decision).await;
        record.write(self.settings().headers, response.headers_mut());
        Err(RequestError::denied(decision, response))
    }
}

/// The nearest limiter: that of the resource, scope or app, else the process-wide one.
impl FromRequest for RateLimiter {
    type Error = RequestError;
    type Future = Ready<Result<Self, RequestError>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        ready(match Self::nearest(request) {
            Some(limiter) => Ok(Self::clone(&limiter)),
            None => Err(RequestError::NotInstalled),
        })
    }
}
