//! What can go wrong, and what to do about it.

use std::{fmt, io, time::Duration};

use crate::{clock::whole_seconds, limit::LimitError};

crate::message::debug_is_message!(InitError, RateLimitError);

/// Why a limiter could not be built or installed. Its text says what to do.
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

    /// A limiter is installed already; `close` it first.
    #[must_use]
    pub fn is_already_initialized(&self) -> bool {
        self.kind == InitKind::AlreadyInitialized
    }

    /// A setting of the builder cannot be right: a URL with a parameter that nothing reads, or with
    /// the name of a host that does not exist, among them.
    #[must_use]
    pub fn is_settings(&self) -> bool {
        self.kind == InitKind::Settings
    }

    /// The server does not accept the user, the password or what the user may do.
    #[cfg(feature = "redis")]
    #[must_use]
    pub fn is_credentials(&self) -> bool {
        self.kind == InitKind::Credentials
    }

    /// What answers is too old, is no Redis or Valkey, speaks no TLS where the URL asks for it, or
    /// speaks TLS where the URL asks for none.
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

/// So that `?` works in a `main` that returns `std::io::Result`.
impl From<InitError> for io::Error {
    fn from(error: InitError) -> Self {
        Self::other(error)
    }
}

/// Why there is no decision. A denial is a [`Decision`](crate::Decision), not an error.
///
/// Returned by a handler, it answers as an attribute would: 503 if the store could not decide, 429
/// after a wait in vain; 500, with a line in the log, for a mistake of the application.
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
/// # let late = RateLimitError::TimedOut { retry_after: Some(std::time::Duration::from_millis(1_500)) };
/// # assert_eq!(late.error_response().headers().get("Retry-After").unwrap(), "2");
/// # let _ = mail;
/// ```
#[non_exhaustive]
pub enum RateLimitError {
    /// The limit's numbers are out of range or do not fit together.
    InvalidLimit(LimitError),
    /// Two limits of one check have the same identity, zone, algorithm and window, so they would
    /// share one counter. Give one of them a zone of its own, or drop the weaker.
    SharedCounter,
    /// A rule names a limit that the limiter's configuration does not have, and has none of its own
    /// to fall back to.
    UnknownLimit {
        /// The name.
        name: String,
    },
    /// The store could not decide.
    Unavailable {
        /// Not reachable, too slow, refusing, or not asked because its circuit is open.
        reason: String,
        /// When the store is verified again, if its circuit is open.
        retry_after: Option<Duration>,
    },
    /// What is to be acquired has more than 64 ways of having it, or none: an `any` or `all` of
    /// nothing.
    InvalidDemand,
    /// It was waited for in vain, as long as allowed, or waiting so long could not have helped.
    /// Nothing was taken.
    TimedOut {
        /// When it is worth trying again; `None` if no wait would help.
        retry_after: Option<Duration>,
    },
}

impl RateLimitError {
    /// When it is worth trying again, if that is known.
    #[must_use]
    pub fn retry_after(&self) -> Option<Duration> {
        match self {
            Self::Unavailable { retry_after, .. } | Self::TimedOut { retry_after } => *retry_after,
            Self::InvalidLimit(_)
            | Self::SharedCounter
            | Self::UnknownLimit { .. }
            | Self::InvalidDemand => None,
        }
    }

    /// The value of `Retry-After`: that wait in whole seconds, rounded up.
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
                "a rule asks for the limit `{name}`, which nobody has; add it to the configuration \
                 that the limiter was given by `Builder::config`, or a limit to fall back to to the rule"
            ),
            Self::Unavailable { reason, .. } => write!(f, "the store could not decide: {reason}"),
            Self::InvalidDemand => f.write_str(
                "what is asked for can be had in more than 64 ways, or in none; nest fewer `any`s in an `all`, \
                 and leave none empty",
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

impl From<RateLimitError> for io::Error {
    fn from(error: RateLimitError) -> Self {
        Self::other(error)
    }
}
