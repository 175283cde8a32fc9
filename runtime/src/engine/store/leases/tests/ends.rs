//! Tests of leases that end before their time.

use super::*;

/// Returns how much one more process can still get.
async fn rest(service: &Service, process: usize, limit: &Limit) -> u32 {
    let mut admitted = 0;
    while service.admits(process, limit).await {
        admitted += 1;
    }
    admitted
}

#[test]
fn leases_at_the_end_are_returned() {
    run(async || {
        let service = Service::new(2);
        let limit = fixed(1_000).lease(200);
        for _ in 0..100 {
            assert!(service.admits(0, &limit).await);
        }
        service.processes[0].return_leases().await;
        assert_eq!(rest(&service, 1, &limit).await, 900);
    });
}

#[test]
fn so_is_what_is_being_asked_for() {
    // Stops a lease request at each of its steps.
    for steps in 0..6 {
        run(async || {
            let service = Service::new(2);
            let limit = fixed(1_000).lease(200);
            let mut admitted = 0;
            // The loop does not wait for the lease that its last request asks for.
            for _ in 0..8 {
                assert!(service.admits(0, &limit).await);
                admitted += 1;
            }
            let calls = service.calls();
            while service.calls() == calls {
                let outcome = service.ask_only(0, Mode::Charge, &[(&limit, 1)]).await;
                assert!(outcome.allowed);
                admitted += 1;
                for _ in 0..steps {
                    tokio::task::yield_now().await;
                }
                service.processes[0].return_leases().await;
            }
            settle().await;
            assert_eq!(rest(&service, 1, &limit).await, 1_000 - admitted, "{steps}");
        });
    }
}

#[test]
fn afterwards_nothing_is_leased() {
    run(async || {
        let service = Service::new(2);
        let limit = fixed(1_000).lease(200);
        service.processes[0].return_leases().await;
        for _ in 0..100 {
            assert!(service.admits(0, &limit).await);
        }
        assert_eq!(service.calls(), 100);
        assert_eq!(rest(&service, 1, &limit).await, 900);
    });
}

#[test]
fn a_denial_that_blocks_ends_what_is_leased() {
    run(async || {
        let minute = Duration::from_secs(60);
        let limit = fixed(1_000).lease(50);
        let blocking = Limit::per_hour(1).block(minute);
        let by_cost = limit.block(minute);
        // Three denials block: by the leased limit itself, by a limit of the same check, and by
        // another check.
        for denied in [
            &[(&by_cost, 999)][..],
            &[(&limit, 1), (&blocking, 1)],
            &[(&blocking, 1)],
        ] {
            let service = Service::new(1);
            service.ask(0, Mode::Charge, &[(&blocking, 1)]).await;
            for _ in 0..60 {
                assert!(service.admits(0, &limit).await);
            }
            assert!(!service.ask(0, Mode::Charge, denied).await.allowed);
            assert!(!service.admits(0, &limit).await, "{denied:?}");
        }
    });
}

#[test]
fn a_shadow_that_would_block_ends_nothing() {
    run(async || {
        let service = Service::new(1);
        let limit = fixed(1_000).lease(50);
        let shadow = Limit::per_hour(1).block(Duration::from_secs(60)).shadow();
        for _ in 0..60 {
            assert!(service.admits(0, &limit).await);
        }
        let calls = service.calls();
        for _ in 0..20 {
            let both = [(&limit, 1), (&shadow, 1)];
            assert!(service.ask(0, Mode::Charge, &both).await.allowed);
        }
        // Twenty calls for the shadow limit and one for a lease.
        assert!(service.calls() <= calls + 21);
    });
}

/// A lease that is granted after its account was closed.
#[test]
fn grant_that_comes_too_late_is_returned() {
    run(async || {
        let service = Service::new(2);
        let limit = fixed(1_000).lease(200);
        let lowered = fixed(100).lease(200);
        let mut admitted = 0;
        while admitted < 60 {
            assert!(
                service
                    .ask_only(0, Mode::Charge, &[(&limit, 1)])
                    .await
                    .allowed
            );
            admitted += 1;
        }
        // The changed limit closes the account and opens one that asks for a lease as well.
        for _ in 0..100 {
            let outcome = service.ask_only(0, Mode::Charge, &[(&lowered, 1)]).await;
            admitted += u32::from(outcome.allowed);
        }
        settle().await;
        admitted += rest(&service, 0, &lowered).await;
        assert_eq!(admitted, 100);
        assert_eq!(rest(&service, 1, &limit).await, 900);
    });
}

/// Requests hold all of a grant until its successor comes, and then their clients disconnect.
#[test]
fn charge_served_in_vain_is_refunded_though_its_grant_is_gone() {
    run(async || {
        let service = Service::new(2);
        let (limit, other) = (fixed(1_000).lease(50), Limit::per_hour(1_000));
        for _ in 0..60 {
            assert!(service.admits(0, &limit).await);
        }
        let identity = Identity::new("ann");
        let charge = |limit| Charge {
            key: Key::counter(&identity, limit),
            limit: limit.into(),
            cost: 1,
            failure_mode: FailureMode::Open,
        };
        let checks = [Check {
            mode: Mode::Charge,
            charges: smallvec![charge(&limit), charge(&other)],
        }];
        let mut under_way = Vec::new();
        for _ in 0..60 {
            let mut asked = Box::pin(service.processes[0].decide(&checks, Miss::UNASKED));
            std::future::poll_fn(|context| {
                let _ = asked.as_mut().poll(context);
                std::task::Poll::Ready(())
            })
            .await;
            under_way.push(asked);
        }
        settle().await;
        drop(under_way);
        settle().await;
        service.processes[0].return_leases().await;
        assert_eq!(rest(&service, 1, &limit).await, 940);
    });
}

/// The task that returns the leases ends with its worker; the next request starts another one.
#[test]
fn a_worker_that_ends_leaves_nothing_behind() {
    let service = Service::new(2);
    let limit = fixed(1_000).lease(200);
    run(async || {
        for _ in 0..100 {
            assert!(service.admits(0, &limit).await);
        }
    });
    run(async || {
        service.advance(10 * SECOND).await;
        assert!(service.admits(0, &limit).await);
        assert_eq!(rest(&service, 1, &limit).await, 899);
    });
}
