//! Enforcement: whether limits are enforced, only counted, or not applied at all. The limiter reads
//! it before each decision.

use crate::text::word::Word;

/// The mode of a limiter, for all of its limits.
///
/// `Builder::enforcement` sets it at the start, `RateLimiter::set_enforcement` while the service
/// runs, and `enforcement = "…"` in a configuration file at each reload.
///
/// Values are ordered by how much they enforce: `Off < Shadow < On`. Of two sources, such as code
/// and file, the lesser value is in force.
///
/// ```
/// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
/// use actix_throttle::{Enforcement, Limit, RateLimiter};
///
/// const LOGIN: Limit = Limit::per_minute(1).name("login");
///
/// let limiter = RateLimiter::builder().memory().build().await?;
/// assert!(limiter.check(&LOGIN, "ann").await?.is_allowed());
/// assert!(!limiter.check(&LOGIN, "ann").await?.is_allowed());
///
/// limiter.set_enforcement(Enforcement::Shadow);
/// let decision = limiter.check(&LOGIN, "ann").await?;
/// assert!(decision.is_allowed());
/// assert!(decision.limits()[0].is_shadow() && decision.limits()[0].is_exceeded());
///
/// limiter.set_enforcement(Enforcement::Off);
/// assert!(limiter.check(&LOGIN, "ann").await?.limits().is_empty());
/// # Ok(()) }
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Enforcement {
    /// Limits neither count nor apply, and the store is not asked. A limiter that is built with it
    /// needs no store.
    Off,
    /// Limits count and report what they would have denied, as
    /// [shadow](crate::limit::Limit::shadow) limits do. No request is denied, delayed or made to
    /// wait.
    ///
    /// A limit goes on with its own counters, so nothing starts anew when it is enforced again.
    Shadow,
    /// Limits are enforced.
    #[default]
    On,
}

impl Enforcement {
    /// The name that the configuration file uses.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Off => "off",
            Self::Shadow => "shadow",
            Self::On => "on",
        }
    }
}

impl Word for Enforcement {
    const ALL: &'static [Self] = &[Self::On, Self::Shadow, Self::Off];

    fn as_str(self) -> &'static str {
        Self::as_str(self)
    }
}
