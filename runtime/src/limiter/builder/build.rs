//! Builds a limiter: validates the settings, and has the engine built by them.

use std::sync::Arc;

use super::{Builder, duplicate};
use crate::{
    engine::{error::InitError, log_throttle::TARGET},
    limiter::{RateLimiter, global},
};

impl Builder {
    /// Builds the limiter, checks Redis once, and installs the limiter for the whole process.
    ///
    /// # Errors
    ///
    /// If a limiter is installed already, a setting is invalid, or Redis has a problem that waiting
    /// does not solve. A Redis that cannot be reached right now is a warning in the log.
    ///
    /// # Cancel safety
    ///
    /// If the future is dropped midway, no limiter is installed.
    pub async fn init(self) -> Result<(), InitError> {
        // This check comes before that of Redis, which takes a while; `install` decides.
        if RateLimiter::is_installed() {
            return Err(global::already_initialized());
        }
        self.build().await?.install()
    }

    /// Builds the limiter and checks Redis once, for `app_data` or use by hand.
    ///
    /// # Errors
    ///
    /// If a setting is invalid, or Redis has a problem that waiting does not solve.
    ///
    /// # Cancel safety
    ///
    /// Dropping the future leaves at most keys of the check in Redis, which soon expire.
    pub async fn build(mut self) -> Result<RateLimiter, InitError> {
        self.engine.validate()?;
        self.http.validate()?;
        if let Some(warning) = self.http.clients.start() {
            log::warn!(target: TARGET, "{warning}");
        }
        let memory = self.engine.memory_identity();
        let engine = self.engine.build().await?;
        let http = Arc::new(self.http);
        if let Some(memory) = memory {
            duplicate::register(&http, memory);
        }
        Ok(RateLimiter { engine, http })
    }
}
