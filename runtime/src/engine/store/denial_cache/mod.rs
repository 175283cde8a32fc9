//! A layer that caches denials, so that a flood of denied requests does not reach the store. The
//! leases call it; it sits outside the circuit breaker, and never admits a request itself.
//!
//! The store says for how long a denial is stable: until one of the check's limits has more left,
//! which happens at the latest when the denying limit does. Until then times count down, and only a
//! reset, a refund, the end of a block or a charge of a smaller cost or of another limit changes
//! anything else. The cache notices such changes at once if this process makes them, and otherwise
//! within the age up to which it keeps a denial.
//!
//! That age also bounds the error when responses cross: of two workers' responses, the one that
//! arrives later may be the older, and its wait may be one that a smaller cost has just lengthened.
//! Telling them apart would mean recording each admission, for a wait that is corrected when the
//! store is asked next.
//!
//! A denial that outlives its age is revalidated: shortly before, one request asks the store, while
//! all other requests are still denied from the cache (stale-while-revalidate, [RFC 5861]).
//! Otherwise all of them would ask when the entry expires: a thundering herd.
//!
//! A denial for want of a permit has no known duration; the store says 0, and it is not cached. A
//! denial by a rate limit is cached even if the check has a concurrency limit too, whose figures
//! are then as old as the entry.
//!
//! [RFC 5861]: https://www.rfc-editor.org/rfc/rfc5861

mod entry;
mod layer;
mod table;
#[cfg(all(test, feature = "test-util"))]
mod tests;

pub(crate) use self::layer::DenialCache;
