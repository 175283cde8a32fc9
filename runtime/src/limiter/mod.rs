//! [`RateLimiter`]: what `main` builds, and what everything else asks.

mod builder;
#[cfg(feature = "test-util")]
mod by_receipt;
mod fallback;
mod give_back;
mod global;
mod hold;
mod lookup;
mod manage;
mod named;
mod shadows;

use std::{borrow::Cow, fmt, net::IpAddr, slice, sync::Arc, time::Duration};

use actix_web::HttpRequest;

pub use self::builder::Builder;
#[cfg(feature = "test-util")]
pub use self::by_receipt::Taken;
use self::shadows::Shadows;
pub(crate) use self::{
    give_back::{Owed, Slips},
    hold::{Granted, Hold, Patience, Wanted},
    named::{Around, KnownPlace, NamedLimit, NamedLimits, Names},
};
use crate::{
    answer::{HeaderStyle, OnLimited, OnUnidentified},
    circuit_state::CircuitState,
    clock::Clock,
    decision::{Decision, LimitStatus},
    error::RateLimitError,
    failure_mode::FailureMode,
    identity::{ClientIp, Identifier, Identity},
    key::Key,
    limit::Limit,
    line::Lines,
    store::{
        Stack,
        interface::{Charge, Charges, Check, Mode, Outcome, Store, StoreError},
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
    shadows: Shadows,
    lines: Lines,
}

/// What the limiter's handlers share.
#[derive(Debug, Default)]
pub(crate) struct Settings {
    pub(crate) failure_mode: FailureMode,
    pub(crate) identifier: Identifier,
    pub(crate) clients: ClientIp,
    pub(crate) headers: HeaderStyle,
    pub(crate) on_limited: Option<OnLimited>,
    pub(crate) on_unidentified: Option<OnUnidentified>,
    pub(crate) max_waiting: MaxWaiting,
    /// What limits by name stand for.
    pub(crate) named: Option<NamedLimits>,
}

/// So many requests may wait for one counter.
#[derive(Clone, Copy, Debug)]
pub(crate) struct MaxWaiting(pub(crate) usize);

impl Default for MaxWaiting {
    fn default() -> Self {
        Self(1_000)
    }
}

impl RateLimiter {
    /// Settings, one by one, ending in [`Builder::init`] or [`Builder::build`].
    pub fn builder() -> Builder {
        Builder::new()
    }

    /// Decides one limit for one identity and charges it if there is room.
    ///
    /// If the store cannot decide, the [`FailureMode`] of the limiter does; the decision says so by
    /// [`is_fallback`](Decision::is_fallback).
    ///
    /// # Errors
    ///
    /// If the limit is invalid, or the store could not decide and the failure mode is `Closed`.
    pub async fn check(
        &self,
        limit: &Limit,
        identity: impl Into<Identity>,
    ) -> Result<Decision, RateLimitError> {
        let identity = identity.into();
        let charges = Charges::from_buf([self.charge(limit, &identity)]);
        let mode = Mode::Charge;
        self.decide(&Check { mode, charges }).await
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
    /// If a limit is invalid, two of them share one counter, or the store could not decide and the
    /// failure mode is `Closed`.
    pub async fn check_all<I: Into<Identity> + Clone>(
        &self,
        checks: &[(&Limit, I)],
    ) -> Result<Decision, RateLimitError> {
        let limits: Vec<_> = checks
            .iter()
            .map(|(limit, identity)| (**limit, identity.clone().into()))
            .collect();
        let (mode, charges) = (Mode::Charge, self.charges(&limits));
        self.decide(&Check { mode, charges }).await
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
        let identity = identity.into();
        let charges = Charges::from_buf([self.charge(limit, &identity)]);
        let mode = Mode::Peek;
        self.decide(&Check { mode, charges }).await
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
        lookup::limiter(request).map(Cow::into_owned)
    }

    /// The same, lent by the request if it can.
    pub(crate) fn nearest(request: &HttpRequest) -> Option<Cow<'_, Self>> {
        lookup::limiter(request)
    }

    /// Whether the store is being asked, or left alone after failures in a row. The embedded
    /// store's circuit is always closed.
    ///
    /// To look costs no more than to read an atomic number: it may stand in a health check.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{CircuitState, RateLimiter};
    /// use actix_web::HttpResponse;
    ///
    /// // The service goes on without its limits' server; those who watch over it want to know.
    /// fn health(limiter: &RateLimiter) -> HttpResponse {
    ///     match limiter.circuit() {
    ///         CircuitState::Closed => HttpResponse::Ok().body("ok"),
    ///         CircuitState::Open | CircuitState::HalfOpen => HttpResponse::Ok().body("degraded"),
    ///     }
    /// }
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// assert_eq!(limiter.circuit(), CircuitState::Closed);
    /// assert_eq!(health(&limiter).status(), 200);
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn circuit(&self) -> CircuitState {
        self.inner.store.circuit()
    }

    fn charges<'a>(&self, limits: &'a [(Limit, Identity)]) -> Charges<'a> {
        let charges = limits.iter();
        charges
            .map(|(limit, identity)| self.charge(limit, identity))
            .collect()
    }

    fn charge<'a>(&self, limit: &'a Limit, identity: &'a Identity) -> Charge<'a> {
        Charge {
            key: Key::counter(identity, limit),
            limit: limit.into(),
            cost: limit.default_cost(),
            failure_mode: self.settings().failure_mode,
        }
    }

    pub(crate) async fn decide(&self, check: &Check<'_>) -> Result<Decision, RateLimitError> {
        let decided = self.decide_for_receipts(check).await;
        decided.map(|(decision, _)| decision)
    }

    /// The same, and what was taken, if the check asks for that.
    pub(crate) async fn decide_for_receipts(
        &self,
        check: &Check<'_>,
    ) -> Result<(Decision, Slips), RateLimitError> {
        let_others_run().await;
        match self.decide_at_once(check) {
            Some(decided) => decided,
            None => self.decide_by_server(check).await,
        }
    }

    /// The same, if nothing need be waited for.
    pub(crate) fn decide_at_once(
        &self,
        check: &Check<'_>,
    ) -> Option<Result<(Decision, Slips), RateLimitError>> {
        if let Err(error) = validate(&check.charges) {
            return Some(Err(error));
        }
        let outcome = self.inner.store.decide_at_once(check)?;
        Some(self.conclude(check, Ok(Some(outcome))))
    }

    /// The same for a check that could not be decided at once.
    pub(crate) async fn decide_by_server(
        &self,
        check: &Check<'_>,
    ) -> Result<(Decision, Slips), RateLimitError> {
        let decided = self.ask_server(check).await;
        self.conclude(check, decided)
    }

    /// The store's own word.
    async fn ask(&self, check: &Check<'_>) -> Result<Option<Outcome>, StoreError> {
        let_others_run().await;
        match self.inner.store.decide_at_once(check) {
            Some(outcome) => Ok(Some(outcome)),
            None => self.ask_server(check).await,
        }
    }

    async fn ask_server(&self, check: &Check<'_>) -> Result<Option<Outcome>, StoreError> {
        let outcomes = self.inner.store.decide(slice::from_ref(check)).await;
        outcomes.map(|outcomes| outcomes.into_iter().next())
    }

    /// What the store's word means for the request.
    fn conclude(
        &self,
        check: &Check<'_>,
        decided: Result<Option<Outcome>, StoreError>,
    ) -> Result<(Decision, Slips), RateLimitError> {
        let (decision, slips) = match decided {
            Ok(Some(outcome)) => {
                let decision = decision(&outcome, (0..).zip(&check.charges));
                (decision, Slips::of(outcome))
            }
            Ok(None) => (Decision::new(true, std::iter::empty()), Slips::default()),
            Err(error) => fallback::decide(&self.inner.store, check, error)?,
        };
        if check.mode.is_charge() && decision.is_allowed() {
            self.inner.shadows.report(&decision);
        }
        Ok((decision, slips))
    }

    pub(crate) fn clock(&self) -> &Clock {
        &self.inner.clock
    }

    /// Who waits in this process.
    pub(crate) fn lines(&self) -> &Lines {
        &self.inner.lines
    }

    pub(crate) fn settings(&self) -> &Settings {
        &self.inner.settings
    }

    /// The time since the Unix epoch, for headers that clients compare with their own clocks.
    pub(crate) fn now(&self) -> Duration {
        Duration::from_micros(self.inner.clock.wall())
    }
}

/// What is decided without asking a server never waits; a task that asks on and on is to let others
/// run all the same.
pub(crate) async fn let_others_run() {
    tokio::task::coop::consume_budget().await;
}

/// Whether all limits make sense, and no two of them share a counter.
fn validate(charges: &[Charge<'_>]) -> Result<(), RateLimitError> {
    for (index, charge) in charges.iter().enumerate() {
        charge.limit.validate()?;
        let mut before = charges[..index].iter();
        if before.any(|other| other.key.is_same(&charge.key)) {
            return Err(RateLimitError::SharedCounter);
        }
    }
    Ok(())
}

/// What became of these charges, each with its place among those that were to be decided.
fn decision<'a>(
    outcome: &Outcome,
    charges: impl Iterator<Item = (u32, &'a Charge<'a>)>,
) -> Decision {
    let limits = charges
        .zip(&outcome.verdicts)
        .map(|((place, charge), verdict)| LimitStatus::new(charge.limit, *verdict, place));
    Decision::new(outcome.allowed, limits)
}

impl fmt::Debug for RateLimiter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RateLimiter")
            .field("settings", &self.inner.settings)
            .finish_non_exhaustive()
    }
}
