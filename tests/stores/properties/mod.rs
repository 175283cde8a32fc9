//! Properties that hold for every limit: each store agrees with a plain model, and no flood is
//! admitted more often than the algorithm allows.

mod agreement;
mod batches;
mod blocks;
mod bounds;
mod permits;
mod plan;
mod receipts;
mod refunds;
mod settlements;
mod twins;

use std::{env, time::Duration};

use harness::stores::{StoreFixture, StoreKind};
use proptest::{
    prelude::{ProptestConfig, Strategy},
    test_runner::TestRunner,
};

/// The number of cases for a store if another one of its kind has many: all run the same script.
const FEW: u32 = 50;

/// The number of cases to run: `most`, or a tenth of it in a quick run.
fn cases(most: u32) -> u32 {
    match env::var("NEXTEST_PROFILE").as_deref() {
        Ok("quick") => most.div_ceil(10),
        _ => most,
    }
}

fn micros(duration: Duration) -> u64 {
    duration.as_micros().try_into().unwrap()
}

/// Follows random plans on one store with one limiter.
fn for_random_plans<S: Strategy>(
    kind: StoreKind,
    most: u32,
    plans: &S,
    follow: impl AsyncFn(&StoreFixture, S::Value),
) {
    let mut runner = TestRunner::new(ProptestConfig {
        cases: cases(most),
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let store = runtime.block_on(StoreFixture::new(kind));
    let result = runner.run(plans, |plan| {
        runtime.block_on(follow(&store, plan));
        Ok(())
    });
    result.unwrap();
}
