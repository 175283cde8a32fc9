//! The decision on a whole check: peeks at all of its limits, then charges all of them or none.

use smallvec::SmallVec;

use super::{
    charge::{peek, peek_unblocked, receipt, start_block, try_charge},
    settle::{force_charge, settle},
    states::States,
};
use crate::{
    algorithm::Wait,
    check::{Charge, Check, Mode, Outcome, Receipts},
    decision::{DecisionSource, Verdict},
    time::Micros,
};

/// Decides any check.
///
/// # Errors
///
/// If there is no room for the states of an admitted check; nothing is then charged.
#[inline]
pub fn decide<S: States>(
    check: &Check<'_>,
    states: &mut S,
    now: Micros,
) -> Result<Outcome, S::Full> {
    if check.mode.is_settlement() {
        for (index, charge) in check.charges.iter().enumerate() {
            if let Some(settlement) = check.mode.settlement(index) {
                settle(
                    charge,
                    &settlement,
                    &mut states.of_charge(index, charge),
                    now,
                );
            }
        }
    }
    let mut verdicts: SmallVec<[Verdict; 1]> = SmallVec::new();
    for (index, charge) in check.charges.iter().enumerate() {
        let mut states = states.of_charge(index, charge);
        verdicts.push(match check.mode {
            Mode::Renew => peek_unblocked(charge, &mut states, now),
            _ => peek(charge, &mut states, now),
        });
    }
    let allowed = !check.mode.can_deny()
        || check
            .charges
            .iter()
            .zip(&verdicts)
            .all(|(charge, verdict)| charge.limit.is_shadow() || verdict.wait == Wait::None);

    if allowed && check.mode.is_charge() {
        states.reserve(check, now)?;
    }
    let mut receipts = Receipts::new();
    if check.mode.has_receipts() {
        receipts.resize(check.charges.len(), None);
    }
    let mut next_receipt = receipts.iter_mut();
    for (index, (charge, verdict)) in check.charges.iter().zip(&mut verdicts).enumerate() {
        let receipt_out = next_receipt.next();
        let mut states = states.of_charge(index, charge);
        let cost = cost_to_take(check.mode, charge, verdict, allowed);
        if cost > 0 {
            let charge = &Charge { cost, ..*charge };
            let charged = match check.mode {
                Mode::Force => force_charge(charge, &mut states, now),
                _ => try_charge(charge, &mut states, now),
            };
            match charged {
                Ok(charged) => {
                    *verdict = charged;
                    if let Some(out) = receipt_out {
                        *out = receipt(charge, &states, verdict, now);
                    }
                }
                // The permit had expired, and there is no room to acquire it again.
                Err(_) if check.mode == Mode::Renew => verdict.wait = Wait::For(1),
                // A shadow limit denies nothing, and a lease or a forced charge without room takes
                // nothing.
                Err(_) => {}
            }
        } else if check.mode.is_charge() {
            start_block(charge, &mut states, verdict, allowed, now);
        }
    }
    Ok(Outcome {
        allowed,
        verdicts,
        receipts,
        mirror_receipts: Receipts::new(),
        stable_for: 0,
        source: DecisionSource::Store,
    })
}

/// Returns the cost that the decision takes of one charge. A lease and a forced charge never wait,
/// so their verdicts have no wait any more.
#[inline]
fn cost_to_take(mode: Mode<'_>, charge: &Charge<'_>, verdict: &mut Verdict, allowed: bool) -> u32 {
    match mode {
        Mode::Lease => {
            verdict.wait = Wait::None;
            charge.may_lease(verdict)
        }
        Mode::Force => {
            verdict.wait = Wait::None;
            charge.cost
        }
        Mode::Charge | Mode::ChargeForReceipts | Mode::Renew
            if allowed && verdict.wait == Wait::None =>
        {
            charge.cost
        }
        Mode::Charge
        | Mode::ChargeForReceipts
        | Mode::Renew
        | Mode::Peek
        | Mode::Refund(_)
        | Mode::Settle(_) => 0,
    }
}
