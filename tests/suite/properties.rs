//! Random limits over the whole range, random costs and gaps, up to four limits in one decision:
//! the embedded store and the servers say what the model says, to the microsecond.

use std::time::Duration;

use actix_throttle::{Algorithm, Decision, Limit, LimitStatus, ManualClock, Refill};
use proptest::{prelude::*, test_runner::TestRunner};

use crate::{
    harness::Flavour,
    model::{Answer, Model, Numbers, Wait},
    stores::{Bench, Target, block_on, unique},
};

const DAY: u64 = 24 * 60 * 60 * 1_000_000;
/// Stacked limits count in zones of their own, so that none of them can share a counter.
const ZONES: [&str; 4] = ["a", "b", "c", "d"];

#[derive(Clone, Debug)]
struct Plan {
    limits: Vec<(Limit, Refill)>,
    steps: Vec<Step>,
}

/// After a gap, a request that costs each limit something.
#[derive(Clone, Debug)]
struct Step {
    gap: Gap,
    costs: [Cost; 4],
}

#[derive(Clone, Copy, Debug)]
enum Gap {
    Micros(u64),
    /// So many 256ths of the first limit's window.
    OfWindow(u64),
    /// What the last answer said to wait, less so many microseconds.
    Retry(u64),
}

#[derive(Clone, Copy, Debug)]
enum Cost {
    Units(u32),
    /// So many 16ths of what the limit holds.
    OfQuota(u32),
}

/// Evenly over the orders of magnitude, the ends included.
fn magnitude(low: u64, high: u64) -> impl Strategy<Value = u64> {
    let (from, to) = ((low as f64).ln(), (high as f64).ln());
    prop_oneof![
        1 => Just(low),
        1 => Just(high),
        8 => (0.0..=1.0f64)
            .prop_map(move |part| ((from + part * (to - from)).exp() as u64).clamp(low, high)),
    ]
}

fn limit() -> impl Strategy<Value = (Limit, Refill)> {
    let algorithm = prop_oneof![
        Just((Algorithm::SlidingWindow, Refill::Greedy)),
        Just((Algorithm::SlidingWindowCounter, Refill::Greedy)),
        Just((Algorithm::FixedWindow, Refill::Greedy)),
        Just((Algorithm::TokenBucket, Refill::Greedy)),
        Just((Algorithm::TokenBucket, Refill::Interval)),
        Just((Algorithm::LeakyBucket, Refill::Greedy)),
    ];
    let numbers = (
        magnitude(1, 1_000_000_000),
        magnitude(1_000, 366 * DAY),
        magnitude(1, 1_000_000_000),
    );
    (algorithm, numbers).prop_map(|((algorithm, refill), (times, window, capacity))| {
        let most = match algorithm {
            Algorithm::SlidingWindow => 1_000_000,
            Algorithm::TokenBucket | Algorithm::LeakyBucket => window.min(1_000_000_000),
            _ => 1_000_000_000,
        };
        let times = times.min(most) as u32;
        let limit = Limit::new(times, Duration::from_micros(window)).algorithm(algorithm);
        let limit = match algorithm {
            Algorithm::TokenBucket => limit.capacity(capacity as u32).refill(refill),
            _ => limit,
        };
        assert_eq!(limit.validate(), Ok(()));
        (limit, refill)
    })
}

fn plan() -> impl Strategy<Value = Plan> {
    let gap = prop_oneof![
        3 => (0u64..3).prop_map(Gap::Micros),
        2 => magnitude(1, 366 * DAY).prop_map(Gap::Micros),
        4 => (0u64..=300).prop_map(Gap::OfWindow),
        3 => (0u64..2).prop_map(Gap::Retry),
    ];
    let cost = || {
        prop_oneof![
            4 => Just(Cost::Units(1)),
            1 => Just(Cost::Units(0)),
            2 => (1u32..5).prop_map(Cost::Units),
            4 => (1u32..=17).prop_map(Cost::OfQuota),
        ]
    };
    let step = (gap, [cost(), cost(), cost(), cost()]).prop_map(|(gap, costs)| Step { gap, costs });
    (
        prop::collection::vec(limit(), 1..=4),
        prop::collection::vec(step, 1..40),
    )
        .prop_map(|(limits, steps)| Plan { limits, steps })
}

fn micros(duration: Duration) -> u64 {
    duration.as_micros().try_into().unwrap()
}

/// What a store said of one limit, in the model's words.
fn said(status: &LimitStatus) -> Answer {
    Answer {
        wait: match (status.is_impossible(), status.retry_after()) {
            (true, _) => Wait::Never,
            (false, Some(wait)) => Wait::For(micros(wait)),
            (false, None) => Wait::Fits,
        },
        remaining: status.remaining().into(),
        reset: micros(status.reset_after()),
    }
}

async fn follow(bench: &Bench, plan: &Plan) {
    bench.clock.set(ManualClock::new().now());
    let identity = unique("user");
    let zoned = plan.limits.iter().zip(ZONES);
    let limits: Vec<_> = zoned.map(|((limit, _), zone)| limit.zone(zone)).collect();
    let numbers = plan
        .limits
        .iter()
        .map(|(limit, refill)| Numbers::of(limit, *refill));
    let mut models: Vec<_> = numbers.map(Model::new).collect();
    let mut retry = 0;
    for step in &plan.steps {
        bench.advance(match step.gap {
            Gap::Micros(gap) => gap,
            Gap::OfWindow(part) => limits[0].window_micros() / 256 * part,
            Gap::Retry(less) => u64::saturating_sub(retry, less).min(366 * DAY),
        });
        let now = micros(bench.clock.now());
        let costed: Vec<_> = limits
            .iter()
            .zip(step.costs)
            .map(|(limit, cost)| limit.cost(units(cost, limit)))
            .collect();
        let checks: Vec<_> = costed
            .iter()
            .map(|limit| (limit, identity.as_str()))
            .collect();
        let decision = bench.limiter.check_all(&checks).await.unwrap();

        let before: Vec<_> = models
            .iter()
            .zip(&costed)
            .map(|(model, limit)| answer(model, now, limit.default_cost()))
            .collect();
        let allowed = before.iter().all(|answer| answer.wait == Wait::Fits);
        assert_eq!(decision.is_allowed(), allowed, "at {now}");
        if allowed {
            for (model, limit) in models.iter_mut().zip(&costed) {
                if limit.default_cost() > 0 {
                    model.admit(now, limit.default_cost().into());
                }
            }
        }
        for ((model, before), status) in models.iter().zip(&before).zip(decision.limits()) {
            let quota = model.answer(now, 1);
            let expected = Answer {
                wait: before.wait,
                ..quota
            };
            assert_eq!(said(status), expected, "{:?} at {now}", status.limit());
        }
        retry = honest_wait(bench, &checks, &decision).await;
    }
}

fn units(cost: Cost, limit: &Limit) -> u32 {
    match cost {
        Cost::Units(units) => units,
        Cost::OfQuota(sixteenths) => {
            let units = u64::from(limit.quota()) * u64::from(sixteenths) / 16;
            u32::try_from(units).unwrap().max(1)
        }
    }
}

/// A cost of 0 always fits.
fn answer(model: &Model, now: u64, cost: u32) -> Answer {
    let answer = model.answer(now, cost.max(1).into());
    Answer {
        wait: if cost == 0 { Wait::Fits } else { answer.wait },
        ..answer
    }
}

/// Waiting as long as was said admits; a microsecond less does not. Returns that wait.
async fn honest_wait(bench: &Bench, checks: &[(&Limit, &str)], decision: &Decision) -> u64 {
    let Some(wait) = decision.retry_after() else {
        return 0;
    };
    let now = bench.clock.now();
    // A clock of the test's own outlives the keys of a server, whose logs know times 71 years apart.
    if micros(wait) > 20 * 366 * DAY {
        return 0;
    }
    for (until, allowed) in [(wait - Duration::from_micros(1), false), (wait, true)] {
        bench.clock.set(now + until);
        let mut all = true;
        for (limit, identity) in checks {
            all &= bench
                .limiter
                .peek(limit, *identity)
                .await
                .unwrap()
                .is_allowed();
        }
        assert_eq!(all, allowed, "after {until:?} of {wait:?}: {decision:?}");
    }
    bench.clock.set(now);
    micros(wait)
}

fn agree(target: Target, cases: u32) {
    let mut runner = TestRunner::new(ProptestConfig {
        cases,
        failure_persistence: None,
        ..ProptestConfig::default()
    });
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    let bench = runtime.block_on(Bench::new(target));
    let result = runner.run(&plan(), |plan| {
        runtime.block_on(follow(&bench, &plan));
        Ok(())
    });
    result.unwrap();
}

#[test]
fn memory_agrees_with_the_model() {
    agree(Target::Memory, 1500);
}

#[test]
fn redis_6_2_agrees_with_the_model() {
    agree(Target::Server(Flavour::Redis62), 300);
}

#[test]
fn redis_7_agrees_with_the_model() {
    agree(Target::Server(Flavour::Redis7), 300);
}

#[test]
fn valkey_9_agrees_with_the_model() {
    agree(Target::Server(Flavour::Valkey9), 300);
}

/// The most cost that any half-open interval of `window` holds.
fn most_in_any(window: u64, admissions: &[u64]) -> usize {
    let ends = admissions.iter().map(|start| {
        let end = admissions.partition_point(|at| *at < start + window);
        end - admissions.partition_point(|at| at < start)
    });
    ends.max().unwrap_or(0)
}

/// What gets through when requests come as fast as the limit's own waits allow.
async fn flood(limit: &Limit, until: u64) -> Vec<u64> {
    let bench = Bench::new(Target::Memory).await;
    let start = micros(bench.clock.now());
    let mut admissions = Vec::new();
    loop {
        let now = micros(bench.clock.now()) - start;
        if now >= until {
            return admissions;
        }
        let decision = bench.limiter.check(limit, "flood").await.unwrap();
        match decision.retry_after() {
            None => admissions.push(now),
            Some(wait) => bench.advance(micros(wait)),
        }
    }
}

#[test]
fn no_interval_holds_more_than_the_algorithm_allows() {
    let limits = [
        (Limit::per_second(3), 40 * 1_000_000),
        (Limit::new(7, Duration::from_millis(13)), 2_000_000),
        (
            Limit::new(999, Duration::from_secs(3600)),
            3 * 3_600_000_000,
        ),
    ];
    for (limit, until) in limits {
        let times = limit.times() as usize;
        let window = limit.window_micros();
        for (algorithm, most) in [
            (Algorithm::SlidingWindow, times),
            (Algorithm::FixedWindow, 2 * times),
            // The capacity at once, and what a window gains.
            (Algorithm::TokenBucket, 2 * times),
            (Algorithm::LeakyBucket, times),
        ] {
            let limit = limit.algorithm(algorithm);
            let admissions = block_on(flood(&limit, until));
            let found = most_in_any(window, &admissions);
            assert!(found <= most, "{limit:?}: {found}");
            // And the rate that was promised is given.
            let promised = usize::try_from(until / window).unwrap() * times;
            assert!(
                admissions.len() >= promised,
                "{limit:?}: {}",
                admissions.len()
            );
        }
    }
}

#[test]
fn a_rate_that_no_microsecond_divides_is_neither_exceeded_nor_rounded_down() {
    let hour = 3_600_000_000;
    let limit = Limit::per_hour(999_999);
    for algorithm in [Algorithm::SlidingWindow, Algorithm::LeakyBucket] {
        let limit = limit.algorithm(algorithm);
        let admissions = block_on(flood(&limit, hour + hour / 50));
        assert_eq!(most_in_any(hour, &admissions), 999_999, "{algorithm}");
    }
    // 600 a second stays 600, and 700,000 a second (1.43 µs each) stays 700,000.
    for times in [600, 700_000] {
        let limit = Limit::per_second(times).algorithm(Algorithm::LeakyBucket);
        let admissions = block_on(flood(&limit, 1_000_000));
        assert_eq!(admissions.len(), times as usize);
    }
}
