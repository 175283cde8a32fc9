//! Tests of the circuit breaker's state machine: a model check of all interleavings, and single
//! cases.

mod model;

use std::sync::{
    Barrier,
    atomic::{AtomicUsize, Ordering},
};

use super::*;

fn breaker_of(threshold: u32) -> Breaker {
    Breaker::new(BreakerSettings {
        threshold,
        silence: 300,
        first_pause: 250,
        longest_pause: 30_000,
        verification: 2_000,
        jitter: |pause| pause,
    })
}

#[test]
fn closed_circuit_does_not_ask_for_the_time() {
    let breaker = breaker_of(3);
    assert_eq!(
        breaker.permit(|| unreachable!("it is closed")),
        Permission::Permitted
    );
}

#[test]
fn failures_begun_before_incident_was_noticed_belong_to_it() {
    let breaker = breaker_of(2);
    for call in 0..1_000 {
        assert_eq!(breaker.incident(100 + call % 100, 200 + call), None);
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn incidents_in_quick_succession_open_it_only_after_a_silence() {
    let breaker = breaker_of(3);
    for now in [100, 101, 102, 250, 399] {
        assert_eq!(breaker.incident(now, now), None, "{now}");
    }
    let opened = Some(Transition::Opened {
        incidents: 6,
        pause: 250,
    });
    assert_eq!(breaker.incident(400, 400), opened);
}

#[test]
fn decision_in_between_begins_a_new_row() {
    let breaker = breaker_of(3);
    for round in 0..10 {
        let now = round * 1_000;
        assert_eq!(breaker.incident(now, now), None);
        assert_eq!(breaker.incident(now + 400, now + 400), None);
        assert_eq!(breaker.decided(), None);
    }
    assert_eq!(breaker.state(), CircuitState::Closed);
}

#[test]
fn late_replies_end_no_row_and_have_an_open_circuit_verified() {
    let breaker = breaker_of(3);
    for now in [100, 300, 500] {
        breaker.replied_late(now - 50);
        breaker.incident(now, now);
    }
    assert_eq!(breaker.state(), CircuitState::Open, "no row was ended");
    assert!(!breaker.begin_verification(600));
    breaker.replied_late(600);
    assert!(breaker.begin_verification(600));
    breaker.replied_late(601);
    assert_eq!(breaker.state(), CircuitState::HalfOpen);
}

#[test]
fn requests_that_wait_in_vain_open_it_without_another_incident() {
    let breaker = breaker_of(1);
    assert_eq!(breaker.incident(100, 200), None);
    assert_eq!(breaker.deadline_passed(499), None);
    let opened = Some(Transition::Opened {
        incidents: 1,
        pause: 250,
    });
    assert_eq!(breaker.deadline_passed(500), opened);
}

#[test]
fn pauses_double_up_to_the_longest() {
    let breaker = breaker_of(1);
    breaker.incident(0, 0);
    let mut now = 300;
    breaker.incident(now, now);
    let mut expected = 250;
    for _ in 0..12 {
        assert!(!breaker.begin_verification(now + expected - 1));
        now += expected;
        assert!(breaker.begin_verification(now));
        expected = (2 * expected).min(30_000);
        let reopened = Some(Transition::Reopened { pause: expected });
        assert_eq!(breaker.incident(now, now), reopened);
    }
    assert_eq!(expected, 30_000);
}

#[test]
fn without_a_verification_one_of_a_thousand_requests_probes() {
    const THREADS: usize = 8;
    for round in 0..50 {
        let breaker = breaker_of(1);
        breaker.incident(0, 0);
        breaker.incident(300, 300);
        let (probes, barrier) = (AtomicUsize::new(0), Barrier::new(THREADS));
        std::thread::scope(|scope| {
            for _ in 0..THREADS {
                scope.spawn(|| {
                    barrier.wait();
                    for _ in 0..1_000 / THREADS {
                        match breaker.permit(|| 300 + 250 + 2_000 + round) {
                            Permission::Probe(_) => {
                                probes.fetch_add(1, Ordering::Relaxed);
                            }
                            other => {
                                assert!(matches!(other, Permission::Rejected(_)), "{other:?}");
                            }
                        }
                    }
                });
            }
        });
        assert_eq!(probes.into_inner(), 1);
    }
}
