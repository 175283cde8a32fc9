//! What holds for every limit: each store says what a plain model says, and no flood gets more
//! through than the algorithm allows.

mod agreement;
mod batches;
mod bounds;
mod permits;
mod plan;
mod refunds;

use std::{env, time::Duration};

/// How many cases a store has that another one of its kind has many of: all run the same script.
const FEW: u32 = 50;

/// So many cases, or a tenth of them in a quick run.
fn cases(most: u32) -> u32 {
    match env::var("NEXTEST_PROFILE").as_deref() {
        Ok("quick") => most.div_ceil(10),
        _ => most,
    }
}

fn micros(duration: Duration) -> u64 {
    duration.as_micros().try_into().unwrap()
}
