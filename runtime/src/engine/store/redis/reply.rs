//! Parses the script's reply: big-endian integers of fixed widths, in one string. A list of
//! integers would cost both ends several times as much. The batch queue and the rollback call this.

use actix_throttle_core::{
    algorithm::{Receipt, Wait},
    check::{Check, Outcome, Outcomes},
    decision::{DecisionSource, Verdict},
    stored::bytes::{take, take_u32},
};
use smallvec::SmallVec;

use crate::engine::store::interface::StoreError;

/// The layout of the reply to one check.
#[derive(Clone, Copy, Debug)]
pub(super) struct ReplyLayout {
    charges: usize,
    has_receipts: bool,
}

impl ReplyLayout {
    pub(super) fn of(check: &Check<'_>) -> Self {
        Self {
            charges: check.charges.len(),
            has_receipts: check.mode.has_receipts(),
        }
    }

    /// Reads the first outcome in `rest`, and advances `rest` to what follows. `None` if the reply
    /// is malformed.
    fn read(self, rest: &mut &[u8]) -> Option<Outcome> {
        let allowed = take(rest, 1)? == 1;
        // A denial says how long it stays the same, in microseconds.
        let stable_for = if allowed { 0 } else { take(rest, 7)? };
        let at = if self.has_receipts {
            Some(take(rest, 7)?)
        } else {
            None
        };
        let mut verdicts = SmallVec::new();
        let mut receipts = Vec::new();
        for _ in 0..self.charges {
            let verdict = verdict(rest)?;
            if let Some(at) = at {
                let mark = take(rest, 7)?;
                let taken = take_u32(rest, 4)?;
                let full_for = take(rest, 5)?;
                receipts.push((taken > 0).then_some(Receipt {
                    at,
                    taken,
                    remaining: verdict.remaining,
                    tag: mark,
                    full_for,
                }));
            }
            verdicts.push(verdict);
        }
        Some(Outcome {
            allowed,
            verdicts,
            receipts,
            mirror_receipts: Vec::new(),
            stable_for,
            source: DecisionSource::Store,
        })
    }
}

/// The value in place of the reply to a call that did nothing, because its keys are being migrated
/// to another node of a cluster. `migration::exchange` returns it; the script never does.
#[cfg(feature = "cluster")]
pub(super) const MIGRATING: &[u8] = &[0xff];

/// Reads the script's reply to checks with these layouts.
///
/// # Errors
///
/// If the keys are being migrated, if the call was a repeated one, or if the reply is malformed.
pub(super) fn outcomes(
    reply: &[u8],
    shapes: impl Iterator<Item = ReplyLayout>,
) -> Result<Outcomes, StoreError> {
    is_decision(reply)?;
    let mut rest = reply;
    let outcomes: Option<Outcomes> = shapes.map(|shape| shape.read(&mut rest)).collect();
    match outcomes {
        Some(outcomes) if rest.is_empty() => Ok(outcomes),
        _ => Err(StoreError::malformed()),
    }
}

/// Tells a decision from the replies of a cluster that are none.
///
/// # Errors
///
/// If the keys are being migrated, or if the call was a repeated one.
pub(super) fn is_decision(reply: &[u8]) -> Result<(), StoreError> {
    #[cfg(feature = "cluster")]
    if reply == MIGRATING {
        return Err(StoreError::migrating());
    }
    // The script has found its idempotency key in Redis: the call is a repeated one.
    if reply.is_empty() {
        return Err(StoreError::new(
            "a connection was lost in mid-call; the call was sent again and not carried out twice",
        ));
    }
    Ok(())
}

/// Whether a call about a block has set it: a block that takes precedence may be in force. An empty
/// reply is that to a repeated call, and says that the first one has set the block.
pub(super) fn has_blocked(reply: &[u8]) -> bool {
    reply != [0]
}

/// The outcome of a call about one check.
#[cfg(feature = "cluster")]
pub(super) fn outcome(reply: &[u8], check: &Check<'_>) -> Result<Outcome, StoreError> {
    let outcomes = outcomes(reply, std::iter::once(ReplyLayout::of(check)))?;
    let outcome = outcomes.into_iter().next();
    outcome.ok_or_else(StoreError::nothing)
}

const BLOCKED: u64 = 1;
const NEVER: u64 = 2;

fn verdict(rest: &mut &[u8]) -> Option<Verdict> {
    let flags = take(rest, 1)?;
    let wait = match take(rest, 7)? {
        _ if flags & NEVER != 0 => Wait::Never,
        0 => Wait::None,
        wait => Wait::For(wait),
    };
    Some(Verdict {
        wait,
        blocked: flags & BLOCKED != 0,
        remaining: take_u32(rest, 4)?,
        reset: take(rest, 7)?,
        more: take(rest, 7)?,
    })
}

#[cfg(test)]
mod tests;
