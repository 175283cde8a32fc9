//! The plain script and the general one are twins: random checks get equal outcomes from both, to
//! the microsecond, also if the two take turns on the same counters.

use std::{collections::HashMap, time::Duration};

use actix_throttle::{Builder, Decision, Limit, ManualClock, RateLimiter};
use futures_util::future::join_all;
use proptest::{prelude::*, test_runner::TestRunner};
use tokio::task::unconstrained;

use super::{
    FEW,
    agreement::units,
    batches::shown,
    cases,
    plan::{Cost, DAY, ZONES, magnitude, windowed},
};
use harness::{
    Monitor, Server, ServerVersion, shared_cluster,
    stores::{block_on, cluster_pool, unique},
};

/// The limiters, by the prefix of their keys: all by the plain script; all by the general one; and
/// each request by one of the two.
const SIDES: [&str; 3] = ["plain", "general", "both"];

/// Rounds of requests by three identities. Each round is made at one moment, and its second number
/// is the time before it in microseconds.
#[derive(Clone, Debug)]
struct Plan {
    limits: Vec<Limit>,
    rounds: Vec<(Vec<Request>, Gap)>,
}

#[derive(Clone, Copy, Debug)]
enum Gap {
    Micros(u64),
    /// This many 256ths of the first limit's window.
    OfWindow(u64),
    /// The longest wait of the latest round, less this many microseconds.
    Retry(u64),
}

#[derive(Clone, Debug)]
struct Request {
    identity: usize,
    /// A bit for each limit that applies; the first limit if no bit is set.
    limits: u8,
    costs: [Cost; 4],
    /// Whether the general script decides it, where both may.
    is_general: bool,
}

fn plan() -> impl Strategy<Value = Plan> {
    let block = prop_oneof![
        9 => Just(None),
        1 => magnitude(1_000, DAY).prop_map(|length| Some(Duration::from_micros(length))),
    ];
    let limit = (windowed(), block).prop_map(|((limit, _), block)| match block {
        Some(block) => limit.block(block),
        None => limit,
    });
    let cost = || {
        prop_oneof![
            4 => Just(Cost::Units(1)),
            3 => (1_u32..=16).prop_map(Cost::OfQuota),
        ]
    };
    let request = (
        (0..3_usize, 0..16_u8, any::<bool>()),
        [cost(), cost(), cost(), cost()],
        1..4_usize,
    );
    // Equal requests come in a row, as under load.
    let request = request.prop_map(|((identity, limits, is_general), costs, count)| {
        let request = Request {
            identity,
            limits,
            costs,
            is_general,
        };
        vec![request; count]
    });
    let requests = prop::collection::vec(request, 1..8).prop_map(|runs| runs.concat());
    let gap = prop_oneof![
        3 => magnitude(1, 40 * DAY).prop_map(Gap::Micros),
        3 => (0_u64..=300).prop_map(Gap::OfWindow),
        3 => (0_u64..2).prop_map(Gap::Retry),
    ];
    let rounds = prop::collection::vec((requests, gap), 1..8);
    (prop::collection::vec(limit, 1..=ZONES.len()), rounds).prop_map(|(limits, rounds)| {
        let zoned = limits.into_iter().zip(ZONES);
        Plan {
            limits: zoned.map(|(limit, zone)| limit.zone(zone)).collect(),
            rounds,
        }
    })
}

/// Asks one script or the other. The general one decides what asks for receipts.
async fn ask(limiter: &RateLimiter, plan: &Plan, request: &Request, names: &[String]) -> Decision {
    let bits = 0..plan.limits.len();
    let mut chosen: Vec<_> = bits.filter(|bit| request.limits >> bit & 1 == 1).collect();
    if chosen.is_empty() {
        chosen.push(0);
    }
    let limits: Vec<_> = chosen
        .into_iter()
        .map(|index| {
            let limit = plan.limits[index];
            let cost = units(request.costs[index], &limit);
            limit.cost(cost.min(limit.quota()))
        })
        .collect();
    let name = names[request.identity].as_str();
    let checks: Vec<_> = limits.iter().map(|limit| (limit, name)).collect();
    if request.is_general {
        limiter.check_with_receipts(&checks).await.unwrap().0
    } else {
        limiter.check_all(&checks).await.unwrap()
    }
}

/// The store that the limiters of a test share.
enum Shared {
    Server(Server),
    /// The checks of each identity are a call of their own, as each identity has a slot.
    Cluster,
}

impl Shared {
    fn builder(&self) -> Builder {
        match self {
            Self::Server(server) => RateLimiter::builder().redis_url(server.url()),
            Self::Cluster => RateLimiter::builder().redis(cluster_pool(shared_cluster().urls())),
        }
    }

    fn nodes(&self) -> Vec<&Server> {
        match self {
            Self::Server(server) => vec![server],
            Self::Cluster => (0..3).map(|node| shared_cluster().node(node)).collect(),
        }
    }
}

fn agree(store: &Shared, most: u32) {
    let clock = ManualClock::new();
    let limiters = block_on(async {
        let made = SIDES.map(|prefix| {
            let limiter = store
                .builder()
                .prefix(prefix)
                .deadline(Duration::from_secs(10))
                // Denied requests must be calls, too.
                .denial_cache(Duration::ZERO)
                .clock(clock.clone());
            limiter.build()
        });
        join_all(made).await
    });
    let limiters: Vec<_> = limiters.into_iter().map(Result::unwrap).collect();
    // After the builders have tried out both scripts.
    let nodes = store.nodes();
    let monitors: Vec<_> = nodes.into_iter().map(Monitor::start).collect();
    let mut runner = TestRunner::new(ProptestConfig {
        cases: cases(most),
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let outcome = runner.run(&plan(), |plan| {
        block_on(async {
            clock.set(ManualClock::new().now());
            let names: Vec<String> = (0..3).map(|_| unique("user")).collect();
            let mut wait = Duration::ZERO;
            for (requests, gap) in &plan.rounds {
                clock.advance(match *gap {
                    Gap::Micros(gap) => Duration::from_micros(gap),
                    Gap::OfWindow(part) => {
                        Duration::from_micros(plan.limits[0].window_micros() / 256 * part)
                    }
                    // Logs in Redis hold times at most 71 years apart.
                    Gap::Retry(less) => wait
                        .saturating_sub(Duration::from_micros(less))
                        .min(Duration::from_micros(366 * DAY)),
                });
                let mut sides = Vec::new();
                for (side, limiter) in SIDES.iter().zip(&limiters) {
                    let requests: Vec<_> = requests
                        .iter()
                        .map(|request| Request {
                            is_general: match *side {
                                "both" => request.is_general,
                                side => side == "general",
                            },
                            ..request.clone()
                        })
                        .collect();
                    let asked = requests
                        .iter()
                        .map(|request| ask(limiter, &plan, request, &names));
                    let decisions = match *side {
                        // One after the other, because each is a call of either script.
                        "both" => {
                            let mut decisions = Vec::new();
                            for asked in asked {
                                decisions.push(asked.await);
                            }
                            decisions
                        }
                        // The requests go in batches, in which they have their order.
                        _ => unconstrained(join_all(asked)).await,
                    };
                    sides.push(decisions);
                }
                let [plain, general, both] = sides.try_into().expect("a vector of each side");
                for (index, decision) in general.iter().enumerate() {
                    let request = &requests[index];
                    prop_assert_eq!(
                        shown(&plain[index]),
                        shown(decision),
                        "plain: {:?}",
                        request
                    );
                    prop_assert_eq!(shown(&both[index]), shown(decision), "both: {:?}", request);
                }
                let waits = general.iter().filter_map(Decision::retry_after);
                wait = waits.max().unwrap_or_default();
            }
            Ok(())
        })?;
        Ok(())
    });
    outcome.unwrap();
    each_side_was_decided_by_its_script(monitors);
}

/// Guards the test itself: a plain script that is never called agrees with everything.
fn each_side_was_decided_by_its_script(monitors: Vec<Monitor>) {
    let mut scripts: [HashMap<String, usize>; 3] = Default::default();
    for words in monitors.into_iter().flat_map(Monitor::commands) {
        if words[0] != "EVALSHA" {
            continue;
        }
        let side = SIDES
            .iter()
            .position(|side| words[3].starts_with(&format!("{side}:")));
        // The calls that try out a new connection name other keys.
        if let Some(side) = side {
            *scripts[side].entry(words[1].clone()).or_default() += 1;
        }
    }
    let [plain, general, both] = &scripts;
    let most = |scripts: &HashMap<String, usize>| {
        let most = scripts.iter().max_by_key(|(_, calls)| **calls);
        most.map(|(script, _)| script.clone())
    };
    println!("plain: {plain:?}, general: {general:?}, both: {both:?}");
    assert_eq!(general.len(), 1, "{general:?}");
    assert_ne!(most(plain), most(general));
    // The general script decides after denials by limits that block.
    let [plain, general] = [most(plain), most(general)].map(Option::unwrap);
    assert!(scripts[0][&plain] > scripts[0].get(&general).copied().unwrap_or(0));
    assert!(scripts[2].contains_key(&plain) && scripts[2].contains_key(&general));
}

fn agree_on(version: ServerVersion, most: u32) {
    agree(&Shared::Server(Server::start(version)), most);
}

#[test]
fn both_scripts_agree_on_redis_6_2() {
    agree_on(ServerVersion::Redis62, FEW);
}

#[test]
fn both_scripts_agree_on_redis_7() {
    agree_on(ServerVersion::Redis7, 300);
}

#[test]
fn both_scripts_agree_on_valkey_9() {
    agree_on(ServerVersion::Valkey9, FEW);
}

#[test]
fn both_scripts_agree_on_a_cluster() {
    agree(&Shared::Cluster, FEW);
}
