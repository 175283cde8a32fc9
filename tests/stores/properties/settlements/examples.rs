//! Histories that a random test found once.

use std::time::Duration;

use actix_throttle::{Algorithm, Limit, Refill};

use super::{
    super::{
        plan::Cost,
        receipts::{Gap, Step},
    },
    Action, Charges, follow,
};
use harness::{
    ServerVersion,
    stores::{StoreFixture, StoreKind, block_on},
};

/// A bucket that was full for a while between two charges: what the first one is settled at was
/// partly paid by that time.
#[test]
fn time_of_a_full_bucket_pays_for_what_is_charged_later() {
    let charge = |gap, cost| Step {
        gap: Gap::Micros(gap),
        action: Action::Charge(Cost::Units(cost)),
    };
    let settle = |gap, part| Step {
        gap: Gap::Micros(gap),
        action: Action::Settle(0, part, 0),
    };
    let second = 1_000_000;
    for algorithm in [Algorithm::TokenBucket, Algorithm::LeakyBucket] {
        let limit = Limit::new(100, Duration::from_secs(100)).algorithm(algorithm);
        let steps = [
            charge(0, 1),
            charge(15 * second, 3),
            settle(second, 8),
            charge(second, 1),
        ];
        for target in [StoreKind::Memory, StoreKind::Server(ServerVersion::Redis7)] {
            block_on(async {
                let store = StoreFixture::new(target).await;
                follow(&store, (limit, Refill::Greedy), Charges::ByReceipt, &steps).await;
            });
        }
    }
}

/// A charge whose bucket was in debt by an earlier settlement, settled after more than the twelve
/// days for which a bucket knows how long it was full.
#[test]
fn what_is_charged_late_is_never_too_much() {
    let step = |gap, action| Step { gap, action };
    let charge = Action::Charge(Cost::Units(1));
    let limit = Limit::new(1, Duration::from_micros(494_660_581))
        .algorithm(Algorithm::TokenBucket)
        .refill(Refill::Interval)
        .capacity(2962);
    let steps = [
        step(Gap::Micros(0), charge),
        step(Gap::Micros(0), charge),
        step(Gap::OfWindow(0), Action::Settle(2, 17, 0)),
        step(Gap::Micros(1_495_874_096_650), Action::Settle(0, 0, 2)),
    ];
    for target in [StoreKind::Memory, StoreKind::Server(ServerVersion::Redis7)] {
        block_on(async {
            let store = StoreFixture::new(target).await;
            follow(
                &store,
                (limit, Refill::Interval),
                Charges::ByReceipt,
                &steps,
            )
            .await;
        });
    }
}
