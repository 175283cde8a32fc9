use std::fmt;

/// How a [`Limit`](crate::Limit) counts.
///
/// The attribute takes these by their snake-case names: `algorithm = "token_bucket"`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Algorithm {
    /// An exact log of admissions: no half-open interval of one window's length ever holds more
    /// than `times`. Costs about 10 bytes an admitted request, for one window.
    #[default]
    SlidingWindow,
    /// Two counters in windows aligned to the epoch, the previous one weighted by how much of it
    /// still overlaps. Constant memory, and exact only if requests come evenly; for large `times`.
    ///
    /// Source: Cloudflare, "How we built rate limiting capable of scaling to millions of domains".
    SlidingWindowCounter,
    /// The first admitted request opens a window; `times` fit in it; the next request after its
    /// end opens another.
    FixedWindow,
    /// A bucket that starts full, gains `times` tokens a window up to its capacity, and pays each
    /// request's cost. Allows bursts of the capacity.
    TokenBucket,
    /// One request each `window / times`, evenly spaced, no burst: the leaky bucket as a meter,
    /// with a depth of one request.
    LeakyBucket,
}

impl Algorithm {
    /// The name that the attribute uses.
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

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// How a token bucket gains its tokens.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Refill {
    /// Continuously, without rounding drift.
    #[default]
    Greedy,
    /// `times` tokens at once, one window after the first use and each window after that.
    Interval,
}
