//! [`DecisionSource`]: where a decision was made.

/// The source of a decision: what has made it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DecisionSource {
    /// The store: Redis, or the in-memory store of a limiter without Redis.
    #[default]
    Store,
    /// A denial of the store that this process has cached. The store was not asked.
    DenialCache,
    /// Quota that this process has leased. The store was not asked.
    Lease,
    /// This process alone: the local fallback, the failure mode, or the wait queue.
    Local,
}

impl DecisionSource {
    /// All sources.
    pub const ALL: [Self; 4] = [Self::Store, Self::DenialCache, Self::Lease, Self::Local];

    /// Returns the word in metrics and logs: `store`, `denial_cache`, `lease` or `local`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Store => "store",
            Self::DenialCache => "denial_cache",
            Self::Lease => "lease",
            Self::Local => "local",
        }
    }
}
