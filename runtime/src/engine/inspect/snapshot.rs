//! [`Snapshot`]: what a limiter has done and how it stands, as data. The status page shows it, and
//! applications may serialise it.

use std::time::Duration;

use actix_throttle_core::{enforcement::Enforcement, limit::AnyLimit};
use serde::{Serialize, Serializer};

use crate::engine::circuit_state::CircuitState;

/// What a limiter has done, and how it stands, in this process.
/// [`RateLimiter::snapshot`](crate::RateLimiter::snapshot) takes it.
///
/// Times are seconds since the Unix epoch, by the limiter's clock. It serialises to JSON or any
/// other format of serde. The size is bounded: there are at most 256 policies, and of each ten
/// identities.
///
/// It has identities as keys have them: addresses and users in the clear, and the values of headers
/// and cookies as hashes. [`masked`](Self::masked) hides them all.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct Snapshot {
    /// When it was taken.
    pub taken_at: u64,
    /// When the limiter was built. All totals count from then on.
    pub since: u64,
    /// Whether limits are enforced, written as `on`, `shadow` or `off`.
    #[serde(serialize_with = "enforcement")]
    pub enforcement: Enforcement,
    /// The store, and the circuit breaker around it.
    pub store: StoreSnapshot,
    /// The policies that have decided something, by name.
    pub policies: Vec<PolicySnapshot>,
    /// Number of decisions of further policies, for which there was no room.
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
    /// `memory`, `redis`, or `none` for a limiter that is off for good.
    pub kind: &'static str,
    /// Number of keys in the in-memory store of this process, with expired ones that are not swept
    /// yet: the store of a limiter without Redis, else the local fallback.
    pub keys: usize,
    /// Number of counters that it has dropped to make room.
    pub evictions: u64,
    /// State of the circuit breaker, written as `closed`, `open` or `half_open`.
    #[serde(serialize_with = "circuit")]
    pub circuit: CircuitState,
    /// The latest changes of the circuit, the latest first.
    pub circuit_changes: Vec<CircuitChange>,
    /// Number of checks that the store could not decide.
    pub failures: u64,
    /// The latest of them.
    pub latest_failure: Option<StoreFailure>,
}

/// A change of the circuit breaker.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CircuitChange {
    /// When it changed.
    pub at: u64,
    /// The new state.
    #[serde(serialize_with = "circuit")]
    pub state: CircuitState,
}

/// Why the store could not decide.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct StoreFailure {
    /// When that was.
    pub at: u64,
    /// The reason.
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
    /// Requests that were admitted with room.
    pub admitted: CountSnapshot,
    /// Requests that were denied: no room, a block, or no room within `max_wait`.
    pub denied: CountSnapshot,
    /// Requests that a shadow limit would have denied.
    pub shadow_denied: CountSnapshot,
    /// Requests that the store could not decide.
    pub undecided: CountSnapshot,
    /// Callers that wait for room in this process.
    pub waiting: u64,
    /// Permits that this process holds.
    pub permits: u64,
    /// How much was leased, since the limiter was built.
    pub leased: u64,
    /// How much of it went back unused.
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
    /// Its zone.
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

/// How often something happened.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct CountSnapshot {
    /// Since the limiter was built.
    pub total: u64,
    /// A second, over the last ten seconds.
    pub per_second: f64,
    /// In the last 60 minutes.
    pub hour: u64,
    /// In each of these minutes, the oldest first. The last one is not over yet.
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
    /// How often it was denied.
    pub denied: u64,
    /// How much of that may belong to other identities.
    pub excess: u64,
    /// When it was denied last.
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
    /// When it was loaded.
    pub since: u64,
    /// The latest reloads, the latest first.
    pub reloads: Vec<ReloadSnapshot>,
}

/// An attempt to load a configuration.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ReloadSnapshot {
    /// When it ended.
    pub at: u64,
    /// `loaded`, `changed`, `unchanged` or `refused`.
    pub result: &'static str,
    /// Why the file was refused.
    pub error: Option<String>,
    /// What has changed, a line each.
    pub changes: Vec<String>,
    /// Number of further changes.
    pub changes_left_out: usize,
    #[serde(skip)]
    pub(crate) is_refused: bool,
}

/// A change of a counter by hand.
#[derive(Clone, Debug, Serialize)]
#[non_exhaustive]
pub struct ChangeSnapshot {
    /// When it was made.
    pub at: u64,
    /// The policy.
    pub policy: &'static str,
    /// The identity as keys have it, or masked.
    pub identity: String,
    /// `reset`, `block` or `unblock`.
    pub change: &'static str,
    /// The length of a block.
    pub seconds: Option<f64>,
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
