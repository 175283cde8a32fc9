//! Tests of the age of a cached denial, and of its revalidation by one request.

use actix_throttle_core::time::MAX_MICROS;

use super::*;
use crate::engine::store::denial_cache::entry::{CachedDenial, LimitFingerprint};

#[test]
fn cached_denial_counts_down_and_ends_when_unstable() {
    run(async |bench| {
        let steady = SECOND / 2;
        bench.answers(Answer::Deny { steady });
        bench.ask(Mode::Charge, &[(&LIMIT, 1)]).await;
        bench.advance(steady - 1);
        let outcome = bench.ask(Mode::Charge, &[(&LIMIT, 1)]).await;
        assert_eq!(bench.asked(), 1);
        let outcome = outcome.expect("remembered");
        assert!(!outcome.allowed);
        let verdict = outcome.verdicts[0];
        assert_eq!(verdict.wait, Wait::For(WAIT - steady + 1));
        assert_eq!(verdict.reset, RESET - steady + 1);
        assert_eq!(verdict.more, WAIT - steady + 1);
        bench.advance(1);
        assert!(bench.reaches(&LIMIT, 1).await);
    });
}

#[test]
fn one_request_revalidates_before_the_maximum_age() {
    run(async |bench| {
        bench.deny(&LIMIT, 1).await;
        for _ in 0..3 {
            bench.advance(SECOND - SECOND / 8 - 1);
            assert!(!bench.reaches(&LIMIT, 1).await);
            bench.advance(1);
            let charges = [(&LIMIT, 1)];
            let check = bench.check(Mode::Charge, &charges);
            // A lookup that does not query the store does not claim the revalidation.
            let miss = bench.denials.try_decide(&check).expect_err("due");
            assert!(!miss.has_no_denial);
            let asked = bench.asked();
            let mut one = pin!(bench.ask(Mode::Charge, &charges));
            begin(&mut one).await;
            assert_eq!(bench.asked(), asked + 1);
            // All other requests are denied from the cache in the meantime.
            for _ in 0..3 {
                assert!(!bench.reaches(&LIMIT, 1).await);
                assert!(bench.denials.try_decide(&check).is_ok());
            }
            assert!(!one.await.expect("an answer").allowed);
            assert!(!bench.reaches(&LIMIT, 1).await);
        }
    });
}

#[test]
fn abandoned_revalidation_keeps_the_maximum_age() {
    run(async |bench| {
        bench.deny(&LIMIT, 1).await;
        bench.advance(SECOND - 1);
        begin(&mut pin!(bench.ask(Mode::Charge, &[(&LIMIT, 1)]))).await;
        assert!(!bench.reaches(&LIMIT, 1).await);
        bench.advance(1);
        assert!(bench.reaches(&LIMIT, 1).await);
    });
}

#[test]
fn times_that_were_cut_stay_so() {
    run(async |bench| {
        let known = CachedDenial {
            limit: LimitFingerprint::of(&bench.check(Mode::Charge, &[(&LIMIT, 1)]).charges[0]),
            verdict: Verdict {
                wait: Wait::For(MAX_MICROS),
                blocked: true,
                remaining: 0,
                reset: MAX_MICROS,
                more: MAX_MICROS,
            },
            since: 10,
            until: 20,
            revalidate_at: MAX_MICROS,
        };
        assert_eq!(known.at(15), Some(known.verdict));
        assert_eq!(known.at(20), None);
        assert_eq!(known.at(9), None, "the clock has stepped back");
    });
}
