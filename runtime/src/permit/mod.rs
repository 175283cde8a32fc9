//! What is waited for, and what is held: no HTTP.

mod acquire;
mod demand;
mod granted;
mod guard;
mod semaphore;
mod turn;
mod wait;
mod watch;

pub(crate) use self::wait::{Waited, wait_for};
pub use self::{
    acquire::{Acquire, Acquired},
    demand::Demand,
    granted::Permit,
    guard::SemaphoreGuard,
    semaphore::Semaphore,
};
