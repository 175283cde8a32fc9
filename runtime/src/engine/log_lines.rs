//! The log lines that requests can repeat, each with its level. All of them are throttled; a line
//! that no flood of requests can cause is logged where it arises.

use log::Level;

use super::log_throttle::LogThrottle;

/// A check that the store could not decide.
pub(crate) static STORE_FAILURES: LogThrottle = LogThrottle::new(Level::Warn);
/// A charge that could not be refunded or settled.
pub(crate) static SETTLEMENT_FAILURES: LogThrottle = LogThrottle::new(Level::Warn);
/// A request that a shadow limit would have denied.
pub(crate) static SHADOW_DENIALS: LogThrottle = LogThrottle::new(Level::Info);
/// A request without a limiter.
pub(crate) static NOT_INSTALLED: LogThrottle = LogThrottle::new(Level::Error);
/// A request that continues without a limit, because the limit is invalid.
pub(crate) static INVALID_LIMITS: LogThrottle = LogThrottle::new(Level::Error);
/// An error that no request notices, as limits are not enforced.
pub(crate) static UNENFORCED: LogThrottle = LogThrottle::new(Level::Error);
/// A request for a limit that the configuration does not have.
pub(crate) static UNKNOWN_LIMITS: LogThrottle = LogThrottle::new(Level::Error);
/// An invalid limit from a `dynamic` function.
pub(crate) static INVALID_DYNAMIC: LogThrottle = LogThrottle::new(Level::Error);
/// A charge at an estimate that nothing can settle.
pub(crate) static UNSETTLED: LogThrottle = LogThrottle::new(Level::Error);
/// Two limits of a request that count one identity in one counter.
pub(crate) static SHARED_COUNTERS: LogThrottle = LogThrottle::new(Level::Warn);
/// A request that the application has kept a clone of.
pub(crate) static KEPT_REQUESTS: LogThrottle = LogThrottle::new(Level::Error);
/// A call by hand whose error is a bug in the code, and the response of a handler.
pub(crate) static INVALID_CALLS: LogThrottle = LogThrottle::new(Level::Error);
/// A genuine token that names no user.
#[cfg(feature = "jwt")]
pub(crate) static UNUSABLE_TOKENS: LogThrottle = LogThrottle::new(Level::Warn);
/// A session whose user or group cannot be read.
#[cfg(feature = "session")]
pub(crate) static UNREADABLE_SESSIONS: LogThrottle = LogThrottle::new(Level::Warn);
/// A pause of an upstream service that other processes were not told.
pub(crate) static UNTOLD_PAUSES: LogThrottle = LogThrottle::new(Level::Warn);
