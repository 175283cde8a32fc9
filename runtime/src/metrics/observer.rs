//! [`Metrics`]: the observer that counts.

use std::fmt;

use super::{
    limiter_series::LimiterSeries,
    policies::Policies,
    register::{CommonLabel, Registrar},
    table::ALL,
};
use crate::engine::{Change, Event, Observer};

/// The observer that counts what a limiter does, through the [`metrics`](::metrics) facade. The
/// guide has the [table of all metrics](crate::guide::metrics).
///
/// Install the recorder of your exporter first: series are registered here, with all values of
/// their labels, so that they begin at 0. Give each limiter a `Metrics` of its own, and if a
/// process has several limiters, each a [label](Self::labeled).
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_throttle::{Limit, Metrics, RateLimiter};
/// use metrics_exporter_prometheus::{Matcher, PrometheusBuilder};
///
/// const LOGIN: Limit = Limit::per_minute(5).name("login");
///
/// let mut exporter = PrometheusBuilder::new();
/// for (name, buckets) in Metrics::buckets() {
///     exporter = exporter.set_buckets_for_metric(Matcher::Full(name.to_owned()), buckets)?;
/// }
/// let prometheus = exporter.install_recorder()?;
///
/// let limiter = RateLimiter::builder()
///     .memory()
///     .observer(Metrics::new().policies(["login"]))
///     .build()
///     .await?;
/// limiter.check(&LOGIN, "ann").await?;
///
/// let counted = r#"rate_limit_requests_total{policy="login",result="allowed",source="store"} 1"#;
/// assert!(prometheus.render().contains(counted));
/// # Ok(()) }
/// ```
#[must_use = "give it to `Builder::observer`"]
pub struct Metrics {
    limiter: LimiterSeries,
    policies: Policies,
}

impl Metrics {
    /// Registers the series with the recorder that is installed.
    #[expect(
        clippy::new_without_default,
        reason = "it registers series, which a default value should not"
    )]
    pub fn new() -> Self {
        Self::with_common(None)
    }

    /// Registers the series, all with this label: it tells the limiters of one process apart. Its
    /// name must be none of those that metrics have, such as `policy`.
    ///
    /// ```
    /// use actix_throttle::Metrics;
    ///
    /// let metrics = Metrics::labeled("limiter", "billing");
    /// # let _ = metrics;
    /// ```
    pub fn labeled(name: &'static str, value: impl Into<String>) -> Self {
        Self::with_common(Some((name, value.into())))
    }

    /// Registers the series of these policies, so that they are there before the first request.
    ///
    /// Policies of a configuration file, and those of a [`Throttle`](crate::Throttle) that has its
    /// [limiter](crate::Throttle::limiter), need not be named. Those of an attribute are known at
    /// their first request: name them here if a dashboard is to show their zeros before.
    pub fn policies(self, names: impl IntoIterator<Item = &'static str>) -> Self {
        for name in names {
            self.policies.with(name, |_| {});
        }
        self
    }

    /// Returns the upper bounds of each histogram's buckets, by its name. The facade does not carry
    /// them, so give them to your exporter.
    pub fn buckets() -> impl Iterator<Item = (&'static str, &'static [f64])> {
        let histograms = ALL.iter().filter(|metric| !metric.buckets.is_empty());
        histograms.map(|metric| (metric.name, metric.buckets))
    }

    fn with_common(common: CommonLabel) -> Self {
        let registrar = Registrar::new(common);
        Self {
            limiter: LimiterSeries::new(&registrar),
            policies: Policies::new(registrar),
        }
    }
}

impl Observer for Metrics {
    fn observe(&self, event: &Event<'_>) {
        let policies = &self.policies;
        match *event {
            Event::Decided(ref decided) => {
                policies.with(decided.policy(), |series| series.decided(decided));
            }
            Event::Refunded { policy, .. } => policies.with(policy, |series| series.refunded()),
            Event::Settled {
                policy,
                estimate,
                actual,
                ..
            } => policies.with(policy, |series| series.settled(estimate, actual)),
            Event::StoreCalled {
                outcome,
                batch_size,
                time,
            } => self.limiter.store_called(outcome, batch_size, time),
            Event::StoreFailed { .. } => self.limiter.store_failed(),
            Event::StoreSized { keys, evictions } => self.limiter.store_sized(keys, evictions),
            Event::CircuitChanged { state } => self.limiter.circuit_changed(state),
            Event::Reloaded {
                result,
                hash,
                since,
                ..
            } => self.limiter.reloaded(result, hash, since),
            Event::PolicyKnown { policy } => policies.with(policy, |_| {}),
            Event::LeaseTaken { policy, cost } => {
                policies.with(policy, |series| series.leased(cost));
            }
            Event::LeaseReturned {
                policy,
                unused,
                is_refunded,
            } => policies.with(policy, |series| series.lease_unused(unused, is_refunded)),
            Event::WaitBegan { policy } => policies.with(policy, |series| series.wait_began()),
            Event::WaitEnded { policy, time, .. } => {
                policies.with(policy, |series| series.wait_ended(time));
            }
            Event::PermitHeld { policy } => policies.with(policy, |series| series.held()),
            Event::PermitReleased { policy, time } => {
                policies.with(policy, |series| series.released(time));
            }
            Event::Changed { change, .. } => self.limiter.changed(change),
            Event::PolicyReset { .. } => self.limiter.changed(Change::Reset),
        }
    }
}

impl fmt::Debug for Metrics {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Metrics").finish_non_exhaustive()
    }
}
