//! Concurrency limits: permits, their expiry, their renewal and their loss.

mod expiry;
mod limits;

use std::time::Duration;

use actix_throttle::{Concurrency, Semaphore, SemaphoreGuard};

use super::SECOND;

const EXPIRY: u64 = 9 * SECOND;
const TWO: Concurrency = Concurrency::new(2).expiry(Duration::from_micros(EXPIRY));

pub(super) async fn take(semaphore: &Semaphore) -> Option<SemaphoreGuard> {
    semaphore.try_acquire().await.unwrap()
}

async fn free(semaphore: &Semaphore) -> u32 {
    semaphore.peek().await.unwrap().limits()[0].remaining()
}
