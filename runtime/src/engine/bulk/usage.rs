//! [`IdentityUsage`]: what is counted for one identity, as a store says without its limits.

use std::time::Duration;

#[cfg(feature = "status-page")]
use actix_throttle_core::limit::AnyLimit;
use actix_throttle_core::{
    calendar::Period,
    key::KeyKind,
    limit::{Algorithm, Limit},
    stored::{EntryState, StoredEntry},
    zone::written,
};

use super::offences::Offences;
use crate::engine::store::interface::Scanned;

/// The usage of one identity, under all limits that count it.
/// [`RateLimiter::peek_identity`](crate::RateLimiter::peek_identity) returns it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct IdentityUsage {
    identity: String,
    limits: Vec<LimitUsage>,
    scanned: Scanned,
}

/// The usage of one counter, permit table or block of an identity.
///
/// A store knows what was used, and not the limit's numbers: [`is_of`](Self::is_of) tells whether a
/// limit of yours is the one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LimitUsage(StoredEntry);

/// The state of one entry.
#[non_exhaustive]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UsageState {
    /// A counter.
    Used {
        /// The cost that counts at this moment.
        used: u32,
        /// Whether `used` may be too high: a bucket drains at a rate that is not stored.
        is_estimate: bool,
        /// The time until nothing counts any more; `None` if it is not known.
        reset_after: Option<Duration>,
    },
    /// The permits of a concurrency limit.
    Held {
        /// The number of permits that are held.
        permits: u32,
        /// The time until the last of them expires unless it is renewed.
        longest: Duration,
    },
    /// A block in the zone. [`offences`](LimitUsage::offences) tells which one in a row it is.
    Blocked {
        /// The time that is left of it.
        left: Duration,
    },
    /// No block any more: one that is over, and whose [offences](LimitUsage::offences) are still
    /// remembered.
    BlockEnded,
    /// The value is none of this library's, or of a version that this one does not know.
    Unreadable,
}

impl IdentityUsage {
    pub(super) fn new(identity: String, entries: Vec<StoredEntry>, scanned: Scanned) -> Self {
        let mut limits: Vec<LimitUsage> = entries.into_iter().map(LimitUsage).collect();
        let order = |limit: &LimitUsage| {
            let mut kind = String::new();
            limit.0.kind.write(&mut kind);
            (limit.0.zone.clone(), kind)
        };
        limits.sort_by_key(order);
        Self {
            identity,
            limits,
            scanned,
        }
    }

    /// Returns the identity as keys have it by default: `user=42`, `ip=192.0.2.1`. Values that may
    /// be secrets are hashed.
    #[must_use]
    pub fn identity(&self) -> &str {
        &self.identity
    }

    /// Returns the usage of each counter, permit table and block, in the order of their zones. The
    /// list is empty if nothing is counted.
    #[must_use]
    pub fn limits(&self) -> &[LimitUsage] {
        &self.limits
    }

    /// Returns the approximate number of keys that were looked at.
    #[must_use]
    pub fn looked_at(&self) -> u64 {
        self.scanned.looked_at
    }

    /// Returns whether all keys were looked at. If not, there may be more limits than these: the
    /// look came to its bound, or a slot of the cluster has moved.
    #[must_use]
    pub fn is_complete(&self) -> bool {
        self.scanned.is_complete
    }
}

impl LimitUsage {
    /// Returns the zone as keys have it: nine letters stand for the path of a handler that is
    /// longer than 16 bytes.
    #[must_use]
    pub fn zone(&self) -> &str {
        &self.0.zone
    }

    /// Returns whether this is a counter of the limit, or a block that the limit starts.
    #[must_use]
    pub fn is_of(&self, limit: &Limit) -> bool {
        let kind = KeyKind::of_limit(limit);
        let is_kind = match self.0.kind {
            KeyKind::Block { shadow } => shadow == limit.is_shadow(),
            own => own == kind,
        };
        is_kind && self.0.zone == written(limit.zone_name())
    }

    /// Returns whether this is a counter or the permits of the limit, or a block that it starts.
    #[cfg(feature = "status-page")]
    pub(crate) fn is_of_any(&self, limit: &AnyLimit) -> bool {
        match limit {
            AnyLimit::Rate(limit) => self.is_of(limit),
            AnyLimit::Concurrency(limit) => {
                let shadow = limit.has_shadow_counter();
                self.0.kind == KeyKind::PermitTable { shadow }
                    && self.0.zone == written(limit.zone_name())
            }
        }
    }

    /// Returns the kind of entry in words: `sliding_window 1m`, `block`.
    #[cfg(feature = "status-page")]
    pub(crate) fn in_words(&self) -> String {
        self.0.kind.in_words()
    }

    /// Returns whether it belongs to shadow limits.
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        self.0.kind.is_shadow()
    }

    /// Returns the algorithm; `None` for permits, for blocks, and for limits by the calendar.
    #[must_use]
    pub fn algorithm(&self) -> Option<Algorithm> {
        match self.0.kind {
            KeyKind::Counter { algorithm, .. } => Some(algorithm),
            _ => None,
        }
    }

    /// Returns the window of a counter; `None` if there is no [`algorithm`](Self::algorithm).
    #[must_use]
    pub fn window(&self) -> Option<Duration> {
        match self.0.kind {
            KeyKind::Counter { window, .. } => Some(Duration::from_micros(window)),
            _ => None,
        }
    }

    /// Returns the period of a limit by the calendar.
    #[must_use]
    pub fn period(&self) -> Option<Period> {
        match self.0.kind {
            KeyKind::Calendar { period, .. } => Some(period),
            _ => None,
        }
    }

    /// Returns the state of the entry.
    #[must_use]
    pub fn state(&self) -> UsageState {
        match self.0.state {
            EntryState::Used(usage) => UsageState::Used {
                used: usage.used,
                is_estimate: usage.is_estimate,
                reset_after: usage.reset.map(Duration::from_micros),
            },
            EntryState::Held { permits, longest } => UsageState::Held {
                permits,
                longest: Duration::from_micros(longest),
            },
            EntryState::Blocked { left, .. } => UsageState::Blocked {
                left: Duration::from_micros(left),
            },
            EntryState::BlockEnded(_) => UsageState::BlockEnded,
            EntryState::Unreadable => UsageState::Unreadable,
        }
    }

    /// Returns the offences that a block remembers, while it lasts and after it; `None` if no limit
    /// counts them, and for counters and permits.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use actix_throttle::{Limit, RateLimiter};
    ///
    /// const LOGIN: Limit = Limit::per_hour(1)
    ///     .block_steps(&[Duration::from_secs(60), Duration::from_secs(600)]);
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// limiter.check(&LOGIN, "ann").await?;
    /// limiter.check(&LOGIN, "ann").await?;
    ///
    /// let usage = limiter.peek_identity("ann").await?;
    /// let offences = usage.limits().iter().find_map(|limit| limit.offences());
    /// let offences = offences.expect("the second one was an offence");
    /// assert_eq!((offences.count, offences.steps), (1, 2));
    /// assert_eq!(offences.next_block, Duration::from_secs(600));
    /// # Ok(()) }
    /// ```
    #[must_use]
    pub fn offences(&self) -> Option<Offences> {
        let offences = match self.0.state {
            EntryState::Blocked { offences, .. } => offences?,
            EntryState::BlockEnded(offences) => offences,
            EntryState::Used(_) | EntryState::Held { .. } | EntryState::Unreadable => return None,
        };
        Some(Offences::of(&offences))
    }
}
