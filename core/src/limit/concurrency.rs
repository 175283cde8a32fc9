//! The public type [`Concurrency`] and its builder.

use std::time::Duration;

use crate::time::whole_micros;

/// The time for which a permit is held without a renewal, unless the limit sets another one.
const DEFAULT_EXPIRY: Duration = Duration::from_secs(30);

/// A limit on how many run at once, across all processes that share a store.
///
/// A [`Limit`](crate::limit::Limit) counts what has started, and a `Concurrency` counts what is
/// running. Each handler or task that runs holds a permit, renews it in the background, and
/// releases it at the end. A process that dies stops renewing, so its permits are free again after
/// `expiry`.
///
/// A `Concurrency` is a small `Copy` value with a `const` builder, so it can be a constant. The
/// builder accepts every number; they are checked when the limit is used (an `Err`), or at compile
/// time by [`expect_valid`](Self::expect_valid).
///
/// Ranges: `max` from 1 to 1,000,000; `expiry` from 100 ms to 24 hours.
///
/// ```
/// use std::time::Duration;
/// use actix_throttle::Concurrency;
///
/// const EXPORTS: Concurrency = Concurrency::new(5)
///     .expiry(Duration::from_secs(10))
///     .name("exports")
///     .expect_valid();
///
/// assert_eq!(EXPORTS.max(), 5);
/// assert!(Concurrency::new(0).validate().is_err());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[must_use]
pub struct Concurrency {
    max: u32,
    /// The expiry in whole microseconds; a fraction is cut off.
    expiry: u64,
    name: Option<&'static str>,
    zone: Option<&'static str>,
    shadow: bool,
    /// Whether the limiter does not enforce it: it keeps its own permits and never denies.
    pub(super) unenforced: bool,
}

impl Concurrency {
    /// Creates a limit of `max` permits, from 1 to 1,000,000.
    pub const fn new(max: u32) -> Self {
        Self {
            max,
            expiry: whole_micros(DEFAULT_EXPIRY),
            name: None,
            zone: None,
            shadow: false,
            unenforced: false,
        }
    }

    /// Sets how long a permit is held without a renewal: when a process dies, or cannot reach the
    /// store. From 100 ms to 24 hours. Default: 30 seconds.
    ///
    /// A permit is renewed three times in this time, so the time need not cover the whole work. A
    /// process that stalls for longer may lose its permit.
    pub const fn expiry(mut self, expiry: Duration) -> Self {
        self.expiry = whole_micros(expiry);
        self
    }

    /// Sets the policy's name in headers, problem documents and logs: printable ASCII.
    pub const fn name(mut self, name: &'static str) -> Self {
        self.name = Some(name);
        self
    }

    /// Sets the name under which permits are counted: limits of one zone share their permits for
    /// each identity.
    ///
    /// Default outside handlers: the limit's [name](Self::name), else `default`.
    pub const fn zone(mut self, zone: &'static str) -> Self {
        self.zone = Some(zone);
        self
    }

    /// Makes the limit count and report, but never deny. A shadow limit has permits of its own; a
    /// request that finds none runs without a permit.
    pub const fn shadow(mut self) -> Self {
        self.shadow = true;
        self
    }

    /// Returns how many may run at once.
    #[must_use]
    pub const fn max(&self) -> u32 {
        self.max
    }

    /// Returns how long a permit is held without a renewal.
    #[must_use]
    pub const fn expiry_value(&self) -> Duration {
        Duration::from_micros(self.expiry)
    }

    /// Returns the policy's name, if it is set.
    #[must_use]
    pub const fn name_value(&self) -> Option<&'static str> {
        self.name
    }

    /// Returns whether this limit only counts and reports.
    #[must_use]
    pub const fn is_shadow(&self) -> bool {
        self.shadow || self.unenforced
    }

    /// See [`Limit::has_shadow_counter`](super::Limit::has_shadow_counter).
    #[doc(hidden)]
    #[must_use]
    pub const fn has_shadow_counter(&self) -> bool {
        self.shadow
    }

    /// See [`Limit::unenforced`](super::Limit::unenforced).
    #[doc(hidden)]
    pub const fn unenforced(mut self) -> Self {
        self.unenforced = true;
        self
    }

    #[doc(hidden)]
    pub const fn expiry_micros(&self) -> u64 {
        self.expiry
    }

    /// Fills in the name and zone, unless the limit has its own.
    #[doc(hidden)]
    pub fn with_default_name(mut self, name: &'static str, zone: &'static str) -> Self {
        self.zone = self.zone.or(Some(zone));
        self.name = self.name.or(Some(name));
        self
    }

    #[doc(hidden)]
    pub fn zone_name(&self) -> &'static str {
        self.zone.or(self.name).unwrap_or("default")
    }

    #[doc(hidden)]
    pub const fn explicit_zone(&self) -> Option<&'static str> {
        self.zone
    }

    pub(super) const fn name_and_zone(&self) -> (Option<&'static str>, Option<&'static str>) {
        (self.name, self.zone)
    }
}
