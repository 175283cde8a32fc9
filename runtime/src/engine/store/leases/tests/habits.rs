//! Tests of which identities get leases, when, how large and for how long.

use super::*;

fn every(millis: u64, times: u32) -> Limit {
    let window = Duration::from_millis(millis);
    Limit::new(times, window).algorithm(Algorithm::FixedWindow)
}

#[test]
fn rare_identity_has_no_lease() {
    run(async || {
        let service = Service::new(1);
        let limit = fixed(1_000).lease(50);
        for _ in 0..20 {
            assert!(service.admits(0, &limit).await);
            service.advance(SECOND).await;
        }
        assert_eq!(service.calls(), 20);
    });
}

#[test]
fn empty_lease_is_followed_by_none_until_it_would_be_over() {
    run(async || {
        let service = Service::new(1);
        let limit = Limit::new(1_000, Duration::from_secs(60)).lease(50);
        // A quarter of what remains is less than one.
        service.ask(0, Mode::Charge, &[(&limit, 997)]).await;
        assert!(service.admits(0, &limit).await);
        assert_eq!(service.calls(), 3, "one of them in vain");
        assert!(service.admits(0, &limit).await);
        assert_eq!(service.calls(), 4);
        service.advance(SECOND - 1).await;
        service.admits(0, &limit).await;
        assert_eq!(service.calls(), 5);
    });
}

/// A lease ends after a tenth of its window, even before it is returned.
#[test]
fn what_is_over_is_not_served() {
    run(async || {
        let service = Service::new(1);
        let limit = every(2_000, 1_000).lease(50);
        for _ in 0..20 {
            assert!(service.admits(0, &limit).await);
        }
        let identity = Identity::new("ann");
        let check = Check {
            mode: Mode::Charge,
            charges: smallvec![Charge {
                key: Key::counter(&identity, &limit),
                limit: (&limit).into(),
                cost: 1,
                failure_mode: FailureMode::Open,
            }],
        };
        let serves = || service.processes[0].try_decide(&check).is_ok();
        service.clock.advance(Duration::from_millis(199));
        assert!(serves());
        service.clock.advance(Duration::from_millis(1));
        assert!(!serves());
    });
}

/// A lease that was not used up is followed by a smaller one.
#[test]
fn leases_are_as_large_as_they_are_used() {
    run(async || {
        let service = Service::new(2);
        let limit = fixed(100_000).lease(1_000);
        let on_lease = async |admitted: u32| {
            let seen = service.ask(1, Mode::Peek, &[(&limit, 1)]).await;
            100_000 - seen.verdicts[0].remaining - admitted
        };
        let mut admitted = 0;
        while on_lease(admitted).await < 900 {
            assert!(service.admits(0, &limit).await);
            admitted += 1;
        }
        let mut sizes = Vec::new();
        for _ in 0..5 {
            service.advance(SECOND).await;
            assert_eq!(on_lease(admitted).await, 0);
            for _ in 0..2 {
                assert!(service.admits(0, &limit).await);
                admitted += 1;
            }
            sizes.push(on_lease(admitted).await);
        }
        assert!(sizes.is_sorted_by(|one, next| one > next), "{sizes:?}");
    });
}

/// The requests of a hot identity never wait for the store, and the leased amount stays within its
/// bound.
#[test]
fn the_next_lease_comes_in_time() {
    run(async || {
        let service = Service::new(2);
        let limit = fixed(100_000).lease(50);
        let identity = Identity::new("ann");
        let check = Check {
            mode: Mode::Charge,
            charges: smallvec![Charge {
                key: Key::counter(&identity, &limit),
                limit: (&limit).into(),
                cost: 1,
                failure_mode: FailureMode::Open,
            }],
        };
        let mut admitted = 0;
        for index in 0..600 {
            let served = service.processes[0].try_decide(&check).is_ok();
            if !served {
                assert!(index < 100, "{index}");
                assert!(service.admits(0, &limit).await);
            }
            admitted += 1;
            // Sends several requests at one moment now and then.
            if index % 5 == 0 {
                settle().await;
                let seen = service.ask(1, Mode::Peek, &[(&limit, 1)]).await;
                let on_lease = 100_000 - seen.verdicts[0].remaining - admitted;
                assert!(on_lease <= 50, "{on_lease}");
            }
        }
    });
}

#[test]
fn what_costs_nothing_takes_nothing_of_a_lease() {
    run(async || {
        let service = Service::new(1);
        let limit = fixed(1_000).lease(50);
        for _ in 0..60 {
            assert!(service.admits(0, &limit).await);
        }
        let free = [(&limit, 0)];
        let outcome = service.ask(0, Mode::ChargeForReceipts, &free).await;
        assert_eq!(outcome.receipts, [None]);
    });
}
