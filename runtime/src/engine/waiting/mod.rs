//! Waiting for room: demands, the wait queues of this process, and the wait itself. The application
//! and rules with `max_wait` call it.

mod acquire;
mod delay;
mod delays;
mod demand;
mod denied;
mod outcome;
pub(crate) mod queue;
mod queue_key;
mod report;
mod runtime;
mod turn;
mod unenforced;
mod wait;
mod watch;

pub use self::{
    acquire::{Acquire, Acquired},
    demand::Demand,
};
pub(crate) use self::{
    delays::{Delays, TooManyDelayed},
    outcome::WaitOutcome,
    report::Observed,
    wait::wait_for,
};
