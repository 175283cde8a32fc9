//! What holds for every limit: each store says what a plain model says, and no flood gets more
//! through than the algorithm allows.

mod agreement;
mod batches;
mod bounds;
mod permits;
mod plan;
mod refunds;

use std::time::Duration;

fn micros(duration: Duration) -> u64 {
    duration.as_micros().try_into().unwrap()
}
