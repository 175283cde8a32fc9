//! Tests of leases: several processes, each with its own leases, on one store and one clock.

mod ends;
mod fixture;
mod habits;
mod refunds;
mod settlements;
mod storm;

use std::time::Duration;

use actix_throttle_core::{
    check::{Charge, Check, Mode, Receipts},
    decide::Precedence,
    failure_mode::FailureMode,
    identity::Identity,
    key::{Key, KeySelection},
    limit::{Algorithm, Limit},
};
use smallvec::smallvec;

use self::fixture::{SECOND, Service, dice, fixed, run, settle};
use crate::engine::store::interface::{Miss, ScanBounds, Store};

#[test]
fn a_hot_identity_is_served_without_the_store() {
    run(async || {
        let service = Service::new(1);
        let limit = fixed(1_000).lease(50);
        for index in 0..500 {
            let outcome = service.ask(0, Mode::Charge, &[(&limit, 1)]).await;
            assert!(outcome.allowed);
            // The verdict is the one that the store would give for each request.
            assert_eq!(outcome.verdicts[0].remaining, 999 - index);
            assert_eq!(outcome.verdicts[0].reset, 60 * SECOND);
        }
        // Leases of 2 + 4 + … + 32, then 50 at a time.
        assert!(service.calls() < 30, "{} calls", service.calls());
    });
}

#[test]
fn ten_processes_hand_out_the_whole_limit_and_no_more() {
    for seed in 0..20 {
        run(async || {
            let (service, mut dice) = (Service::new(10), dice(seed));
            let limit = fixed(100).lease(50);
            let mut admitted = 0;
            for _ in 0..2_000 {
                admitted += u32::from(service.admits(dice.roll(10), &limit).await);
            }
            assert_eq!(admitted, 100, "seed {seed}");
        });
    }
}

#[test]
fn unused_lease_is_returned() {
    run(async || {
        let service = Service::new(2);
        let limit = fixed(1_000).lease(200);
        for _ in 0..200 {
            assert!(service.admits(0, &limit).await);
        }
        let mut others = 0;
        while service.admits(1, &limit).await {
            others += 1;
        }
        assert!(others < 800, "something was leased");
        // The lifetime is a tenth of a minute, cut to one second.
        service.advance(SECOND - 1).await;
        assert!(!service.admits(1, &limit).await);
        service.advance(1).await;
        while service.admits(1, &limit).await {
            others += 1;
        }
        assert_eq!(others, 800);
    });
}

#[test]
fn a_lease_ends_with_its_window() {
    run(async || {
        let service = Service::new(2);
        let limit = fixed(400).lease(100);
        assert!(service.admits(1, &limit).await);
        service.advance(60 * SECOND - 10).await;
        for _ in 0..40 {
            assert!(service.admits(0, &limit).await);
        }
        service.advance(10).await;
        // The whole quota is available in the new window, whichever process leased the old one.
        let mut admitted = 0;
        for process in [1, 0] {
            while service.admits(process, &limit).await {
                admitted += 1;
            }
        }
        for process in [0, 1] {
            admitted += u32::from(service.admits(process, &limit).await);
        }
        assert_eq!(admitted, 400);
    });
}

#[test]
fn what_remains_never_grows_within_a_fixed_window() {
    run(async || {
        let (service, mut dice) = (Service::new(3), dice(7));
        let limit = fixed(2_000).lease(100);
        let mut last = [u32::MAX; 3];
        for _ in 0..600 {
            let process = dice.roll(3);
            let outcome = service.ask(process, Mode::Charge, &[(&limit, 1)]).await;
            let remaining = outcome.verdicts[0].remaining;
            assert!(
                remaining <= last[process],
                "{remaining} after {}",
                last[process]
            );
            last[process] = remaining;
            // Moves the clock now and then, so that leases end and are returned.
            if dice.roll(20) == 0 {
                service.advance(SECOND / 2).await;
            }
        }
    });
}

#[test]
fn what_another_limit_denies_is_put_back() {
    run(async || {
        let service = Service::new(1);
        let (leased, small) = (fixed(1_000).lease(50), Limit::per_hour(30));
        let both = [(&leased, 1), (&small, 1)];
        for index in 0..60 {
            let outcome = service.ask(0, Mode::Charge, &both).await;
            assert_eq!(outcome.allowed, index < 30);
            assert_eq!(outcome.verdicts[0].remaining, 1_000 - (index + 1).min(30));
        }
        // No part of the leased limit is lost.
        let mut admitted = 30;
        while service.admits(0, &leased).await {
            admitted += 1;
        }
        assert_eq!(admitted, 1_000);
    });
}

#[test]
fn a_request_that_is_dropped_takes_nothing() {
    run(async || {
        let service = Service::new(1);
        let (leased, other) = (fixed(1_000).lease(50), Limit::per_hour(1_000));
        for _ in 0..60 {
            assert!(service.admits(0, &leased).await);
        }
        let identity = Identity::new("ann");
        let charge = |limit| Charge {
            key: Key::counter(&identity, limit),
            limit: limit.into(),
            cost: 1,
            failure_mode: FailureMode::Open,
        };
        for _ in 0..40 {
            let checks = [Check {
                mode: Mode::Charge,
                charges: smallvec![charge(&leased), charge(&other)],
            }];
            let mut asked = std::pin::pin!(service.processes[0].decide(&checks, Miss::UNASKED));
            // Polls once: the request reaches the store and waits there.
            let once = std::future::poll_fn(|context| {
                let _ = asked.as_mut().poll(context);
                std::task::Poll::Ready(())
            });
            once.await;
        }
        settle().await;
        let mut admitted = 60;
        while service.admits(0, &leased).await {
            admitted += 1;
        }
        assert_eq!(admitted, 1_000);
    });
}

#[test]
fn a_reset_forgets_what_is_leased_and_a_block_ends_it() {
    run(async || {
        let service = Service::new(1);
        let limit = fixed(1_000).lease(50);
        let identity = Identity::new("ann");
        let key = Key::counter(&identity, &limit);
        for _ in 0..60 {
            assert!(service.admits(0, &limit).await);
        }
        service.processes[0].delete(&[key]).await.expect("done");
        settle().await;
        let outcome = service.ask(0, Mode::Charge, &[(&limit, 1)]).await;
        assert_eq!(outcome.verdicts[0].remaining, 999);
        for _ in 0..60 {
            assert!(service.admits(0, &limit).await);
        }
        let bounds = ScanBounds {
            max_keys: 1_000,
            max_time: Duration::from_secs(1),
        };
        for (selected, remaining) in [(limit.zone("other"), 938), (limit, 999)] {
            let selection = KeySelection::of_limit(&selected);
            let reset = service.processes[0].delete_selected(&selection, bounds);
            assert!(reset.await.expect("done").is_complete);
            settle().await;
            let outcome = service.ask(0, Mode::Charge, &[(&limit, 1)]).await;
            assert_eq!(outcome.verdicts[0].remaining, remaining);
        }
        for _ in 0..60 {
            assert!(service.admits(0, &limit).await);
        }
        service.processes[0]
            .block(&key.block(), SECOND, Precedence::Latest)
            .await
            .expect("done");
        settle().await;
        assert!(!service.admits(0, &limit).await);
        service.advance(SECOND).await;
        let outcome = service.ask(0, Mode::Charge, &[(&limit, 1)]).await;
        assert_eq!(outcome.verdicts[0].remaining, 1_000 - 62);
    });
}

#[test]
fn changed_limit_returns_what_the_old_one_leased() {
    run(async || {
        let service = Service::new(1);
        for _ in 0..60 {
            assert!(service.admits(0, &fixed(1_000).lease(50)).await);
        }
        let lowered = fixed(100).lease(50);
        let mut admitted = 60;
        for _ in 0..200 {
            admitted += u32::from(service.admits(0, &lowered).await);
        }
        assert_eq!(admitted, 100);
    });
}

#[test]
fn peek_counts_leased_quota_and_its_refund_reaches_store() {
    run(async || {
        let service = Service::new(2);
        let limit = fixed(100).lease(20);
        let mut receipts = Receipts::new();
        for _ in 0..20 {
            let outcome = service
                .ask(0, Mode::ChargeForReceipts, &[(&limit, 1)])
                .await;
            receipts = outcome.receipts;
            assert!(receipts[0].is_some());
        }
        while service.admits(1, &limit).await {}
        // The quota is used up, apart from what the first process has leased.
        assert!(service.ask(0, Mode::Peek, &[(&limit, 1)]).await.allowed);
        while service.admits(0, &limit).await {}
        assert!(!service.ask(0, Mode::Peek, &[(&limit, 1)]).await.allowed);
        service
            .ask(0, Mode::Refund(&receipts), &[(&limit, 1)])
            .await;
        assert!(service.admits(1, &limit).await);
        assert!(!service.admits(1, &limit).await);
    });
}
