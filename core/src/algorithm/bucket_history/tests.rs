use std::time::Duration;

use crate::{
    algorithm::{MOST_CHARGES, Receipt, Settlement, State, Wait},
    limit::{Algorithm, Limit, Refill},
};

/// Charges, and returns the receipt.
fn charge(state: &mut State, limit: &Limit, cost: u32, now: u64) -> Receipt {
    let (wait, left) = state.try_charge(limit, cost, now);
    assert_eq!(wait, Wait::None);
    Receipt {
        at: now,
        taken: cost,
        remaining: left.remaining,
        tag: state.receipt_tag(limit, now),
        full_for: state.full_for(),
    }
}

const MILLISECOND: u64 = 1_000;
const START: u64 = 1_000_000_000_000;

/// Charges that have waited count from before the one that came before them was made. One that is
/// not kept any more is settled beneath them all the same.
#[test]
fn charge_not_kept_is_settled_beneath_others_that_waited() {
    let limit = Limit::new(1_000, Duration::from_secs(1))
        .algorithm(Algorithm::TokenBucket)
        .capacity(1)
        .in_turn()
        .for_settlement();
    let mut state = State::empty(&limit);
    let mut receipts = Vec::new();
    let mut now = START;
    for turn in 0..=MOST_CHARGES as u64 + 1 {
        // Each is made 3 ms after its turn has come.
        now = START + turn * MILLISECOND + if turn > 0 { 3 * MILLISECOND } else { 0 };
        receipts.push(charge(&mut state, &limit, 1, now));
    }
    let dropped = Settlement {
        receipt: receipts[1],
        from: 1,
        to: 11,
    };
    assert!(state.settle(&limit, &dropped, now));
    // The 66 charges would have been paid 2 ms ago.
    let (_, left) = state.peek(&limit, 0, now);
    assert_eq!(left.reset, 8 * MILLISECOND);
    assert!(state.kept_for_settlement() > 0, "the others are kept");
    let kept = Settlement::refund(receipts[40]);
    assert!(state.settle(&limit, &kept, now));
    let (_, left) = state.peek(&limit, 0, now);
    assert_eq!(left.reset, 7 * MILLISECOND);
}

/// One script call charges several checks at one moment. The refund of one that is not kept any
/// more takes nothing from another.
#[test]
fn charge_not_kept_is_refunded_beside_others_of_its_moment() {
    for refill in [Refill::Greedy, Refill::Interval] {
        let limit = Limit::new(1, Duration::from_secs(1_000_000))
            .algorithm(Algorithm::TokenBucket)
            .refill(refill)
            .capacity(2_000)
            .for_settlement();
        let mut state = State::empty(&limit);
        let large = charge(&mut state, &limit, 1_000, START);
        charge(&mut state, &limit, 1, START);
        for later in 1..MOST_CHARGES as u64 {
            charge(&mut state, &limit, 1, START + later * MILLISECOND);
        }
        let now = START + 100 * MILLISECOND;
        assert!(state.settle(&limit, &Settlement::refund(large), now));
        let (_, left) = state.peek(&limit, 0, now);
        assert_eq!(left.remaining, 2_000 - 64, "{refill:?}");
    }
}
