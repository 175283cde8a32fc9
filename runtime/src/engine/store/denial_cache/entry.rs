//! Entries of the denial cache: how a limit stood when a check was denied, and how it stands since.
//! The cache calls this under a shard's lock.

use actix_throttle_core::{
    algorithm::Wait,
    calendar::{Period, TimeZone},
    check::{Charge, Check, Mode, Outcome, Receipts},
    decision::{DecisionSource, Verdict},
    key::KeyKind,
    limit::Limit,
    time::{MAX_MICROS, Micros},
};
use smallvec::SmallVec;

/// The cached denials of one identity in one zone.
pub(super) type CachedZone = SmallVec<[CachedDenial; 1]>;

/// The standing of one limit when a check was denied, by this limit or by another one of the check.
#[derive(Clone, Copy, Debug)]
pub(super) struct CachedDenial {
    pub(super) limit: LimitFingerprint,
    pub(super) verdict: Verdict,
    pub(super) since: Micros,
    pub(super) until: Micros,
    /// The time from which one request asks the store again; `MAX_MICROS` once a request does so,
    /// or if none is to.
    pub(super) revalidate_at: Micros,
}

/// The purpose for which a caller reads the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ReadPurpose {
    /// The caller will query the store if an entry is due for revalidation, and so claims it.
    Revalidate,
    /// The caller only wants what is cached, and claims nothing.
    Peek,
}

/// The result of a lookup for a charge, or for a whole check.
pub(super) enum Cached<T> {
    Found(T),
    /// An entry is due for revalidation: one request is to ask the store.
    Due,
    Absent,
}

/// The numbers of a limit and a charge that must be equal for a cached verdict to apply. A permit's
/// identifier is not among them: each request has a new one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LimitFingerprint {
    kind: KeyKind,
    /// A limit that is not enforced for a while keeps its key, but denies nothing.
    is_shadow: bool,
    /// The period of a limit by the calendar ends when its zone says so.
    calendar: Option<(Period, TimeZone)>,
    times: u32,
    quota: u32,
    block: Micros,
    cost: u32,
}

impl LimitFingerprint {
    pub(super) fn of(charge: &Charge<'_>) -> Self {
        Self {
            kind: charge.key.kind,
            is_shadow: charge.limit.is_shadow(),
            calendar: charge.limit.rate().and_then(Limit::calendar),
            times: charge.limit.times(),
            quota: charge.limit.quota(),
            block: charge.limit.block_micros(),
            cost: charge.cost,
        }
    }
}

impl CachedDenial {
    /// Returns the verdict as of `now`, unless it is time to revalidate; see [`at`](Self::at).
    pub(super) fn read(&mut self, purpose: ReadPurpose, now: Micros) -> Cached<Verdict> {
        if now >= self.revalidate_at {
            if purpose == ReadPurpose::Revalidate {
                self.revalidate_at = MAX_MICROS;
            }
            return Cached::Due;
        }
        self.at(now).map_or(Cached::Absent, Cached::Found)
    }

    /// Returns the verdict as of `now`; `None` once it is too old, or if the clock has stepped
    /// back.
    pub(super) fn at(&self, now: Micros) -> Option<Verdict> {
        let age = now.checked_sub(self.since).filter(|_| now < self.until)?;
        let left = |time: Micros| match time {
            // A length that was cut to the maximum stays at it.
            MAX_MICROS => MAX_MICROS,
            time => time.saturating_sub(age),
        };
        let wait = match self.verdict.wait {
            Wait::For(wait) => Wait::For(left(wait).max(1)),
            wait => wait,
        };
        Some(Verdict {
            wait,
            reset: left(self.verdict.reset),
            more: match self.verdict.more {
                0 => 0,
                more => left(more).max(1),
            },
            ..self.verdict
        })
    }
}

/// The denial of a check by these cached verdicts.
pub(super) fn denial(check: &Check<'_>, verdicts: SmallVec<[Verdict; 1]>) -> Outcome {
    Outcome {
        allowed: false,
        verdicts,
        receipts: match check.mode {
            Mode::ChargeForReceipts => vec![None; check.charges.len()],
            _ => Receipts::new(),
        },
        mirror_receipts: Receipts::new(),
        // This outcome comes out of the cache and must not be cached again.
        stable_for: 0,
        source: DecisionSource::DenialCache,
    }
}
