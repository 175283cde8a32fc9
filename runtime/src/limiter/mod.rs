//! [`RateLimiter`]: what `main` builds, and what everything else asks.

mod builder;
mod global;
mod lookup;

use std::{fmt, net::IpAddr, sync::Arc, time::Duration};

use actix_web::HttpRequest;
use log::Level;

pub use self::builder::Builder;
use crate::{
    answer::{HeaderStyle, OnLimited, OnUnidentified},
    clock::{Clock, length},
    decision::{Decision, LimitStatus},
    error::RateLimitError,
    identity::{ClientIp, Identifier, Identity},
    key::Key,
    limit::Limit,
    log_throttle::LogThrottle,
    store::{
        Stack,
        interface::{Charge, Charges, Check, Mode, Store},
    },
};

/// Decides who may go on. A cheap handle: clones share one store.
///
/// Made by [`RateLimiter::builder`]; installed for the whole process by
/// [`Builder::init`], or for a part of an application by `app_data`:
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_throttle::RateLimiter;
/// use actix_web::{App, web};
///
/// let limiter = RateLimiter::builder().memory().build().await?;
/// let _ = App::new()
///     .app_data(limiter.clone())
///     .service(web::scope("/other").app_data(limiter));
/// # Ok(()) }
/// ```
#[derive(Clone)]
pub struct RateLimiter {
    inner: Arc<Inner>,
}

#[derive(Debug)]
struct Inner {
    store: Stack,
    clock: Clock,
    settings: Settings,
}

/// What the limiter's handlers share.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) identifier: Identifier,
    pub(crate) clients: ClientIp,
    pub(crate) headers: HeaderStyle,
    pub(crate) on_limited: Option<OnLimited>,
    pub(crate) on_unidentified: Option<OnUnidentified>,
}

static SHADOW_DENIALS: LogThrottle = LogThrottle::new(Level::Info);

impl RateLimiter {
    /// Settings, one by one, ending in [`Builder::init`] or [`Builder::build`].
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Decides one limit for one identity and charges it if there is room.
    ///
    /// # Errors
    ///
    /// If the limit is invalid, or the store could not decide.
    pub async fn check(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<Decision, RateLimitError> {
        self.ask(Mode::Charge, &[(*limit, identity.into())]).await
    }

    /// Decides several limits at once: all are charged, or none.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Limit, RateLimiter};
    ///
    /// const LOGIN: Limit = Limit::per_minute(5).name("login");
    /// const PER_IP: Limit = Limit::per_hour(100).name("per-ip");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// let decision = limiter
    ///     .check_all(&[(&LOGIN, "user:42"), (&PER_IP, "10.0.0.1")])
    ///     .await?;
    /// assert_eq!(decision.limits().len(), 2);
    /// # Ok(()) }
    /// ```
    ///
    /// # Errors
    ///
    /// If a limit is invalid, two of them share one counter, or the store could not decide.
    pub async fn check_all<I: Into<Identity> + Clone>(
        &self,
        checks: &[(&Limit, I)],
    ) -> Result<Decision, RateLimitError> {
        let limits: Vec<_> = checks
            .iter()
            .map(|(limit, identity)| (**limit, identity.clone().into()))
            .collect();
        self.ask(Mode::Charge, &limits).await
    }

    /// What [`check`](Self::check) would answer, without taking anything.
    ///
    /// # Errors
    ///
    /// As for `check`.
    pub async fn peek(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<Decision, RateLimitError> {
        self.ask(Mode::Peek, &[(*limit, identity.into())]).await
    }

    /// Forgets what the identity has used of this limit, and ends a block in its zone.
    ///
    /// # Errors
    ///
    /// If the limit is invalid, or the store could not be reached.
    pub async fn reset(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<(), RateLimitError> {
        limit.validate()?;
        let identity = identity.into();
        let counter = Key::counter(&identity, limit);
        Ok(self.inner.store.forget(&[counter, counter.block()]).await?)
    }

    /// Denies everything of the identity in the limit's zone for `length` from now on, in place of
    /// a block that is there.
    ///
    /// # Errors
    ///
    /// If the limit is invalid, the length is not from 1 ms to 366 days, or the store could not be
    /// reached.
    pub async fn block(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
        length: Duration,
    ) -> Result<(), RateLimitError> {
        limit.validate()?;
        limit.block(length).validate()?;
        let identity = identity.into();
        let key = Key::counter(&identity, limit).block();
        Ok(self.inner.store.block(&key, self::length(length)).await?)
    }

    /// Ends a block of the identity in the limit's zone.
    ///
    /// # Errors
    ///
    /// If the limit is invalid, or the store could not be reached.
    pub async fn unblock(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<(), RateLimitError> {
        limit.validate()?;
        let identity = identity.into();
        let key = Key::counter(&identity, limit).block();
        Ok(self.inner.store.forget(&[key]).await?)
    }

    /// The identity that this limiter's `ip` gives a client at `address`: IPv6 by the
    /// [prefix](Builder::ipv6_prefix) that was set.
    #[must_use]
    pub fn client(&self, address: IpAddr) -> Identity {
        Identity::client(Some(self.settings().clients.network_of(address)))
    }

    /// The limiter for a request: the nearest `app_data`, else the process-wide one. One that
    /// stands there plainly comes before one in a `web::Data`.
    #[must_use]
    pub fn for_request(request: &HttpRequest) -> Option<Self> {
        lookup::limiter(request)
    }

    async fn ask(
        &self,
        mode: Mode,
        limits: &[(Limit, Identity)],
    ) -> Result<Decision, RateLimitError> {
        let charges = limits.iter().map(|(limit, identity)| Charge {
            key: Key::counter(identity, limit),
            limit,
            cost: limit.default_cost(),
        });
        self.decide(mode, charges.collect()).await
    }

    /// The one way to the store for decisions.
    pub(crate) async fn decide(
        &self,
        mode: Mode,
        charges: Charges<'_>,
    ) -> Result<Decision, RateLimitError> {
        for (index, charge) in charges.iter().enumerate() {
            charge.limit.validate()?;
            if charges[..index]
                .iter()
                .any(|other| other.key.is_same(&charge.key))
            {
                return Err(RateLimitError::SharedCounter);
            }
        }
        let checks = [Check { mode, charges }];
        let outcomes = self.inner.store.decide(&checks).await?;
        let [check] = checks;
        let Some(outcome) = outcomes.into_iter().next() else {
            return Err(RateLimitError::Unavailable("no answer".to_owned()));
        };
        let limits = check.charges.iter().zip(outcome.verdicts);
        let limits = limits.map(|(charge, verdict)| LimitStatus::new(*charge.limit, verdict));
        let decision = Decision::new(outcome.allowed, limits);
        if mode == Mode::Charge && decision.is_allowed() {
            report_shadows(&decision);
        }
        Ok(decision)
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The time since the Unix epoch, for headers that clients compare with their own clocks.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_micros(self.inner.clock.wall())
    }
}

fn report_shadows(decision: &Decision) {
    let shadows = decision.limits().iter().filter(|limit| limit.is_shadow());
    for limit in shadows.filter(|limit| limit.is_violated()) {
        SHADOW_DENIALS.log(format_args!(
            "the shadow limit \"{}\" would have denied a request",
            limit.name()
        ));
    }
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}
