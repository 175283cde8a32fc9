//! Requests that go out in one batch are decided as if each had gone out alone.

use std::{cell::Cell, time::Duration};

use actix_throttle::{Decision, Limit, RateLimiter};
use futures_util::future::join_all;
use proptest::{prelude::*, test_runner::TestRunner};
use tokio::task::unconstrained;

use super::{FEW, cases, plan::limit};
use harness::{
    Server, ServerVersion,
    stores::{block_on, unique},
};

/// Rounds of requests by a few identities under some of the limits. Each round is made at one
/// moment, and its second number is the time before it in microseconds.
#[derive(Clone, Debug)]
struct Crowd {
    limits: Vec<Limit>,
    rounds: Vec<(Vec<Request>, u64)>,
}

#[derive(Clone, Debug)]
struct Request {
    identity: usize,
    /// A bit for each limit that applies; the first limit if no bit is set.
    limits: u8,
    cost: u32,
    looks: bool,
    /// Whether it asks for receipts, so that it is not plain.
    has_receipts: bool,
}

const ZONES: [&str; 3] = ["a", "b", "c"];
/// The number of identities. Those of one batch that have checks of both kinds take all of it to
/// the general script; with more of them than checks in a batch, some batches are two calls.
const NAMES: usize = 12;

fn crowd() -> impl Strategy<Value = Crowd> {
    let limits = prop::collection::vec(limit(), 1..=ZONES.len());
    let request = (
        0..NAMES,
        0..8_u8,
        1..4_u32,
        prop::bool::weighted(0.1),
        prop::bool::weighted(0.1),
    );
    // Equal requests come in a row, as under load, and there are more of them than one call
    // carries.
    let request =
        (request, 1..6_usize).prop_map(|((identity, limits, cost, looks, has_receipts), count)| {
            let request = Request {
                identity,
                limits,
                cost,
                looks,
                has_receipts,
            };
            vec![request; count]
        });
    let requests = prop::collection::vec(request, 1..30).prop_map(|runs| runs.concat());
    let rounds = prop::collection::vec((requests, 0..40_000_000_u64), 1..4);
    (limits, rounds).prop_map(|(limits, rounds)| Crowd {
        limits: limits
            .into_iter()
            .zip(ZONES)
            .map(|((limit, _), zone)| limit.zone(zone))
            .collect(),
        rounds,
    })
}

pub(super) fn shown(decision: &Decision) -> impl PartialEq + std::fmt::Debug + use<> {
    let limits = decision.limits().iter().map(|limit| {
        (
            limit.retry_after(),
            limit.exceeds_capacity(),
            limit.remaining(),
            limit.reset_after(),
            limit.more_after(),
            limit.is_blocked(),
        )
    });
    (decision.is_allowed(), limits.collect::<Vec<_>>())
}

async fn ask(
    limiter: &RateLimiter,
    crowd: &Crowd,
    request: &Request,
    names: &[String],
) -> Decision {
    let chosen = |index: &usize| request.limits >> index & 1 == 1;
    let mut chosen: Vec<usize> = (0..crowd.limits.len()).filter(chosen).collect();
    if chosen.is_empty() {
        chosen.push(0);
    }
    let name = names[request.identity].as_str();
    if request.looks {
        let limit = crowd.limits[chosen[0]].cost(request.cost);
        return limiter.peek(&limit, name).await.unwrap();
    }
    let limits: Vec<_> = chosen
        .into_iter()
        .map(|index| crowd.limits[index].cost(request.cost))
        .collect();
    let checks: Vec<_> = limits.iter().map(|limit| (limit, name)).collect();
    if request.has_receipts {
        return limiter.check_with_receipts(&checks).await.unwrap().0;
    }
    limiter.check_all(&checks).await.unwrap()
}

fn calls(server: &Server) -> u64 {
    let info: String = server.cli(&["INFO", "commandstats"]);
    let line = info.lines().find(|line| line.contains("cmdstat_evalsha:"));
    let count = line.and_then(|line| line.split("calls=").nth(1)?.split(',').next());
    count.map_or(0, |count| count.parse().unwrap())
}

fn as_one_by_one(version: ServerVersion, most: u32) {
    let server = Server::start(version);
    let asked = Cell::new(0);
    let mut runner = TestRunner::new(ProptestConfig::with_cases(cases(most)));
    let outcome = runner.run(&crowd(), |crowd| {
        block_on(async {
            let clock = actix_throttle::ManualClock::new();
            let together = RateLimiter::builder()
                .redis_url(server.url())
                .deadline(Duration::from_secs(10))
                // Denied requests must go out in the batch too.
                .denial_cache(Duration::ZERO)
                .clock(clock.clone());
            let together = together.build().await.unwrap();
            let alone = RateLimiter::builder().memory().clock(clock.clone());
            let alone = alone.build().await.unwrap();
            let names: Vec<String> = (0..NAMES).map(|_| unique("user")).collect();
            for (requests, gap) in &crowd.rounds {
                clock.advance(Duration::from_micros(*gap));
                asked.set(asked.get() + requests.len() as u64);
                let requested = requests
                    .iter()
                    .map(|one| ask(&together, &crowd, one, &names));
                // The requests go out in their order, however many there are, because there is no
                // cooperative budget.
                let decisions = unconstrained(join_all(requested)).await;
                for (index, (request, decision)) in requests.iter().zip(&decisions).enumerate() {
                    let expected = ask(&alone, &crowd, request, &names).await;
                    prop_assert_eq!(
                        shown(decision),
                        shown(&expected),
                        "{} of {}: {:?}",
                        index,
                        requests.len(),
                        request
                    );
                }
            }
            Ok(())
        })?;
        Ok(())
    });
    outcome.unwrap();
    let (asked, calls) = (asked.get(), calls(&server));
    assert!(calls * 5 < asked, "{calls} calls for {asked} requests");
}

#[test]
fn on_redis_6_2() {
    as_one_by_one(ServerVersion::Redis62, FEW);
}

#[test]
fn on_redis_7() {
    as_one_by_one(ServerVersion::Redis7, 150);
}

#[test]
fn on_valkey_9() {
    as_one_by_one(ServerVersion::Valkey9, FEW);
}
