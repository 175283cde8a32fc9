//! The state of a bucket, and what charges make of it.

use actix_throttle::{Algorithm, Refill};

use super::{Model, Numbers, Rational, first, ratio, whole};

/// The tokens in a bucket as of a time.
#[derive(Clone, Debug)]
pub(super) struct Bucket {
    pub(super) level: Rational,
    pub(super) at: u64,
}

impl Model {
    /// Admits the charge of a waiter whose turn has come. A bucket counts it from the moment at
    /// which the bucket was full, at most 5 ms back, and from now if it has been full for more than
    /// 100 ms.
    pub fn admit_in_turn(&mut self, now: u64, cost: u64) {
        let buckets = [Algorithm::TokenBucket, Algorithm::LeakyBucket];
        if !buckets.contains(&self.numbers.algorithm) {
            return self.admit(now, cost);
        }
        let start = self.bucket.at;
        let whole_at = start + first(|x| start + x >= now || self.is_whole(start + x));
        let from = match now - whole_at {
            late if late <= 100_000 => now - late.min(5_000),
            _ => now,
        };
        self.admit(from, cost);
    }

    /// The tokens in the bucket at `now`.
    pub(super) fn level(&self, now: u64) -> Rational {
        let Numbers { times, window, .. } = self.numbers;
        let elapsed = now - self.bucket.at;
        let gained = match self.numbers.refill {
            Refill::Interval => whole(times) * whole(elapsed / window),
            _ => ratio(times, window) * whole(elapsed),
        };
        (self.bucket.level + gained).min(whole(self.numbers.capacity))
    }

    /// The bucket after a charge under interval refill: refills come one window after the first use
    /// of the full bucket, and every window after that.
    pub(super) fn interval_after(&self, now: u64, cost: u64) -> Bucket {
        let level = self.level(now);
        let at = if level == whole(self.numbers.capacity) {
            now
        } else {
            now - (now - self.bucket.at) % self.numbers.window
        };
        Bucket {
            level: level - whole(cost),
            at,
        }
    }

    /// The bucket after a charge: `level` is the time at which the next request may go. It counts
    /// from this charge's own due time if that was less than a microsecond ago; otherwise the
    /// clock's resolution would cost a part of the rate.
    pub(super) fn leaky_after(&self, now: u64, cost: u64) -> Bucket {
        let due = self.bucket.level;
        let from = if whole(now) - due < whole(1) {
            due
        } else {
            whole(now)
        };
        let slot = ratio(self.numbers.window, self.numbers.times);
        Bucket {
            level: from + slot * whole(cost),
            at: now,
        }
    }
}
