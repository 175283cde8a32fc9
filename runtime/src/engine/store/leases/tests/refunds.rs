//! Tests of refunds of charges that leases served.

use super::{fixture::leasable, *};

#[test]
fn charges_of_a_lease_are_refunded_like_others() {
    run(async || {
        for limit in leasable(600, 60) {
            let mut left = Vec::new();
            for limit in [limit, limit.lease(20)] {
                let service = Service::new(1);
                let mut receipts: Vec<Receipts> = Vec::new();
                for _ in 0..100 {
                    let mode = Mode::ChargeForReceipts;
                    let outcome = service.ask(0, mode, &[(&limit, 1)]).await;
                    receipts.push(outcome.receipts);
                }
                service.processes[0].return_leases().await;
                // Half of the charge has drained, and other requests have come.
                service.advance(5 * SECOND).await;
                let others = service.ask(0, Mode::Charge, &[(&limit, 300)]).await;
                assert!(others.allowed);
                service.processes[0].return_leases().await;
                for receipts in &receipts {
                    service.ask(0, Mode::Refund(receipts), &[(&limit, 1)]).await;
                }
                let peeked = service.ask(0, Mode::Peek, &[(&limit, 1)]).await;
                left.push(peeked.verdicts[0].remaining);
            }
            assert_eq!(left, [300; 2], "{limit:?}");
        }
    });
}

#[test]
fn what_remains_goes_up_by_a_refund_of_what_was_served_here() {
    run(async || {
        for limit in [fixed(1_000), Limit::per_minute(1_000)] {
            let limit = limit.lease(200);
            let service = Service::new(1);
            for _ in 0..50 {
                assert!(service.admits(0, &limit).await);
            }
            let charged = service
                .ask(0, Mode::ChargeForReceipts, &[(&limit, 1)])
                .await;
            let refunded = service
                .ask(0, Mode::Refund(&charged.receipts), &[(&limit, 1)])
                .await;
            let [before, after] = [charged, refunded].map(|outcome| outcome.verdicts[0].remaining);
            assert_eq!([before, after], [949, 950], "{limit:?}");
        }
    });
}
