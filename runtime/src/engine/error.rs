//! The errors of the crate: of building a limiter, and of a check without a decision. Every message
//! says what to do. A denial is no error, and never appears here.

use std::{fmt, io, time::Duration};

use actix_throttle_core::{limit::LimitError, status_set::StatusSetError, time::whole_seconds};

actix_throttle_core::debug_is_message!(InitError, RateLimitError);

/// Error of building or installing a limiter. Its message says what to do.
pub struct InitError {
    kind: InitKind,
    detail: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InitKind {
    AlreadyInitialized,
    Settings,
    #[cfg(feature = "redis")]
    Credentials,
    #[cfg(feature = "redis")]
    Server,
}

impl InitError {
    pub(crate) fn new(kind: InitKind, detail: impl Into<String>) -> Self {
        Self {
            kind,
            detail: detail.into(),
        }
    }

    pub(crate) fn settings(detail: impl Into<String>) -> Self {
        Self::new(InitKind::Settings, detail)
    }

    /// Returns whether a limiter is installed already; `close` it first.
    #[must_use]
    pub fn is_already_initialized(&self) -> bool {
        self.kind == InitKind::AlreadyInitialized
    }

    /// Returns whether a setting of the builder is invalid, such as a URL with an unknown parameter
    /// or with a host name that does not exist.
    #[must_use]
    pub fn is_settings(&self) -> bool {
        self.kind == InitKind::Settings
    }

    /// Returns whether Redis rejects the user or the password, or denies the user a command that is
    /// needed.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        self.kind == InitKind::Credentials
    }

    /// Returns whether the server cannot be used: it is too old, is neither Redis nor Valkey,
    /// speaks no TLS where the URL asks for it, or speaks TLS where the URL asks for none.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn is_server(&self) -> bool {
        self.kind == InitKind::Server
    }
}

impl fmt::Display for InitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.detail)
    }
}

impl std::error::Error for InitError {}

/// Lets `?` work in a `main` that returns `std::io::Result`.
impl From<InitError> for io::Error {
    fn from(error: InitError) -> Self {
        Self::other(error)
    }
}

/// Error in place of a [`Decision`](crate::Decision). A denial is a decision, not an error.
///
/// A handler that returns it responds as the attribute would: 503 if the store could not decide,
/// 429 after a wait that timed out, and 500, with a line in the log, for a bug in the application.
///
/// ```
/// use actix_throttle::{Limit, RateLimitError, RateLimiter};
/// use actix_web::{HttpResponse, ResponseError, post, web};
///
/// const MAIL: Limit = Limit::per_hour(5).name("mail").expect_valid();
///
/// #[post("/mail/{to}")]
/// async fn mail(
///     limiter: web::Data<RateLimiter>,
///     to: web::Path<String>,
/// ) -> Result<HttpResponse, RateLimitError> {
///     limiter.acquire(&MAIL, to.as_str()).await?;
///     Ok(HttpResponse::Ok().finish())
/// }
/// # let late = RateLimitError::TimedOut {
/// #     retry_after: Some(std::time::Duration::from_millis(1_500)),
/// # };
/// # assert_eq!(late.error_response().headers().get("Retry-After").unwrap(), "2");
/// # let _ = mail;
/// ```
#[non_exhaustive]
pub enum RateLimitError {
    /// The limit's numbers are out of range or contradict each other.
    InvalidLimit(LimitError),
    /// Two limits of one check have the same identity, zone, algorithm and window, so they would
    /// share one counter. Give one of them a zone of its own, or drop the weaker.
    SharedCounter,
    /// A rule names a limit that the limiter's configuration does not have, and has no
    /// [fallback](crate::Rule::fallback).
    UnknownLimit {
        /// The limit's name.
        name: String,
    },
    /// A list of statuses of [`Outgoing`](crate::Outgoing) is not one.
    InvalidStatuses(StatusSetError),
    /// The store could not decide.
    Unavailable {
        /// The store is unreachable, too slow, refuses the call, or was not asked because its
        /// circuit is open.
        reason: String,
        /// The time until the store is verified again, if its circuit is open.
        retry_after: Option<Duration>,
    },
    /// The demand has more than 64 alternatives, or none: it contains an empty `any` or `all`.
    InvalidDemand,
    /// There was no capacity within the longest wait, or no such wait could have helped. Nothing
    /// was charged.
    TimedOut {
        /// The time until a retry is worthwhile; `None` if no wait would help.
        retry_after: Option<Duration>,
    },
}

impl RateLimitError {
    /// Returns the time until a retry is worthwhile, if it is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } | Self::TimedOut { retry_after } => *retry_after,
            Self::InvalidLimit(_)
            | Self::InvalidStatuses(_)
            | Self::SharedCounter
            | Self::UnknownLimit { .. }
            | Self::InvalidDemand => None,
        }
    }

    /// Returns the value of the header `Retry-After`: that time in whole seconds, rounded up.
    #[must_use]
    pub fn retry_after_seconds(&self) -> Option<u64> {
        self.retry_after().map(whole_seconds)
    }
}

impl fmt::Display for RateLimitError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::InvalidLimit(error) => write!(f, "invalid limit: {error}"),
            Self::SharedCounter => f.write_str(
                "two limits of one check share an identity, zone, algorithm and window, and so \
                 one counter; give one of them a zone of its own, or drop the weaker",
            ),
            Self::UnknownLimit { name } => write!(
                f,
                "a rule asks for the limit `{name}`, which the configuration does not have; add it to \
                 the configuration that the limiter was given by `Builder::config`, or give the rule \
                 a fallback"
            ),
            Self::InvalidStatuses(error) => write!(f, "`pause_on`: {error}"),
            Self::Unavailable { reason, .. } => write!(f, "the store could not decide: {reason}"),
            Self::InvalidDemand => f.write_str(
                "the demand is for no limit, or has an empty `any` or `all`, or has more than 64 \
                 alternatives: ask for a limit at least, leave no list empty, and nest fewer `any`s \
                 inside an `all`",
            ),
            Self::TimedOut { retry_after: Some(wait) } => {
                write!(f, "no room within the longest wait; try again in {wait:?}")
            }
            Self::TimedOut { retry_after: None } => {
                f.write_str("there is no room, and no wait would help; ask for less at once")
            }
        }
    }
}

impl std::error::Error for RateLimitError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::InvalidLimit(error) => Some(error),
            Self::InvalidStatuses(error) => Some(error),
            Self::SharedCounter
            | Self::UnknownLimit { .. }
            | Self::Unavailable { .. }
            | Self::InvalidDemand
            | Self::TimedOut { .. } => None,
        }
    }
}

impl From<LimitError> for RateLimitError {
    fn from(error: LimitError) -> Self {
        Self::InvalidLimit(error)
    }
}

impl From<StatusSetError> for RateLimitError {
    fn from(error: StatusSetError) -> Self {
        Self::InvalidStatuses(error)
    }
}

impl From<RateLimitError> for io::Error {
    fn from(error: RateLimitError) -> Self {
        Self::other(error)
    }
}
