//! Administration of counters: reset, block and unblock by hand, and the pauses of outbound calls.
//! No request calls it, and nothing is charged. The failure mode does not apply. Nothing is done
//! under `Enforcement::Off`, as the store is not asked.

use std::time::Duration;

use actix_throttle_core::{
    decide::Precedence, enforcement::Enforcement, identity::Identity, key::Key, limit::Limit,
    time::to_micros,
};

use super::{
    error::RateLimitError,
    handle::Engine,
    observe::{Change, Event},
    store::interface::Store,
};

impl Engine {
    /// Deletes the counter of a limit, and the block above it.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the store may have deleted them. Waiters then are not
    /// woken, and observers hear nothing of it.
    pub(crate) async fn reset(
        &self,
        limit: &Limit,
        identity: &Identity,
    ) -> Result<(), RateLimitError> {
        limit.validate()?;
        if self.enforcement() == Enforcement::Off {
            return Ok(());
        }
        let counter = Key::counter(identity, limit);
        self.store().delete(&[counter, counter.block()]).await?;
        self.wait_queues().notify_zone(&counter, self.clock().now());
        self.tell_changed(limit, identity, Change::Reset);
        Ok(())
    }

    /// Blocks by hand, in place of a block that is in force.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the block may have started. Observers hear nothing of it.
    pub(crate) async fn block(
        &self,
        limit: &Limit,
        identity: &Identity,
        length: Duration,
    ) -> Result<(), RateLimitError> {
        self.start_block(limit, identity, length, Precedence::Latest)
            .await
    }

    /// Blocks for a pause. A block that ends later stays in force, whatever has started it.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the pause may have started. Observers hear nothing of it.
    pub(crate) async fn pause(
        &self,
        limit: &Limit,
        identity: &Identity,
        length: Duration,
    ) -> Result<(), RateLimitError> {
        self.start_block(limit, identity, length, Precedence::Longest)
            .await
    }

    async fn start_block(
        &self,
        limit: &Limit,
        identity: &Identity,
        length: Duration,
        precedence: Precedence,
    ) -> Result<(), RateLimitError> {
        limit.validate()?;
        limit.block(length).validate()?;
        if self.enforcement() == Enforcement::Off {
            return Ok(());
        }
        let key = Key::counter(identity, limit).block();
        let length_micros = to_micros(length);
        if self.store().block(&key, length_micros, precedence).await? {
            self.tell_changed(limit, identity, Change::Block(length));
        }
        Ok(())
    }

    /// Ends a block, and forgets its offences.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, the block may have ended. Waiters then are not woken, and
    /// observers hear nothing of it.
    pub(crate) async fn unblock(
        &self,
        limit: &Limit,
        identity: &Identity,
    ) -> Result<(), RateLimitError> {
        limit.validate()?;
        if self.enforcement() == Enforcement::Off {
            return Ok(());
        }
        let key = Key::counter(identity, limit).block();
        self.store().delete(&[key]).await?;
        self.wait_queues().notify_zone(&key, self.clock().now());
        self.tell_changed(limit, identity, Change::Unblock);
        Ok(())
    }

    fn tell_changed(&self, limit: &Limit, identity: &Identity, change: Change) {
        self.observers().tell(|| Event::Changed {
            policy: limit.name_value().unwrap_or(limit.zone_name()),
            identity,
            change,
        });
    }
}
