//! Observers hear of Redis: who decided, how many checks a call carries, what becomes of leases.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use actix_throttle::{
    CallOutcome, DecisionResult, DecisionSource, Event, Limit, Observer, RateLimiter,
};
use futures_util::future::join_all;

use super::patient;
use harness::{Server, ServerVersion, eventually_async, stores::block_on};

#[derive(Default)]
struct Heard {
    decided: Mutex<Vec<(DecisionResult, DecisionSource)>>,
    /// The number of checks in each call.
    calls: Mutex<Vec<usize>>,
    leased: Mutex<u32>,
    returned: Mutex<u32>,
}

impl Observer for Heard {
    fn observe(&self, event: &Event<'_>) {
        match event {
            Event::Decided(decided) => {
                let told = (decided.result(), decided.source());
                self.decided.lock().unwrap().push(told);
            }
            Event::StoreCalled {
                outcome,
                batch_size,
                ..
            } => {
                assert_eq!(*outcome, CallOutcome::Decided);
                self.calls.lock().unwrap().push(*batch_size);
            }
            Event::LeaseTaken { cost, .. } => *self.leased.lock().unwrap() += cost,
            Event::LeaseReturned {
                unused,
                is_refunded,
                ..
            } => {
                assert!(is_refunded);
                *self.returned.lock().unwrap() += unused;
            }
            _ => {}
        }
    }
}

impl Heard {
    /// Takes the decisions that were heard since the last call.
    fn decided(&self) -> Vec<(DecisionResult, DecisionSource)> {
        std::mem::take(&mut *self.decided.lock().unwrap())
    }
}

async fn observed(server: &Server) -> (RateLimiter, Arc<Heard>) {
    let heard = Arc::new(Heard::default());
    let builder = patient(server).observer(Arc::clone(&heard));
    (builder.build().await.unwrap(), heard)
}

#[test]
fn source_says_who_decided() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let (limiter, heard) = observed(&server).await;
        let limit = Limit::per_hour(1).name("hour");
        for expected in [
            (DecisionResult::Allowed, DecisionSource::Store),
            (DecisionResult::Denied, DecisionSource::Store),
            (DecisionResult::Denied, DecisionSource::DenialCache),
        ] {
            let decision = limiter.check(&limit, "ann").await.unwrap();
            assert_eq!(decision.source(), expected.1);
            assert_eq!(heard.decided(), [expected]);
        }
        assert_eq!(*heard.calls.lock().unwrap(), [1, 1]);
    });
}

#[test]
fn calls_tell_how_many_checks_they_carry() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let (limiter, heard) = observed(&server).await;
        let limit = Limit::per_hour(1_000).name("hour");
        limiter.check(&limit, "ann").await.unwrap();
        let checks = (0..30).map(|number| limiter.check(&limit, format!("client {number}")));
        for decided in join_all(checks).await {
            assert!(decided.unwrap().is_allowed());
        }
        let calls = heard.calls.lock().unwrap().clone();
        assert_eq!(calls.iter().sum::<usize>(), 31, "{calls:?}");
        assert!(calls.len() < 31, "checks go out together: {calls:?}");
    });
}

#[test]
fn leases_tell_what_is_taken_used_and_returned() {
    block_on(async {
        let server = Server::start(ServerVersion::Redis7);
        let (limiter, heard) = observed(&server).await;
        let limit = Limit::per_hour(1_000_000).lease(50).name("hot");
        let leased = || {
            let decided = heard.decided.lock().unwrap();
            let by_lease = (DecisionResult::Allowed, DecisionSource::Lease);
            decided.iter().filter(|told| **told == by_lease).count()
        };
        eventually_async("leases serve", Duration::from_secs(30), async || {
            limiter.check(&limit, "ann").await.unwrap();
            leased() > 100
        })
        .await;
        // A lease lasts for a second; its rest then goes back.
        let returned = async || *heard.returned.lock().unwrap() > 0;
        eventually_async("the rest goes back", Duration::from_secs(30), returned).await;
        let (taken, unused) = (
            *heard.leased.lock().unwrap(),
            *heard.returned.lock().unwrap(),
        );
        assert_eq!(u64::from(taken - unused), leased() as u64, "used");
    });
}
