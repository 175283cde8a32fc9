//! Tests of the bounds of leases, with random processes, costs and times.

use std::collections::VecDeque;

use actix_throttle_core::limit::Refill;

use super::*;

/// Returns the most that was admitted within any interval of length `window`.
fn most_within(window: u64, admissions: &[(u64, u32)]) -> u32 {
    let (mut inside, mut sum, mut most) = (VecDeque::new(), 0, 0);
    for (at, cost) in admissions {
        inside.push_back((*at, *cost));
        sum += cost;
        while let Some((first, cost)) = inside.front().copied() {
            if at - first < window {
                break;
            }
            inside.pop_front();
            sum -= cost;
        }
        most = most.max(sum);
    }
    most
}

/// Returns the most that was admitted in one window, with windows that open at their first
/// admission.
fn most_in_a_window(window: u64, admissions: &[(u64, u32)]) -> u32 {
    let (mut start, mut sum, mut most) = (0, 0, 0);
    for (at, cost) in admissions {
        if sum == 0 || at - start >= window {
            (start, sum) = (*at, 0);
        }
        sum += cost;
        most = most.max(sum);
    }
    most
}

/// Sends random requests from several processes, and returns what was admitted and when.
async fn storm(limit: &Limit, processes: usize, seed: u64) -> Vec<(u64, u32)> {
    let (service, mut dice) = (Service::new(processes), dice(seed));
    let window = usize::try_from(limit.window_micros()).expect("a window of a test");
    let mut admissions = Vec::new();
    for _ in 0..1_500 {
        let cost = [1, 1, 1, 2, 3][dice.roll(5)];
        let outcome = service
            .ask(dice.roll(processes), Mode::Charge, &[(limit, cost)])
            .await;
        if outcome.allowed {
            admissions.push((service.clock.micros(), cost));
        }
        match dice.roll(40) {
            0 => service.advance(dice.roll(window) as u64).await,
            1..10 => service.advance(dice.roll(window / 50) as u64).await,
            _ => {}
        }
    }
    admissions
}

#[test]
fn no_fixed_window_ever_holds_more_than_the_limit() {
    for seed in 0..30 {
        run(async || {
            let limit = fixed(60).lease(20);
            let admissions = storm(&limit, 4, seed).await;
            let most = most_in_a_window(limit.window_micros(), &admissions);
            assert!(most <= 60, "seed {seed}: {most}");
            assert!(most >= 50, "seed {seed}: only {most}");
        });
    }
}

#[test]
fn other_algorithms_admit_at_most_what_was_on_lease_more() {
    let (processes, lease, times) = (4, 20, 60);
    let minute = Duration::from_secs(60);
    let limit = Limit::new(times, minute).lease(lease);
    let on_lease = lease * u32::try_from(processes).unwrap_or(u32::MAX);
    for (limit, alone) in [
        (limit, times),
        // The bound is two windows, because one of them is only weighted.
        (limit.algorithm(Algorithm::SlidingWindowCounter), 2 * times),
        (limit.algorithm(Algorithm::TokenBucket), 2 * times),
        (
            limit
                .algorithm(Algorithm::TokenBucket)
                .refill(Refill::Interval),
            2 * times,
        ),
    ] {
        for seed in 0..10 {
            run(async || {
                let admissions = storm(&limit, processes, seed).await;
                let most = most_within(limit.window_micros(), &admissions);
                assert!(most <= alone + on_lease, "{limit:?} {seed}: {most}");
                assert!(most >= times - 10, "{limit:?} {seed}: only {most}");
            });
        }
    }
}
