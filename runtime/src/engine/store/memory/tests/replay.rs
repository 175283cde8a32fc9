//! Property: a replay decides as the in-memory store does, for any limits and any traffic.

mod traffic;

use std::time::Duration;

use actix_throttle_core::{
    algorithm::Receipt,
    check::{Charge, Check, Mode},
    decision::LimitStatus,
    failure_mode::FailureMode,
    identity::Identity,
    key::Key,
    limit::{AnyLimit, Limit, PermitId},
    replay::{HashStates, SimulatedLimit, SimulatedRequest, Simulation},
    time::Micros,
};
use proptest::{collection::vec, option, prelude::*};

use self::traffic::{Action, Gap, IDENTITIES, Step, Traffic, gap, rate, traffic};
use crate::engine::{
    clock::{Clock, ManualClock},
    store::memory::MemoryStore,
};

const START: Micros = 1_000_000_000_000;

/// Charges that can be refunded.
struct Charged {
    step: Step,
    receipts: Vec<Option<Receipt>>,
}

/// A store whose clock is set by the test.
struct Clocked {
    store: MemoryStore,
    clock: ManualClock,
    now: Micros,
}

impl Clocked {
    fn new() -> Self {
        let clock = ManualClock::new();
        clock.set(Duration::from_micros(START));
        Self {
            // The store has several shards, so that a check may span them.
            store: MemoryStore::new(16_384, Clock::Manual(clock.clone())),
            clock,
            now: START,
        }
    }

    /// Moves the clock. Before it steps back, `expire` and the store drop what has expired: whether
    /// a state that had expired is still there after the step depends on chance.
    fn advance(&mut self, gap: Gap, expire: impl FnOnce(Micros)) {
        self.now = match gap {
            Gap::None => self.now,
            Gap::Forward(by) => self.now + by,
            Gap::Backward(by) => {
                expire(self.now);
                self.drop_expired();
                self.now - by
            }
        };
        self.clock.set(Duration::from_micros(self.now));
    }

    fn drop_expired(&self) {
        for shard in &self.store.shards {
            let mut shard = shard.lock();
            // The first sweep goes to the end of the list, the second one through all of it.
            for _ in 0..2 {
                shard.counters.sweep(usize::MAX, self.now, drop);
                shard.permits.sweep(usize::MAX, self.now, drop);
                shard.blocks.sweep(usize::MAX, self.now, drop);
            }
        }
    }
}

/// Returns the charges of a step, of the limits that fit its action.
fn charges<'a>(step: &Step, limits: &'a [AnyLimit], identities: &'a [Identity]) -> Vec<Charge<'a>> {
    let chosen = limits.iter().zip(step.costs).enumerate();
    let charges = chosen.filter_map(|(index, (limit, cost))| {
        // The identities differ between the limits of one check, as in an application.
        let identity = &identities[(step.identity + index / 2) % identities.len()];
        let (key, cost) = match limit {
            AnyLimit::Rate(limit) => (Key::counter(identity, limit), cost?),
            AnyLimit::Concurrency(limit) => (Key::permits(identity, limit), cost.map(|_| 1)?),
        };
        let renews = matches!(step.action, Action::Renew);
        let leases = matches!(step.action, Action::Lease);
        let is_rate = matches!(limit, AnyLimit::Rate(_));
        (!(renews && is_rate || leases && !is_rate)).then(|| Charge {
            key,
            limit: limit.as_ref_with(PermitId(step.permit_id)),
            cost,
            failure_mode: FailureMode::Open,
        })
    });
    charges.collect()
}

fn in_turn(limits: &[AnyLimit], in_turn: bool) -> Vec<AnyLimit> {
    let limits = limits.iter().map(|limit| match limit {
        AnyLimit::Rate(limit) if in_turn => AnyLimit::Rate(limit.in_turn()),
        other => *other,
    });
    limits.collect()
}

fn follow(traffic: &Traffic) -> Result<(), TestCaseError> {
    let mut clocked = Clocked::new();
    let mut replay = HashStates::default();
    let identities = IDENTITIES.map(Identity::new);
    let mut charged: Vec<Charged> = Vec::new();
    for step in &traffic.steps {
        clocked.advance(step.gap, |now| replay.drop_expired(now));
        let refunded = match &step.action {
            Action::Refund(_) if charged.is_empty() => continue,
            Action::Refund(index) => Some(charged.swap_remove(index.index(charged.len()))),
            _ => None,
        };
        let source = refunded.as_ref().map_or(step, |charged| &charged.step);
        let limits = in_turn(&traffic.limits, source.in_turn);
        let charges = charges(source, &limits, &identities);
        if charges.is_empty() {
            continue;
        }
        let check = Check {
            mode: match (&step.action, &refunded) {
                (Action::Refund(_), Some(refunded)) => Mode::Refund(&refunded.receipts),
                (Action::ChargeForReceipts, _) => Mode::ChargeForReceipts,
                (Action::Peek, _) => Mode::Peek,
                (Action::Lease, _) => Mode::Lease,
                (Action::Renew, _) => Mode::Renew,
                _ => Mode::Charge,
            },
            charges: charges.into(),
        };
        let stored = clocked.store.decide_one(&check);
        let stored = stored.map_err(|_| TestCaseError::fail("the store is full"))?;
        let replayed = replay.decide(&check, clocked.now);
        prop_assert_eq!(&stored, &replayed, "{:?}", step);
        if stored.receipts.iter().any(Option::is_some) {
            charged.push(Charged {
                step: step.clone(),
                receipts: stored.receipts,
            });
        }
    }
    Ok(())
}

/// Returns the check of all limits for one request.
fn check<'a>(
    limits: &'a [Limit],
    identity: &'a Identity,
    cost: Option<u32>,
    mode: Mode<'a>,
) -> Check<'a> {
    let charges = limits.iter().map(|limit| Charge {
        key: Key::counter(identity, limit),
        limit: limit.into(),
        cost: cost.unwrap_or(limit.cost_value()),
        failure_mode: FailureMode::Open,
    });
    Check {
        mode,
        charges: charges.collect(),
    }
}

fn figures(status: &LimitStatus) -> (bool, Option<Duration>, u32, Duration, Option<Duration>) {
    (
        status.exceeds_capacity(),
        status.retry_after(),
        status.remaining(),
        status.reset_after(),
        status.more_after(),
    )
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 500,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn replay_decides_as_the_store(traffic in traffic()) {
        follow(&traffic)?;
    }

    #[test]
    fn simulation_counts_what_the_store_decides(
        limits in (rate(0), rate(1), rate(2)),
        refunding in any::<[bool; 3]>(),
        requests in vec((gap(), 0..IDENTITIES.len(), option::of(0..9_u32), any::<bool>()), 1..60),
    ) {
        let limits: [Limit; 3] = limits.into();
        let simulated = limits.iter().zip(refunding).map(|(limit, refunds)| {
            let simulated = SimulatedLimit::new(*limit);
            match "5xx".parse() {
                Ok(statuses) if refunds => simulated.refund_on(statuses),
                _ => simulated,
            }
        });
        let mut simulation = Simulation::new(simulated).unwrap();
        let mut clocked = Clocked::new();
        let mut counts = [(0, 0); 3];
        for (gap, identity, cost, fails) in requests {
            clocked.advance(gap, |now| simulation.drop_expired(now));
            let identity = Identity::new(IDENTITIES[identity]);
            let charge = check(&limits, &identity, cost, Mode::ChargeForReceipts);
            let stored = clocked.store.decide_one(&charge).unwrap();
            let decision = simulation.feed(&SimulatedRequest {
                at: clocked.now,
                identity: &identity,
                cost,
                status: Some(if fails { 503 } else { 200 }),
            });
            prop_assert_eq!(decision.is_allowed(), stored.allowed);
            let verdicts = charge.charges.iter().zip(&stored.verdicts);
            for (((charge, verdict), status), count) in
                verdicts.zip(decision.limits()).zip(&mut counts)
            {
                let expected = LimitStatus::new(charge.limit, *verdict, 0);
                prop_assert_eq!(figures(status), figures(&expected));
                *(if expected.is_exceeded() { &mut count.1 } else { &mut count.0 }) += 1;
            }
            let receipts = stored.receipts.iter().zip(refunding);
            let receipts: Vec<_> =
                receipts.map(|(receipt, refunds)| receipt.filter(|_| refunds && fails)).collect();
            if receipts.iter().all(Option::is_none) {
                continue;
            }
            let refund = check(&limits, &identity, cost, Mode::Refund(&receipts));
            let refunded = clocked.store.decide_one(&refund).unwrap();
            for (report, verdict) in simulation.limits().iter().zip(&refunded.verdicts) {
                let latest = report.latest().map(LimitStatus::remaining);
                prop_assert_eq!(latest, Some(verdict.remaining));
            }
        }
        let reports = simulation.limits().iter();
        let reports: Vec<_> = reports.map(|report| (report.admitted(), report.denied())).collect();
        prop_assert_eq!(reports, counts);
    }

    /// The single step of [`Mode::Charge`] on one limit, and the two steps of every other check.
    #[test]
    fn single_step_decides_as_two_steps(
        limit in rate(0),
        requests in vec((gap(), 0..IDENTITIES.len(), option::of(0..9_u32)), 1..60),
    ) {
        let (mut single, mut two) = (HashStates::default(), HashStates::default());
        let mut clocked = Clocked::new();
        for (gap, identity, cost) in requests {
            clocked.advance(gap, |now| {
                single.drop_expired(now);
                two.drop_expired(now);
            });
            let identity = Identity::new(IDENTITIES[identity]);
            let check = |mode| check(std::slice::from_ref(&limit), &identity, cost, mode);
            let single = single.decide(&check(Mode::Charge), clocked.now);
            let two = two.decide(&check(Mode::ChargeForReceipts), clocked.now);
            prop_assert_eq!((single.allowed, single.verdicts), (two.allowed, two.verdicts));
        }
    }
}
