//! [`Snapshot`]: what a limiter has done and how it stands, as data. The status page shows it, and
//! applications may serialise it.

use std::time::Duration;

use actix_throttle_core::{enforcement::Enforcement, limit::AnyLimit};
use serde::{Serialize, Serializer};

use crate::engine::circuit_state::CircuitState;

/// A snapshot of what a limiter has done, and how it stands, in this process.
/// [`RateLimiter::snapshot`](crate::RateLimiter::snapshot) takes it.
///
/// Times are seconds since the Unix epoch, by the limiter's clock. It serialises to JSON or any
/// other format of serde. The size is bounded: there are at most 256 policies, and of each ten
/// identities.
///
/// It contains identities as keys have them: addresses and users in the clear, and the values of
/// headers and cookies as hashes. [`masked`](Self::masked) hides them all.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// The time at which it was taken.
    pub taken_at: u64,
    /// The time at which the limiter was built. All totals count from then on.
    pub since: u64,
    /// Whether limits are enforced, written as `on`, `shadow` or `off`.
    #[serde(serialize_with = "enforcement")]
    pub enforcement: Enforcement,
    /// The store, and the circuit breaker around it.
    pub store: StoreSnapshot,
    /// The policies that have decided something, by name.
    pub policies: Vec<PolicySnapshot>,
    /// The number of decisions of further policies, for which there was no room.
    pub decisions_left_out: u64,
    /// The configuration file in force, if the limiter has one.
    pub configuration: Option<ConfigurationSnapshot>,
    /// The latest resets and blocks by hand in this process, the latest first.
    pub changes: Vec<ChangeSnapshot>,
}

/// The store of a limiter.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StoreSnapshot {
    /// The kind of store: `memory`, `redis`, or `none` for a limiter that is off for good.
    pub kind: &'static str,
    /// The number of keys in the in-memory store of this process, with expired ones that are not
    /// swept yet: the store of a limiter without Redis, else the local fallback.
    pub keys: usize,
    /// The number of counters, and of blocks that were over, that it has dropped to make room.
    pub evictions: u64,
    /// The state of the circuit breaker, written as `closed`, `open` or `half_open`.
    #[serde(serialize_with = "circuit")]
    pub circuit: CircuitState,
    /// The latest changes of the circuit, the latest first.
    pub circuit_changes: Vec<CircuitChange>,
    /// The number of checks that the store could not decide.
    pub failures: u64,
    /// The latest check that it could not decide.
    pub latest_failure: Option<StoreFailure>,
}

/// A change of the circuit breaker.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CircuitChange {
    /// The time of the change.
    pub at: u64,
    /// The new state.
    #[serde(serialize_with = "circuit")]
    pub state: CircuitState,
}

/// A check that the store could not decide.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StoreFailure {
    /// The time of the check.
    pub at: u64,
    /// The reason why it could not decide.
    pub reason: String,
}

/// A policy: all limits of one name.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct PolicySnapshot {
    /// The name of its limits, else their zone.
    pub name: &'static str,
    /// The limits that have decided under this name, the latest last.
    pub limits: Vec<LimitSnapshot>,
    /// The requests that were admitted with room.
    pub admitted: CountSnapshot,
    /// The requests that were denied: no room, a block, or no room within `max_wait`.
    pub denied: CountSnapshot,
    /// The requests that a shadow limit would have denied.
    pub shadow_denied: CountSnapshot,
    /// The requests that the store could not decide.
    pub undecided: CountSnapshot,
    /// The number of callers that wait for room in this process.
    pub waiting: u64,
    /// The number of permits that this process holds.
    pub permits: u64,
    /// The cost that was leased, since the limiter was built.
    pub leased: u64,
    /// The part of it that was returned unused.
    pub lease_returned: u64,
    /// The identities that were denied most in the last half-hour to hour, the most first. Denials
    /// by shadow limits count too.
    pub denied_most: Vec<DeniedIdentity>,
}

/// One limit, in words and numbers.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct LimitSnapshot {
    /// The limit in words: `5 per 1m, sliding_window`.
    pub text: String,
    /// The zone of the limit.
    pub zone: &'static str,
    /// The most that fits at once.
    pub quota: u32,
    /// The window in seconds; `None` for periods of the calendar and for concurrency limits.
    pub window_seconds: Option<f64>,
    /// Whether it only counts and reports, by itself and not by [`Snapshot::enforcement`].
    pub shadow: bool,
    #[serde(skip)]
    pub(crate) limit: AnyLimit,
}

/// A count: how often something happened.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CountSnapshot {
    /// The count since the limiter was built.
    pub total: u64,
    /// The rate a second, over the last ten seconds.
    pub per_second: f64,
    /// The count in the last 60 minutes.
    pub hour: u64,
    /// The counts in each of these minutes, the oldest first. The last one is not over yet.
    pub minutes: Vec<u64>,
}

/// An identity that is denied often.
///
/// The counts come from a sketch of bounded size (Space-Saving): with more than 32 identities, a
/// count may be too high, by at most `excess`.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct DeniedIdentity {
    /// The identity as keys have it, or masked.
    pub identity: String,
    /// The number of its denials.
    pub denied: u64,
    /// The part of that number that may belong to other identities.
    pub excess: u64,
    /// The time of its latest denial.
    pub latest: u64,
    /// Whether the limiter knows all of it, so that it can be looked at, reset and blocked.
    #[serde(skip)]
    pub(crate) is_known: bool,
}

/// The configuration file in force.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ConfigurationSnapshot {
    /// The name of the file.
    pub source: String,
    /// A hash of its text in hexadecimal digits, equal in all processes that have the same text.
    pub hash: String,
    /// The time at which it was loaded.
    pub since: u64,
    /// The latest reloads, the latest first.
    pub reloads: Vec<ReloadSnapshot>,
}

/// An attempt to load a configuration.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ReloadSnapshot {
    /// The time at which it ended.
    pub at: u64,
    /// The result: `loaded`, `changed`, `unchanged` or `refused`.
    pub result: &'static str,
    /// The reason why the file was refused.
    pub error: Option<String>,
    /// The differences, a line each.
    pub changes: Vec<String>,
    /// The number of further changes.
    pub changes_left_out: usize,
    #[serde(skip)]
    pub(crate) is_refused: bool,
}

/// A change of a counter by hand.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ChangeSnapshot {
    /// The time at which it was made.
    pub at: u64,
    /// The policy.
    pub policy: &'static str,
    /// The identity as keys have it, or masked. It is empty for a reset for every identity.
    pub identity: String,
    /// The kind of change: `reset`, `block` or `unblock`.
    pub change: &'static str,
    /// The length of a block, in seconds.
    pub seconds: Option<f64>,
    /// The number of counters and blocks that a reset for every identity has deleted.
    pub deleted: Option<u64>,
}

impl LimitSnapshot {
    pub(crate) fn of(limit: AnyLimit) -> Self {
        let window = match &limit {
            AnyLimit::Rate(limit) if limit.period().is_none() => Some(limit.window()),
            AnyLimit::Rate(_) | AnyLimit::Concurrency(_) => None,
        };
        Self {
            text: limit.in_words(),
            zone: limit.zone_name(),
            quota: limit.quota(),
            window_seconds: window.as_ref().map(Duration::as_secs_f64),
            shadow: limit.is_shadow(),
            limit,
        }
    }
}

fn enforcement<S: Serializer>(value: &Enforcement, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(value.as_str())
}

fn circuit<S: Serializer>(state: &CircuitState, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_str(match state {
        CircuitState::Closed => "closed",
        CircuitState::Open => "open",
        CircuitState::HalfOpen => "half_open",
    })
}
