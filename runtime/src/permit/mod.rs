//! Acquisition: demands, the wait for room, and the permits that come of it. The application and
//! rules with `max_wait` call it; it knows no HTTP.

mod acquire;
mod demand;
mod granted;
mod semaphore;
mod semaphore_guard;
mod turn;
mod wait;
mod watch;

pub(crate) use self::wait::{WaitOutcome, wait_for};
pub use self::{
    acquire::{Acquire, Acquired},
    demand::Demand,
    granted::Permit,
    semaphore::Semaphore,
    semaphore_guard::SemaphoreGuard,
};
