//! What is waited for, and what is held: no HTTP.

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
