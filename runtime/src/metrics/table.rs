//! The table of all metrics: name, kind, unit, labels, meaning. Registration, the guide's page, the
//! dashboard and the alert rules come from it.
//!
//! A name, label or bucket is a contract with dashboards and alerts of operators. A test fails when
//! one changes.

use metrics::Unit;

use super::label::MetricLabel;

/// One metric.
#[derive(Debug)]
pub(super) struct Metric {
    pub(super) name: &'static str,
    pub(super) kind: MetricKind,
    pub(super) unit: Unit,
    pub(super) labels: &'static [MetricLabel],
    pub(super) help: &'static str,
    /// The upper bounds of a histogram's buckets; empty for other kinds.
    pub(super) buckets: &'static [f64],
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum MetricKind {
    Counter,
    Gauge,
    Histogram,
}

const SECONDS: &[f64] = &[
    0.000_5, 0.001, 0.002_5, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0,
];
const LONG_SECONDS: &[f64] = &[0.01, 0.05, 0.1, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0];

const fn counter(name: &'static str, labels: &'static [MetricLabel], help: &'static str) -> Metric {
    Metric {
        name,
        kind: MetricKind::Counter,
        unit: Unit::Count,
        labels,
        help,
        buckets: &[],
    }
}

const fn gauge(name: &'static str, labels: &'static [MetricLabel], help: &'static str) -> Metric {
    Metric {
        kind: MetricKind::Gauge,
        ..counter(name, labels, help)
    }
}

const fn histogram(
    name: &'static str,
    unit: Unit,
    labels: &'static [MetricLabel],
    help: &'static str,
    buckets: &'static [f64],
) -> Metric {
    Metric {
        name,
        kind: MetricKind::Histogram,
        unit,
        labels,
        help,
        buckets,
    }
}

pub(super) static REQUESTS: Metric = counter(
    "rate_limit_requests_total",
    &[
        MetricLabel::Policy,
        MetricLabel::Result,
        MetricLabel::Source,
    ],
    "Decisions, one for each limit that had a part in it.",
);
pub(super) static UTILIZATION: Metric = histogram(
    "rate_limit_utilization_ratio",
    Unit::Count,
    &[MetricLabel::Policy],
    "Used share of the quota after a decision, from 0 to 1.",
    &[0.5, 0.8, 0.9, 1.0],
);
pub(super) static WAITING: Metric = gauge(
    "rate_limit_waiting",
    &[MetricLabel::Policy],
    "Callers in the wait queues of this process.",
);
pub(super) static WAIT_SECONDS: Metric = histogram(
    "rate_limit_wait_seconds",
    Unit::Seconds,
    &[MetricLabel::Policy],
    "Time in a wait queue, however the wait ended.",
    LONG_SECONDS,
);
pub(super) static RUNNING: Metric = gauge(
    "rate_limit_running",
    &[MetricLabel::Policy],
    "Permits of a concurrency limit that this process holds.",
);
pub(super) static RUN_SECONDS: Metric = histogram(
    "rate_limit_run_seconds",
    Unit::Seconds,
    &[MetricLabel::Policy],
    "Time for which a permit was held.",
    LONG_SECONDS,
);
pub(super) static REFUNDS: Metric = counter(
    "rate_limit_refunds_total",
    &[MetricLabel::Policy],
    "Charges that were refunded.",
);
pub(super) static SETTLED: Metric = counter(
    "rate_limit_settled_cost_total",
    &[MetricLabel::Policy, MetricLabel::Direction],
    "Cost by which settlements differed from their estimates.",
);
pub(super) static LEASED: Metric = counter(
    "rate_limit_leased_cost_total",
    &[MetricLabel::Policy],
    "Cost that was leased, to be served without asking the store.",
);
pub(super) static LEASE_UNUSED: Metric = counter(
    "rate_limit_lease_unused_cost_total",
    &[MetricLabel::Policy, MetricLabel::Fate],
    "Leased cost that was not used: returned to the store, or lost when that failed.",
);
pub(super) static STORE_SECONDS: Metric = histogram(
    "rate_limit_store_seconds",
    Unit::Seconds,
    &[MetricLabel::Outcome],
    "Time of a call of Redis that carries checks.",
    SECONDS,
);
pub(super) static BATCH_SIZE: Metric = histogram(
    "rate_limit_store_batch_size",
    Unit::Count,
    &[],
    "Checks that one call of Redis carries.",
    &[1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0],
);
pub(super) static STORE_FAILURES: Metric = counter(
    "rate_limit_store_failures_total",
    &[],
    "Checks that the store was asked for and could not decide.",
);
pub(super) static CIRCUIT: Metric = gauge(
    "rate_limit_circuit",
    &[MetricLabel::State],
    "State of the circuit breaker: 1 for the present state, 0 for the others.",
);
pub(super) static CIRCUIT_TRANSITIONS: Metric = counter(
    "rate_limit_circuit_transitions_total",
    &[MetricLabel::State],
    "Changes of the circuit breaker, by the new state.",
);
pub(super) static KEYS: Metric = gauge(
    "rate_limit_keys",
    &[],
    "Keys in the in-memory store of this process, expired ones included until they are swept.",
);
pub(super) static EVICTIONS: Metric = counter(
    "rate_limit_evictions_total",
    &[],
    "Counters, and blocks that were over, that a full in-memory store has dropped.",
);
pub(super) static RELOADS: Metric = counter(
    "rate_limit_reloads_total",
    &[MetricLabel::Reload],
    "Reloads of the configuration.",
);
pub(super) static CONFIG_HASH: Metric = gauge(
    "rate_limit_config_hash",
    &[],
    "Hash of the configuration in force: 48 bits, equal in processes that have the same text.",
);
pub(super) static CONFIG_TIME: Metric = gauge(
    "rate_limit_config_last_success_timestamp_seconds",
    &[],
    "When the configuration in force was read, since the Unix epoch.",
);
pub(super) static CONFIG_GOOD: Metric = gauge(
    "rate_limit_config_last_reload_successful",
    &[],
    "Whether the last configuration that was read is in force: 1, or 0 if it was refused.",
);
pub(super) static CHANGES: Metric = counter(
    "rate_limit_changes_total",
    &[MetricLabel::Change],
    "Counters that were changed by hand.",
);

/// All metrics, in the order of the page.
pub(super) static ALL: [&Metric; 22] = [
    &REQUESTS,
    &UTILIZATION,
    &WAITING,
    &WAIT_SECONDS,
    &RUNNING,
    &RUN_SECONDS,
    &REFUNDS,
    &SETTLED,
    &LEASED,
    &LEASE_UNUSED,
    &STORE_SECONDS,
    &BATCH_SIZE,
    &STORE_FAILURES,
    &CIRCUIT,
    &CIRCUIT_TRANSITIONS,
    &KEYS,
    &EVICTIONS,
    &RELOADS,
    &CONFIG_HASH,
    &CONFIG_TIME,
    &CONFIG_GOOD,
    &CHANGES,
];
