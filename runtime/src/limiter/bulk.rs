//! Operations on many keys by hand: resets of a limit, a zone or everything, and a look at all
//! limits of an identity.

use actix_throttle_core::{
    identity::{Identity, IdentityQuery},
    key::KeySelection,
    limit::Limit,
};

use super::RateLimiter;
use crate::engine::{BulkReset, PeekIdentity};

impl RateLimiter {
    /// Resets what every identity has used of this limit, and ends the blocks that it starts. A
    /// shadow limit has counters of its own. Observers hear of it by one
    /// [`Event::PolicyReset`](crate::Event::PolicyReset).
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use std::time::Duration;
    /// use actix_throttle::{Limit, RateLimiter};
    ///
    /// const LOGIN: Limit = Limit::per_hour(1).name("login");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// limiter.check(&LOGIN, "ann").await?;
    /// limiter.check(&LOGIN, "bob").await?;
    ///
    /// let report = limiter.reset_limit(&LOGIN).max_time(Duration::from_secs(10)).await?;
    /// assert_eq!(report.deleted(), 2);
    /// assert!(report.is_complete());
    /// assert!(limiter.check(&LOGIN, "ann").await?.is_allowed());
    /// # Ok(()) }
    /// ```
    pub fn reset_limit(&self, limit: &Limit) -> BulkReset {
        let policy = limit.name_value().unwrap_or(limit.zone_name());
        BulkReset::of_policy(self.engine.clone(), policy, &[*limit], false)
    }

    /// Resets what every identity has used of all limits in a zone, and ends the blocks there. The
    /// zone of a handler is its full path, unless its limit names one.
    pub fn reset_zone(&self, zone: &str) -> BulkReset {
        let selection = KeySelection::all().in_zones([zone]);
        BulkReset::new(self.engine.clone(), selection)
    }

    /// Resets everything under the limiter's [prefix](crate::Builder::prefix), for every identity:
    /// all counters and all blocks.
    pub fn reset_all(&self) -> BulkReset {
        BulkReset::new(self.engine.clone(), KeySelection::all())
    }

    /// Looks at everything that is counted for an identity, and charges nothing.
    ///
    /// ```
    /// # #[actix_web::main] async fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// use actix_throttle::{Limit, RateLimiter, UsageState};
    ///
    /// const LOGIN: Limit = Limit::per_hour(5).name("login");
    /// const PAY: Limit = Limit::per_minute(2).name("pay");
    ///
    /// let limiter = RateLimiter::builder().memory().build().await?;
    /// limiter.check_all(&[(&LOGIN, "ann"), (&PAY, "ann")]).await?;
    ///
    /// let usage = limiter.peek_identity("ann").await?;
    /// assert_eq!(usage.limits().len(), 2);
    /// for limit in usage.limits() {
    ///     assert!(matches!(limit.state(), UsageState::Used { used: 1, .. }));
    /// }
    /// # Ok(()) }
    /// ```
    pub fn peek_identity(&self, identity: impl Into<Identity>) -> PeekIdentity {
        PeekIdentity::new(self.engine.clone(), identity.into().into())
    }

    /// Looks at everything that is counted for the identity that a person writes like this, as
    /// [`peek_identity`](Self::peek_identity) does.
    ///
    /// It reads an address (`192.0.2.1`), a source with its value in the clear
    /// (`header.X-Api-Key=k-8a2f`, `user=42`), `global`, a text as keys have it
    /// (`header.x-api-key=#…`, `user=a%20b`), and any other text as an identity of the application.
    /// Addresses are looked for by every [`ipv6_prefix`](crate::Builder::ipv6_prefix). The
    /// in-memory store finds nothing by a hash, because its own hashes differ.
    pub fn peek_written(&self, text: &str) -> PeekIdentity {
        PeekIdentity::new(self.engine.clone(), IdentityQuery::written(text))
    }
}
