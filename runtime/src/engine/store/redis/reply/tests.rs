//! Tests of replies that the script would not send: each is an error, and none panics.

use actix_throttle_core::stored::bytes::push;
use proptest::{collection::vec, prelude::*, sample};

use super::*;

/// The numbers of one verdict: flags, wait, remaining, reset, more.
type Numbers = (u8, u64, u32, u64, u64);

fn numbers() -> impl Strategy<Value = Numbers> {
    let micros = 0..1_u64 << 56;
    (
        0..4_u8,
        micros.clone(),
        any::<u32>(),
        micros.clone(),
        micros,
    )
}

/// The reply about one check, as the script packs it.
fn packed(allowed: bool, has_receipts: bool, verdicts: &[Numbers]) -> Vec<u8> {
    let mut reply = Vec::new();
    push(&mut reply, allowed.into(), 1);
    if !allowed {
        push(&mut reply, 5, 7);
    }
    if has_receipts {
        push(&mut reply, 6, 7);
    }
    for (flags, wait, remaining, reset, more) in verdicts {
        push(&mut reply, (*flags).into(), 1);
        push(&mut reply, *wait, 7);
        push(&mut reply, (*remaining).into(), 4);
        push(&mut reply, *reset, 7);
        push(&mut reply, *more, 7);
        if has_receipts {
            push(&mut reply, 1, 7);
            push(&mut reply, 2, 4);
            push(&mut reply, 3, 5);
        }
    }
    reply
}

proptest! {
    #[test]
    fn reply_is_read_to_its_end_or_an_error(
        allowed in any::<bool>(),
        has_receipts in any::<bool>(),
        verdicts in vec(numbers(), 1..4),
        cut in any::<sample::Index>(),
    ) {
        let layout = ReplyLayout { charges: verdicts.len(), has_receipts };
        let read = |reply: &[u8]| outcomes(reply, std::iter::once(layout));
        let mut reply = packed(allowed, has_receipts, &verdicts);
        let outcome = read(&reply).expect("the whole reply").remove(0);
        prop_assert_eq!(outcome.allowed, allowed);
        prop_assert_eq!(outcome.stable_for, if allowed { 0 } else { 5 });
        let told = outcome.verdicts.iter().map(|verdict| {
            (verdict.blocked, verdict.remaining, verdict.reset, verdict.more)
        });
        let expected = verdicts.iter().map(|(flags, _, remaining, reset, more)| {
            (flags & 1 == 1, *remaining, *reset, *more)
        });
        prop_assert!(told.eq(expected), "{outcome:?}");
        prop_assert!(read(&reply[..cut.index(reply.len())]).is_err());
        reply.push(0);
        prop_assert!(read(&reply).is_err());
    }

    #[test]
    fn random_bytes_have_outcomes_of_their_layout_or_are_an_error(
        reply in vec(prop_oneof![Just(0), Just(1), any::<u8>()], 0..120),
        layouts in vec((0..3_usize, any::<bool>()), 0..4),
    ) {
        let layouts = layouts.iter();
        let layouts = layouts.map(|(charges, has_receipts)| ReplyLayout {
            charges: *charges,
            has_receipts: *has_receipts,
        });
        if let Ok(outcomes) = outcomes(&reply, layouts.clone()) {
            let charges = layouts.map(|layout| layout.charges);
            let verdicts = outcomes.iter().map(|outcome| outcome.verdicts.len());
            prop_assert!(verdicts.eq(charges));
        }
    }
}
