//! How a limit stood when it denied, and how it stands since.

use smallvec::SmallVec;

use crate::{
    algorithm::Wait,
    clock::{MAX_MICROS, Micros},
    decision::Verdict,
    key::KeyKind,
    store::interface::Charge,
};

/// What is known of one identity in one zone.
pub(super) type CachedZone = SmallVec<[CachedDenial; 1]>;

/// How one limit stood when a check was denied, by it or by another.
#[derive(Clone, Copy, Debug)]
pub(super) struct CachedDenial {
    pub(super) limit: LimitFingerprint,
    pub(super) verdict: Verdict,
    pub(super) since: Micros,
    pub(super) until: Micros,
    /// From when on one request is to ask again; `FOREVER` once one does, or if that is never.
    pub(super) revalidate_at: Micros,
}

/// Who looks for a denial.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Access {
    /// One that would ask, and does if it is to.
    Revalidate,
    /// One that goes on to ask, if nothing is found.
    Peek,
}

/// What must be the same for an answer to be the same. Who asks for a place makes no difference: it
/// is new to the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct LimitFingerprint {
    slot: KeyKind,
    times: u32,
    quota: u32,
    block: Micros,
    cost: u32,
}

impl LimitFingerprint {
    pub(super) fn of(charge: &Charge<'_>) -> Self {
        Self {
            slot: charge.key.kind,
            times: charge.limit.times(),
            quota: charge.limit.quota(),
            block: charge.limit.block_micros(),
            cost: charge.cost,
        }
    }
}

impl CachedDenial {
    /// The same as [`at`](Self::at), unless it is time to ask again.
    pub(super) fn answer(&mut self, looker: Access, now: Micros) -> Option<Verdict> {
        if now >= self.revalidate_at {
            if looker == Access::Revalidate {
                self.revalidate_at = MAX_MICROS;
            }
            return None;
        }
        self.at(now)
    }

    /// How the limit stands now, if this still says.
    pub(super) fn at(&self, now: Micros) -> Option<Verdict> {
        let age = now.checked_sub(self.since).filter(|_| now < self.until)?;
        let left = |time: Micros| match time {
            // What was cut stays so.
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
