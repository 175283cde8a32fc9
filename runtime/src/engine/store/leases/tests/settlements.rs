//! Tests of settlements of charges that leases served.

use std::collections::BTreeMap;

use actix_throttle_core::algorithm::{Receipt, Settlement};

use super::{fixture::leasable, *};

/// The costs that count in the end, by the times at which the store charged them.
type Costs = BTreeMap<u64, u32>;

/// Charges and settles at random, each charge at most once, and returns all leases.
async fn settled_at_random(service: &Service, limit: &Limit, seed: u64) -> Costs {
    let (mut costs, mut open, mut dice) = (Costs::new(), Vec::<Receipt>::new(), dice(seed));
    let processes = service.processes.len();
    for _ in 0..60 {
        if dice.roll(3) > 0 || open.is_empty() {
            let charge = [(limit, [1, 1, 2, 3][dice.roll(4)])];
            let mode = Mode::ChargeForReceipts;
            let outcome = service.ask(dice.roll(processes), mode, &charge).await;
            let receipts = outcome.receipts.into_iter().flatten();
            for receipt in receipts {
                *costs.entry(receipt.at).or_default() += receipt.taken;
                open.push(receipt);
            }
        } else {
            let receipt = open.swap_remove(dice.roll(open.len()));
            let to = [0, 1, 2, 3, 9][dice.roll(5)];
            // A window that is emptied opens anew.
            let to = to.max(u32::from(limit.algorithm_value() == Algorithm::FixedWindow));
            let settlement = Settlement {
                receipt,
                from: receipt.taken,
                to,
            };
            let mode = Mode::Settle(&[Some(settlement)]);
            let charge = [(limit, receipt.taken)];
            service.ask(dice.roll(processes), mode, &charge).await;
            let cost = costs.get_mut(&receipt.at).expect("a charge of this time");
            *cost = *cost - receipt.taken + to;
        }
        service.advance(dice.roll(700_000) as u64).await;
    }
    for leases in &service.processes {
        leases.return_leases().await;
    }
    costs
}

#[test]
fn settled_charges_count_as_if_their_cost_had_been_known() {
    for limit in leasable(40, 20) {
        let limit = limit.for_settlement();
        for seed in 0..100 {
            run(async || {
                let service = Service::ticking(3);
                let costs = settled_at_random(&service, &limit.lease(20), seed).await;
                let known = Service::new(1);
                for (at, cost) in costs {
                    known.advance(at - known.clock.micros()).await;
                    known.ask(0, Mode::Force, &[(&limit, cost)]).await;
                }
                let peek = async |service: &Service| {
                    let outcome = service.ask(0, Mode::Peek, &[(&limit, 1)]).await;
                    outcome.verdicts[0]
                };
                for _ in 0..5 {
                    let settled = peek(&service).await;
                    let now = service.clock.micros();
                    known.advance(now - known.clock.micros()).await;
                    let context = format!("seed {seed}, {limit:?}");
                    assert_eq!(settled, peek(&known).await, "{context}");
                    service.advance(3 * SECOND).await;
                }
            });
        }
    }
}
