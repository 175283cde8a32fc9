use std::time::Duration;

use crate::{
    algorithm::{MOST_CHARGES, Receipt, Settlement, State, Wait},
    limit::{Algorithm, Limit},
};

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
        let (wait, left) = state.try_charge(&limit, 1, now);
        assert_eq!(wait, Wait::None, "turn {turn}");
        receipts.push(Receipt {
            at: now,
            taken: 1,
            remaining: left.remaining,
            tag: state.receipt_tag(&limit, now),
            full_for: state.full_for(),
        });
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
