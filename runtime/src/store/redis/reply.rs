//! The script's reply: a flat list of integers.

use smallvec::SmallVec;

use crate::{
    algorithm::{Receipt, Wait},
    clock::Micros,
    decision::Verdict,
    store::interface::{Check, Mode, Outcome, Outcomes, StoreError},
};

/// The numbers of one verdict in the reply: wait, blocked, remaining, reset.
const VERDICT: usize = 4;
/// With a receipt, the mark and what was taken come after those.
const WITH_RECEIPT: usize = VERDICT + 2;

/// What the reply to one check looks like.
#[derive(Clone, Copy, Debug)]
pub(super) struct Shape {
    charges: usize,
    has_receipts: bool,
}

impl Shape {
    pub(super) fn of(check: &Check<'_>) -> Self {
        Self {
            charges: check.charges.len(),
            has_receipts: matches!(check.mode, Mode::ChargeForReceipts | Mode::Lease),
        }
    }

    /// Reads the outcome that stands first in `rest`, and goes on to what follows it.
    fn read(self, rest: &mut &[i64]) -> Option<Outcome> {
        let (allowed, mut tail) = rest.split_first()?;
        let allowed = *allowed == 1;
        let mut steady = 0;
        if !allowed {
            let (micros, after) = tail.split_first()?;
            steady = Micros::try_from(*micros).ok()?;
            tail = after;
        }
        let mut at = None;
        let mut width = VERDICT;
        if self.has_receipts {
            let (now, after) = tail.split_first()?;
            at = Some(Micros::try_from(*now).ok()?);
            tail = after;
            width = WITH_RECEIPT;
        }
        let (charges, tail) = tail.split_at_checked(width * self.charges)?;
        *rest = tail;
        let charges = charges.chunks_exact(width);
        let verdicts: Option<SmallVec<_>> = charges.clone().map(verdict).collect();
        let verdicts = verdicts?;
        let receipts = at.map(|at| {
            let charges = charges.zip(&verdicts);
            charges.map(move |(numbers, verdict)| receipt(numbers, verdict, at))
        });
        Some(Outcome {
            allowed,
            receipts: receipts.into_iter().flatten().collect(),
            verdicts,
            steady,
        })
    }
}

/// Reads the script's reply to checks of these shapes.
pub(super) fn outcomes(
    reply: &[i64],
    shapes: impl Iterator<Item = Shape>,
) -> Result<Outcomes, StoreError> {
    let mut rest = reply;
    let outcomes: Option<Outcomes> = shapes.map(|shape| shape.read(&mut rest)).collect();
    match outcomes {
        // The script has found its once-key there already.
        None if reply.is_empty() => Err(StoreError::new(
            "a connection was lost in mid-call; the call was sent again and not carried out twice",
        )),
        Some(outcomes) if rest.is_empty() => Ok(outcomes),
        _ => Err(StoreError::new("the script's reply was not understood")),
    }
}

/// The outcome of a call about one check.
#[cfg(feature = "cluster")]
pub(super) fn outcome(reply: &[i64], check: &Check<'_>) -> Result<Outcome, StoreError> {
    let outcomes = outcomes(reply, std::iter::once(Shape::of(check)))?;
    let outcome = outcomes.into_iter().next();
    outcome.ok_or_else(|| StoreError::new("the script has answered nothing"))
}

/// What was taken at `at`; a mark of -1 says that nothing was.
fn receipt(numbers: &[i64], verdict: &Verdict, at: Micros) -> Option<Receipt> {
    Some(Receipt {
        at,
        taken: u32::try_from(*numbers.get(VERDICT + 1)?).ok()?,
        remaining: verdict.remaining,
        mark: u64::try_from(*numbers.get(VERDICT)?).ok()?,
    })
}

fn verdict(numbers: &[i64]) -> Option<Verdict> {
    let &[wait, blocked, remaining, reset, ..] = numbers else {
        return None;
    };
    Some(Verdict {
        wait: match wait {
            0 => Wait::Fits,
            -1 => Wait::Never,
            wait => Wait::For(wait.try_into().ok()?),
        },
        blocked: blocked == 1,
        remaining: remaining.try_into().ok()?,
        reset: reset.try_into().ok()?,
    })
}
