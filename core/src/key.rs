//! The key of one counter: identity, zone and kind. The limiter makes keys; the stores look
//! counters up by them, and Redis stores them as text.
//!
//! The text is `prefix:{identity}:zone:limit`, for example `throttle:{user=42}:login:f60`. The
//! braces are the hash tag of Redis Cluster: all counters of one identity are in one slot. The
//! identity is escaped, so it can never forge another key. The limit's part has no colon, so a zone
//! cannot forge a key either.
mod parse;
mod selection;
mod words;

use std::fmt::Write;

use crate::{
    calendar::Period,
    identity::Identity,
    limit::{Algorithm, Concurrency, Limit, Refill},
    time::Micros,
    zone,
};

pub use self::{
    parse::{KeyText, block_marker_text, block_text, check_prefix},
    selection::KeySelection,
};

/// The capacity for a readable identity and the limit's part, in bytes.
const ROOM: usize = 64;

/// The settings by which keys are written for Redis.
#[derive(Clone, Debug, Default)]
pub struct Naming {
    pub prefix: Box<str>,
    /// Whether an identity that may be a secret is written without hashing it.
    pub plain: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Key<'a> {
    pub identity: &'a Identity,
    pub zone: &'a str,
    pub kind: KeyKind,
}

/// The kind of entry that a key names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// A counter. The fields are what changes how its state is read, so a change of `times` keeps
    /// it.
    Counter {
        algorithm: Algorithm,
        refill: Refill,
        window: Micros,
        shadow: bool,
    },
    /// A counter by the calendar. Its time zone may change, and what was used is kept.
    Calendar { period: Period, shadow: bool },
    /// The permits of a concurrency limit. Neither `max` nor `expiry` changes how they are read.
    PermitTable { shadow: bool },
    /// The end of the identity's block in the zone.
    Block { shadow: bool },
}

impl<'a> Key<'a> {
    #[inline]
    pub fn counter(identity: &'a Identity, limit: &Limit) -> Self {
        Self {
            identity,
            zone: limit.zone_name(),
            kind: KeyKind::of_limit(limit),
        }
    }

    #[inline]
    pub fn permits(identity: &'a Identity, limit: &Concurrency) -> Self {
        Self {
            identity,
            zone: limit.zone_name(),
            kind: KeyKind::PermitTable {
                shadow: limit.has_shadow_counter(),
            },
        }
    }

    /// Returns whether both keys have the same counter. Groups do not matter: they decide which
    /// limits apply to an identity, and are no part of it.
    #[inline]
    pub fn is_same(&self, other: &Self) -> bool {
        self.kind == other.kind
            && self.zone == other.zone
            && self.identity.source() == other.identity.source()
            && self.identity.value() == other.identity.value()
    }

    /// Returns the key of the block in the zone of this key.
    #[inline]
    pub fn block(&self) -> Self {
        Self {
            kind: KeyKind::Block {
                shadow: self.kind.is_shadow(),
            },
            ..*self
        }
    }

    /// Returns the key as Redis stores it.
    #[inline]
    pub fn text(&self, naming: &Naming) -> String {
        let mut text = String::with_capacity(naming.prefix.len() + self.zone.len() + ROOM);
        self.write_stem(naming, &mut text);
        self.kind.write(&mut text);
        text
    }

    /// Writes the common prefix of all keys of this identity in this zone.
    #[inline]
    pub fn write_stem(&self, naming: &Naming, text: &mut String) {
        self.write_tag(naming, text);
        self.write_zone(text);
    }

    /// Writes the part between the identity and the limit.
    #[inline]
    pub fn write_zone(&self, text: &mut String) {
        zone::write(self.zone, text);
        text.push(':');
    }

    /// Writes the common prefix of all keys of this identity.
    #[inline]
    pub fn write_tag(&self, naming: &Naming, text: &mut String) {
        text.push_str(&naming.prefix);
        text.push_str(":{");
        // Writing to a `String` cannot fail.
        let _ = self.identity.write_key(text, naming.plain);
        text.push_str("}:");
    }
}
impl Naming {
    /// Writes the key of the marker that is there while an identity may be blocked. It never equals
    /// a counter's key: those have a brace after the prefix.
    #[inline]
    pub fn write_block_marker(&self, text: &mut String) {
        text.push_str(&block_marker_text(&self.prefix));
    }
}
impl Key<'_> {
    /// Returns the idempotency key of one call of the script, in the cluster slot of this key. It
    /// never equals a counter's key: what is behind a counter's letter is shorter.
    #[inline]
    pub fn idempotency_key(&self, naming: &Naming, call: u64) -> String {
        let mut text = String::with_capacity(naming.prefix.len() + ROOM);
        self.write_tag(naming, &mut text);
        // Writing to a `String` cannot fail.
        let _ = write!(text, "once:{call:016x}");
        text
    }
}
impl KeyKind {
    /// Returns the kind of a limit's counters.
    #[inline]
    #[must_use]
    pub fn of_limit(limit: &Limit) -> Self {
        let shadow = limit.has_shadow_counter();
        match limit.period() {
            Some(period) => Self::Calendar { period, shadow },
            None => Self::Counter {
                algorithm: limit.algorithm_value(),
                refill: limit.refill_value(),
                window: limit.window_micros(),
                shadow,
            },
        }
    }

    #[inline]
    #[must_use]
    pub fn is_shadow(&self) -> bool {
        match *self {
            Self::Counter { shadow, .. }
            | Self::Calendar { shadow, .. }
            | Self::PermitTable { shadow }
            | Self::Block { shadow } => shadow,
        }
    }

    #[inline]
    pub fn write(&self, text: &mut String) {
        let (shadow, letter, window) = match *self {
            Self::Block { shadow } => (shadow, 'x', None),
            Self::PermitTable { shadow } => (shadow, 'p', None),
            Self::Calendar { period, shadow } => {
                text.push(if shadow { 'Q' } else { 'q' });
                return text.push_str(period.as_str());
            }
            Self::Counter {
                algorithm,
                refill,
                window,
                shadow,
            } => (shadow, letter(algorithm, refill), Some(window)),
        };
        text.push(if shadow {
            letter.to_ascii_uppercase()
        } else {
            letter
        });
        let Some(window) = window else { return };
        let (number, unit) = if window.is_multiple_of(1_000_000) {
            (window / 1_000_000, None)
        } else if window.is_multiple_of(1_000) {
            (window / 1_000, Some('m'))
        } else {
            (window, Some('u'))
        };
        text.push_str(itoa::Buffer::new().format(number));
        text.extend(unit);
    }
}

/// Returns the letter of a way of counting. It stands for the layout of the stored state as well: a
/// new layout takes a new letter, so that two versions of this crate count apart while both run,
/// and neither reads or overwrites what the other has written.
#[inline]
fn letter(algorithm: Algorithm, refill: Refill) -> char {
    match (algorithm, refill) {
        (Algorithm::SlidingWindow, _) => 'l',
        (Algorithm::SlidingWindowCounter, _) => 'c',
        (Algorithm::FixedWindow, _) => 'f',
        (Algorithm::TokenBucket, Refill::Greedy) => 't',
        (Algorithm::TokenBucket, Refill::Interval) => 'i',
        (Algorithm::LeakyBucket, _) => 'b',
    }
}

#[cfg(test)]
mod tests;
