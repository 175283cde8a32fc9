//! Detects counters that one request is charged to twice, and logs each such pair of limits once.
//!
//! Two `Throttle`s of an application, or one of an application and one of a scope, do not know each
//! other when they are built. If their entries have the same name, a request that passes both
//! counts twice. `decisions.rs` reports what it finds; nothing is denied or refunded for it.

use std::{fmt, hash::BuildHasher, time::Duration};

use actix_throttle_core::{
    calendar::Period,
    check::Charge,
    key::Key,
    limit::{Limit, LimitRef},
    time::Micros,
};
use foldhash::fast::FixedState;
use parking_lot::Mutex;

use crate::engine::log_throttle::TARGET;

/// The most pairs that are logged. Their names come from the application, so there are few.
const MOST: usize = 64;

static TOLD: Mutex<Vec<(LimitLabel, LimitLabel)>> = Mutex::new(Vec::new());

/// A counter that a request was charged to, with the limit that charged it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct ChargedCounter {
    /// The hash of the key without the identity's group. A collision of two counters only causes a
    /// log line.
    fingerprint: u64,
    limit: LimitLabel,
}

/// A limit as the log shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct LimitLabel {
    name: &'static str,
    times: u32,
    window: Micros,
    period: Option<Period>,
}

impl ChargedCounter {
    pub(super) fn of(charge: &Charge<'_>) -> Self {
        let Key {
            identity,
            zone,
            kind,
        } = charge.key;
        let key = (identity.source(), identity.value(), zone, kind);
        Self {
            fingerprint: FixedState::default().hash_one(key),
            limit: LimitLabel {
                name: charge.limit.name(),
                times: charge.limit.times(),
                window: match charge.limit {
                    LimitRef::Rate(limit) => limit.window_micros(),
                    LimitRef::Concurrency(..) => 0,
                },
                period: charge.limit.rate().and_then(Limit::period),
            },
        }
    }

    pub(super) fn is_same(&self, other: &Self) -> bool {
        self.fingerprint == other.fingerprint
    }

    /// Logs that both limits charged one counter for a request, once for each pair of limits.
    pub(super) fn report(&self, other: &Self) {
        let pair = (self.limit, other.limit);
        {
            let mut record = TOLD.lock();
            if record.len() == MOST || record.contains(&pair) {
                return;
            }
            record.push(pair);
        }
        let (one, other) = pair;
        log::error!(
            target: TARGET,
            "two `Throttle`s or attributes charge one counter for the same request, so it counts \
             twice: {one} and {other}. Give the entry of one `Throttle` a name of its own \
             (`Paths::name`), or its limit a `zone`"
        );
    }
}

impl fmt::Display for LimitLabel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\" of {}", self.name, self.times)?;
        if let Some(period) = self.period {
            return write!(f, " per {period}");
        }
        match self.window {
            0 => f.write_str(" at once"),
            window => write!(f, " per {:?}", Duration::from_micros(window)),
        }
    }
}
