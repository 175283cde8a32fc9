//! Tests of the age of a cached denial, and of its revalidation by one request.

use actix_throttle_core::time::MAX_MICROS;

use super::*;
use crate::engine::store::denial_cache::entry::{CachedDenial, LimitFingerprint};

#[test]
fn cached_denial_counts_down_and_ends_when_unstable() {
    run(async |fixture| {
        let stable_for = SECOND / 2;
        fixture.set(Decides::Deny { stable_for });
        fixture.ask(Mode::Charge, &[(&LIMIT, 1)]).await;
        fixture.advance(stable_for - 1);
        let outcome = fixture.ask(Mode::Charge, &[(&LIMIT, 1)]).await;
        assert_eq!(fixture.asked(), 1);
        let outcome = outcome.expect("remembered");
        assert!(!outcome.allowed);
        let verdict = outcome.verdicts[0];
        assert_eq!(verdict.wait, Wait::For(WAIT - stable_for + 1));
        assert_eq!(verdict.reset, RESET - stable_for + 1);
        assert_eq!(verdict.more, WAIT - stable_for + 1);
        fixture.advance(1);
        assert!(fixture.reaches(&LIMIT, 1).await);
    });
}

#[test]
fn one_request_revalidates_before_the_maximum_age() {
    run(async |fixture| {
        fixture.deny(&LIMIT, 1).await;
        for _ in 0..3 {
            fixture.advance(SECOND - SECOND / 8 - 1);
            assert!(!fixture.reaches(&LIMIT, 1).await);
            fixture.advance(1);
            let charges = [(&LIMIT, 1)];
            let check = fixture.check(Mode::Charge, &charges);
            // A lookup that does not query the store does not claim the revalidation.
            let miss = fixture.denials.try_decide(&check).expect_err("due");
            assert!(!miss.has_no_denial);
            let asked = fixture.asked();
            let mut one = pin!(fixture.ask(Mode::Charge, &charges));
            begin(&mut one).await;
            assert_eq!(fixture.asked(), asked + 1);
            // All other requests are denied from the cache in the meantime.
            for _ in 0..3 {
                assert!(!fixture.reaches(&LIMIT, 1).await);
                assert!(fixture.denials.try_decide(&check).is_ok());
            }
            assert!(!one.await.expect("an answer").allowed);
            assert!(!fixture.reaches(&LIMIT, 1).await);
        }
    });
}

#[test]
fn abandoned_revalidation_keeps_the_maximum_age() {
    run(async |fixture| {
        fixture.deny(&LIMIT, 1).await;
        fixture.advance(SECOND - 1);
        begin(&mut pin!(fixture.ask(Mode::Charge, &[(&LIMIT, 1)]))).await;
        assert!(!fixture.reaches(&LIMIT, 1).await);
        fixture.advance(1);
        assert!(fixture.reaches(&LIMIT, 1).await);
    });
}

#[test]
fn times_that_were_cut_stay_so() {
    run(async |fixture| {
        let known = CachedDenial {
            limit: LimitFingerprint::of(&fixture.check(Mode::Charge, &[(&LIMIT, 1)]).charges[0]),
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
