//! The public types [`Algorithm`] and [`Refill`], with their names in attributes and
//! configurations.

use std::fmt;

use crate::text::word::Word;

/// The algorithm by which a [`Limit`](crate::limit::Limit) counts.
///
/// The attribute uses the snake-case names: `algorithm = "token_bucket"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// An exact log of admissions: no half-open interval of one window's length ever holds more
    /// than `times`. It costs about 10 bytes for each admitted request, for one window.
    #[default]
    SlidingWindow,
    /// Two counters in windows aligned to the epoch, with the previous one weighted by how much of
    /// it still overlaps. The memory is constant, which suits large `times`; the count is exact
    /// only if requests come evenly.
    ///
    /// Source: Cloudflare, "How we built rate limiting capable of scaling to millions of domains".
    SlidingWindowCounter,
    /// The first admitted request opens a window, and `times` fit in it. The next request after its
    /// end opens another.
    FixedWindow,
    /// A bucket that starts full, gains `times` tokens a window up to its capacity, and pays each
    /// request's cost. It allows bursts of the capacity.
    TokenBucket,
    /// One request each `window / times`, evenly spaced, without bursts: the leaky bucket as a
    /// meter, with a depth of one request.
    LeakyBucket,
}

impl Algorithm {
    /// Returns the name that the attribute uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::SlidingWindow => "sliding_window",
            Self::SlidingWindowCounter => "sliding_window_counter",
            Self::FixedWindow => "fixed_window",
            Self::TokenBucket => "token_bucket",
            Self::LeakyBucket => "leaky_bucket",
        }
    }
}

impl Word for Algorithm {
    const ALL: &'static [Self] = &[
        Self::SlidingWindow,
        Self::SlidingWindowCounter,
        Self::FixedWindow,
        Self::TokenBucket,
        Self::LeakyBucket,
    ];

    fn as_str(self) -> &'static str {
        Self::as_str(self)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// The way in which a token bucket gains its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refill {
    /// Tokens arrive continuously, without rounding drift.
    #[default]
    Greedy,
    /// `times` tokens arrive at once, one window after the first use and each window after that.
    Interval,
}

impl Word for Refill {
    const ALL: &'static [Self] = &[Self::Greedy, Self::Interval];

    fn as_str(self) -> &'static str {
        match self {
            Self::Greedy => "greedy",
            Self::Interval => "interval",
        }
    }
}
