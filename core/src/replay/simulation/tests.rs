//! Tests of the simulation: what it reports, what it refunds, and that its memory is bounded.

use super::*;
use crate::limit::Algorithm;

const SECOND: Micros = 1_000_000;

fn request(at: Micros, identity: &Identity) -> SimulatedRequest<'_> {
    SimulatedRequest {
        at,
        identity,
        cost: None,
        status: None,
    }
}

fn figures(simulation: &Simulation) -> Vec<(u64, u64)> {
    let reports = simulation.limits().iter();
    reports
        .map(|report| (report.admitted(), report.denied()))
        .collect()
}

#[test]
fn denied_request_charges_none_of_its_limits() {
    let minute = SimulatedLimit::new(Limit::per_minute(5).zone("minute"));
    let second = SimulatedLimit::new(Limit::per_second(1).zone("second"));
    let mut simulation = Simulation::new([minute, second]).unwrap();
    let ann = Identity::new("ann");
    for _ in 0..3 {
        simulation.feed(&request(SECOND, &ann));
    }
    assert_eq!((simulation.admitted(), simulation.denied()), (1, 2));
    assert_eq!(figures(&simulation), [(3, 0), (1, 2)]);
    let latest = simulation.limits()[0].latest().unwrap();
    assert_eq!(latest.remaining(), 4);
    // Identities are counted separately.
    assert!(
        simulation
            .feed(&request(SECOND, &Identity::new("bob")))
            .is_allowed()
    );
}

#[test]
fn shadow_limit_reports_what_it_would_deny() {
    let shadow = SimulatedLimit::new(Limit::per_day(1).shadow());
    let mut simulation = Simulation::new([shadow]).unwrap();
    for _ in 0..3 {
        assert!(
            simulation
                .feed(&request(SECOND, &Identity::global()))
                .is_allowed()
        );
    }
    assert_eq!((simulation.admitted(), simulation.denied()), (3, 0));
    assert_eq!(figures(&simulation), [(1, 2)]);
}

#[test]
fn refund_follows_the_status_of_an_admitted_request() {
    let limit = |zone| Limit::per_day(2).cost(2).zone(zone);
    let refunded = SimulatedLimit::new(limit("refunded")).refund_on("5xx".parse().unwrap());
    let mut simulation = Simulation::new([refunded, SimulatedLimit::new(limit("kept"))]).unwrap();
    let ann = Identity::new("ann");
    let failed = SimulatedRequest {
        status: Some(500),
        ..request(SECOND, &ann)
    };
    let decision = simulation.feed(&failed);
    let decided: Vec<_> = decision
        .limits()
        .iter()
        .map(LimitStatus::remaining)
        .collect();
    assert_eq!(decided, [0, 0], "the decision is the one before the refund");
    let latest = |index: usize| simulation.limits()[index].latest().unwrap().remaining();
    assert_eq!([latest(0), latest(1)], [2, 0]);
    assert!(!simulation.feed(&failed).is_allowed());
}

#[test]
fn cost_of_a_request_replaces_that_of_the_limit() {
    let mut simulation = Simulation::new([SimulatedLimit::new(Limit::per_day(5))]).unwrap();
    let ann = Identity::new("ann");
    let mut cost = |cost| {
        let request = SimulatedRequest {
            cost: Some(cost),
            ..request(SECOND, &ann)
        };
        simulation.feed(&request)
    };
    assert!(cost(4).is_allowed() && cost(0).is_allowed() && !cost(2).is_allowed());
    assert!(cost(6).exceeds_capacity());
}

#[test]
fn memory_is_bounded_by_the_states_that_matter() {
    let limit = Limit::per_second(1).algorithm(Algorithm::FixedWindow);
    let blocking = limit.zone("blocking").block(Duration::from_secs(2));
    let limits = [limit, blocking].map(SimulatedLimit::new);
    let mut simulation = Simulation::new(limits).unwrap();
    let mut largest = 0;
    for index in 0..50_000_u64 {
        // A hundred new identities a second, and each of them is blocked.
        let identity = Identity::new(index.to_string());
        for _ in 0..2 {
            simulation.feed(&request(index * SECOND / 100, &identity));
        }
        largest = largest.max(simulation.states.len());
    }
    assert!(largest < 2_500, "{largest}");
    simulation.states.drop_expired(1_000 * SECOND);
    assert!(simulation.states.is_empty());
}

#[test]
fn limits_that_cannot_be_simulated_are_errors() {
    let error = |limits: &[Limit]| {
        let limits = limits.iter().map(|limit| SimulatedLimit::new(*limit));
        Simulation::new(limits).map(drop).unwrap_err().to_string()
    };
    assert_eq!(
        error(&[Limit::per_second(0).name("api")]),
        "limit `api`: `times` must be from 1 to 1,000,000,000"
    );
    assert_eq!(
        error(&[
            Limit::per_second(1).zone("a"),
            Limit::per_second(2).zone("a")
        ]),
        "limit `a` shares its counter with another one; give it a zone of its own"
    );
}
