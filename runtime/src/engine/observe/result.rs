//! [`DecisionResult`]: what a decision was for one limit.

/// The result of a decision for one of its limits. The words are those of metrics and traces.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
#[non_exhaustive]
pub enum DecisionResult {
    /// The limit had room, and the request was admitted.
    Allowed,
    /// The limit had no room, and the request was denied.
    Denied,
    /// The identity is blocked in the limit's zone, and the request was denied.
    Blocked,
    /// The limit is a shadow and had no room. The request was admitted.
    ShadowDenied,
    /// There was no room within `max_wait`, and the request was denied.
    TimedOut,
    /// The caller left while it waited for room. Nothing was charged.
    Canceled,
    /// The identifier found nothing, and `on_unidentified` responded. Nothing was charged.
    Unidentified,
    /// The store could not decide, and the request was admitted without the limit.
    UndecidedOpen,
    /// The store could not decide, and the request failed: 503.
    UndecidedClosed,
}

impl DecisionResult {
    /// All results.
    pub const ALL: [Self; 9] = [
        Self::Allowed,
        Self::Denied,
        Self::Blocked,
        Self::ShadowDenied,
        Self::TimedOut,
        Self::Canceled,
        Self::Unidentified,
        Self::UndecidedOpen,
        Self::UndecidedClosed,
    ];

    /// Returns the word in metrics and traces, such as `shadow_denied`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Allowed => "allowed",
            Self::Denied => "denied",
            Self::Blocked => "blocked",
            Self::ShadowDenied => "shadow_denied",
            Self::TimedOut => "timed_out",
            Self::Canceled => "canceled",
            Self::Unidentified => "unidentified",
            Self::UndecidedOpen => "undecided_open",
            Self::UndecidedClosed => "undecided_closed",
        }
    }

    /// Returns whether the request goes on, as far as this limit is concerned.
    #[must_use]
    pub fn is_admitted(self) -> bool {
        matches!(
            self,
            Self::Allowed | Self::ShadowDenied | Self::UndecidedOpen
        )
    }
}
