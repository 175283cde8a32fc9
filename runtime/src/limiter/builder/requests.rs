//! Settings about requests: what they are counted by, how denials are answered, how many may wait.

use actix_throttle_core::{decision::Decision, enforcement::Enforcement};
use actix_web::{HttpRequest, HttpResponse};

use super::Builder;
use crate::{
    identity::IntoIdentifier,
    response::{HeaderStyle, OnLimited, OnUnidentified, Unidentified},
};

impl Builder {
    /// Sets the identifier of requests, for limits without one of their own. Default: the client's
    /// address.
    pub fn identifier<M>(mut self, identifier: impl IntoIdentifier<M>) -> Self {
        self.http.identifier = identifier.into_identifier();
        self
    }

    /// Sets the headers that tell clients about their limits. Default: [`HeaderStyle::XRateLimit`].
    pub fn headers(mut self, style: HeaderStyle) -> Self {
        self.http.headers = style;
        self
    }

    /// Sets the response to denied requests, in place of 429 and a problem document (RFC 9457).
    /// Rate-limit headers are added to it, and `Retry-After`, unless it has a later one.
    pub fn on_limited<F>(mut self, respond: F) -> Self
    where
        F: Fn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
    {
        self.http.on_limited = Some(OnLimited::from_sync(respond));
        self
    }

    /// Sets the response to denied requests by an async function; see
    /// [`on_limited`](Self::on_limited).
    pub fn on_limited_async<F>(mut self, respond: F) -> Self
    where
        F: AsyncFn(&HttpRequest, &Decision) -> HttpResponse + Send + Sync + 'static,
    {
        self.http.on_limited = Some(OnLimited::from_async(respond));
        self
    }

    /// Sets the treatment of a request for which the identifier finds no identity: the function
    /// returns an [`Unidentified`] or a response. Default: [`Unidentified::CountByIp`].
    pub fn on_unidentified<F, R>(mut self, respond: F) -> Self
    where
        F: Fn(&HttpRequest) -> R + Send + Sync + 'static,
        R: Into<Unidentified>,
    {
        self.http.on_unidentified = Some(OnUnidentified::from_sync(respond));
        self
    }

    /// Sets the treatment of such a request by an async function; see
    /// [`on_unidentified`](Self::on_unidentified).
    pub fn on_unidentified_async<F, R>(mut self, respond: F) -> Self
    where
        F: AsyncFn(&HttpRequest) -> R + Send + Sync + 'static,
        R: Into<Unidentified>,
    {
        self.http.on_unidentified = Some(OnUnidentified::from_async(respond));
        self
    }

    /// Sets what becomes of all limits: enforced, only counted, or off. Default:
    /// [`Enforcement::On`].
    ///
    /// With [`Enforcement::Off`], `build` and `init` need no store, and read no Redis: a test of an
    /// application whose handlers are limited needs nothing else.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Enforcement, RateLimiter};
    ///
    /// let limiter = RateLimiter::builder().enforcement(Enforcement::Off).build().await?;
    /// # assert_eq!(limiter.enforcement(), Enforcement::Off);
    /// # Ok(()) }
    /// ```
    ///
    /// [`RateLimiter::set_enforcement`](crate::RateLimiter::set_enforcement) changes it later. If a
    /// configuration file says `enforcement` too, the lesser of both is in force.
    pub fn enforcement(mut self, enforcement: Enforcement) -> Self {
        self.engine.settings.enforcement = enforcement;
        self
    }

    /// Sets the maximum number of requests that wait for one counter in this process, by
    /// [`Rule::max_wait`](crate::Rule::max_wait); further ones are denied at once. Default: 1,000;
    /// with 0 no request waits.
    ///
    /// As many may be delayed for one counter by [`Rule::slow_after`](crate::Rule::slow_after).
    ///
    /// A waiting request costs a few kilobytes, besides its open connection.
    pub fn max_waiting(mut self, requests: usize) -> Self {
        self.engine.settings.max_waiting = requests;
        self
    }
}
