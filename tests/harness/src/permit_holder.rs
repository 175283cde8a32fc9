//! One process of a service that acquires a permit and keeps it until the process is killed. It
//! prints nothing.
//!
//! Environment: `REDIS_URL`, `PREFIX`, and `MAX` and `EXPIRY_MILLIS` of the limit.

use std::{env, error::Error, future::pending, time::Duration};

use actix_throttle::{Concurrency, FailureMode, RateLimiter};

/// Runs the program.
///
/// # Errors
///
/// An invalid environment, or a permit that it cannot acquire.
pub async fn run() -> Result<(), Box<dyn Error>> {
    let limiter = RateLimiter::builder()
        .redis_url(env::var("REDIS_URL")?)
        .prefix(env::var("PREFIX")?)
        .deadline(Duration::from_secs(10))
        .failure_mode(FailureMode::Closed)
        .build()
        .await?;
    let expiry = Duration::from_millis(env::var("EXPIRY_MILLIS")?.parse()?);
    let limit = Concurrency::new(env::var("MAX")?.parse()?).expiry(expiry);
    let _held = limiter.semaphore(&limit, "ann").acquire().await?;
    pending().await
}
