//! The wait for room: in a queue of this process, until the store grants the charges.

use actix_throttle_core::{
    algorithm::TIMER_SLACK,
    decision::Decision,
    time::{Micros, to_micros},
};

use super::{
    denied::Denied,
    outcome::WaitOutcome,
    queue::{Priority, Ticket, Turn},
    report::{Observed, WaitReport},
    runtime::needs_runtime,
    turn::{next_waiter, with_fresh_permit_ids},
    unenforced::acquire_unenforced,
};
use crate::engine::{
    concurrency::{Granted, MaxWait, OwnedCharge},
    error::RateLimitError,
    handle::Engine,
};

/// Waits until one of these alternatives is granted as a whole: the first that can be. A denied
/// caller joins the queue of the limit that denies, behind earlier waiters; of several
/// alternatives, that of the shortest wait. Nothing is waited for while limits are not enforced.
///
/// # Cancel safety
///
/// Dropping the future leaves the queue, uncharged.
pub(crate) async fn wait_for(
    engine: &Engine,
    alternatives: &[Vec<OwnedCharge>],
    priority: u32,
    max_waiting: Option<usize>,
    observed: Observed,
) -> Result<WaitOutcome, RateLimitError> {
    let waiter = Waiter {
        engine,
        alternatives,
        priority: engine.wait_queues().register(priority),
        arrived_at: engine.clock().now(),
        max_waiting,
    };
    let mut report = WaitReport::new(engine, observed);
    loop {
        let unenforced = acquire_unenforced(engine, alternatives).await;
        if let Some(granted) = unenforced.transpose() {
            report.unenforced();
            return granted.map(WaitOutcome::Granted);
        }
        if let Some(mut outcome) = waiter.run(&mut report).await.transpose() {
            report.ended(&mut outcome, alternatives);
            return outcome;
        }
    }
}

struct Waiter<'a> {
    engine: &'a Engine,
    alternatives: &'a [Vec<OwnedCharge>],
    priority: Priority,
    arrived_at: Micros,
    /// The maximum number of waiters in one queue.
    max_waiting: Option<usize>,
}

struct QueuedWaiter<'a> {
    ticket: Ticket<'a>,
    /// The charge that the queue is for.
    by: &'a OwnedCharge,
    /// The time at which the waiter leaves the queue without its turn; `None`: never.
    leaves_at: Option<Micros>,
    /// The turn to poll, once it has come.
    turn: Option<Turn>,
}

impl<'a> Waiter<'a> {
    /// Waits for as long as limits are enforced; `None` once they are not.
    async fn run(
        &self,
        report: &mut WaitReport<'a>,
    ) -> Result<Option<WaitOutcome>, RateLimitError> {
        let clock = self.engine.clock();
        let mut queued = match self.already_waited_for() {
            None => None,
            Some(by) => match self.enqueue(by, by.max_wait.ends_at(self.arrived_at), None) {
                Ok(queued) => {
                    report.joined(by);
                    Some(queued)
                }
                Err(retry_after) => return Ok(Some(self.timed_out(by, retry_after, None))),
            },
        };
        let mut last = None;
        loop {
            if let Some(QueuedWaiter {
                ticket,
                by,
                leaves_at,
                turn,
            }) = &mut queued
            {
                let wait = clock.timeout_at(*leaves_at, ticket.turn(clock));
                let Some(in_time) = self.engine.while_enforced(wait).await else {
                    return Ok(None);
                };
                *turn = in_time;
                if turn.is_none() {
                    return Ok(Some(self.timed_out(by, None, last)));
                }
            }
            let (sent, refunds) = (clock.now(), self.engine.wait_queues().refunds());
            let in_turn = queued.as_ref().map(|queued| queued.by);
            let denied = match self.try_alternatives(in_turn, report).await? {
                Ok(granted) => {
                    if let Some(QueuedWaiter { ticket, turn, .. }) = queued
                        && let Some(turn) = turn
                    {
                        ticket.served(turn, next_waiter(&granted.decision), clock.now());
                    }
                    return Ok(Some(WaitOutcome::Granted(granted)));
                }
                Err(denied) => denied,
            };
            let now = clock.now();
            let Denied {
                decision,
                alternative,
                by,
                min_wait,
                end,
            } = denied;
            report.set_charges(alternative);
            let retry_after = decision.retry_after();
            // A turn at the very end is in time. The wait counts from `sent`, because the reply's
            // wait ends no sooner.
            let is_late = end.is_some_and(|end| end <= now || end < sent.saturating_add(min_wait));
            if decision.exceeds_capacity() || is_late {
                return Ok(Some(self.timed_out(
                    by,
                    retry_after.map(to_micros),
                    Some(decision),
                )));
            }
            needs_runtime()?;
            let key = by.key();
            let stays = queued
                .as_ref()
                .is_some_and(|queued| queued.ticket.is_for(&key));
            if !stays {
                // The caller leaves one queue before it joins the other: it never stands in two.
                drop(queued.take());
                match self.enqueue(by, end, Some(refunds)) {
                    Ok(joined) => {
                        report.joined(by);
                        queued = Some(joined);
                    }
                    Err(wait) => return Ok(Some(self.timed_out(by, wait, Some(decision)))),
                }
            }
            if let Some(QueuedWaiter {
                ticket,
                leaves_at,
                turn,
                ..
            }) = &mut queued
            {
                *leaves_at = self.leaves_at(by, end);
                match turn.take() {
                    Some(turn) if min_wait > 0 => ticket.must_wait(turn, min_wait, sent, now),
                    Some(turn) if stays => ticket.denied(turn, retry_after.map(to_micros), now),
                    // A new waiter polls once more: a permit may have been released elsewhere in
                    // between, or something was refunded here.
                    Some(_) | None => {}
                }
            }
            last = Some(decision);
        }
    }

    /// Returns the charge that other callers wait for, if there is one in every alternative.
    fn already_waited_for(&self) -> Option<&'a OwnedCharge> {
        let queues = self.engine.wait_queues();
        let mut first = None;
        for alternative in self.alternatives {
            // The store is asked if there is no `max_wait`: its reply says how the limit stands.
            let waited = alternative
                .iter()
                .find(|one| one.max_wait != MaxWait::None && queues.is_waited_for(&one.key()))?;
            first = first.or(Some(waited));
        }
        first
    }

    /// Joins the queue; or returns the time until a retry may help, if it is full or too slow.
    /// `refunds`: the number of refunds before the store was asked, if it was.
    fn enqueue(
        &self,
        by: &'a OwnedCharge,
        end: Option<Micros>,
        refunds: Option<u64>,
    ) -> Result<QueuedWaiter<'a>, Option<Micros>> {
        needs_runtime().map_err(|_| None)?;
        let (queues, now, key) = (
            self.engine.wait_queues(),
            self.engine.clock().now(),
            by.key(),
        );
        let ahead = queues.ahead(&key, self.priority);
        let served_at = ahead
            .certain_from
            .map(|from| from.max(now).saturating_add(by.time_for(ahead.number)));
        let slack = by.timer_slack(ahead.number);
        let is_late =
            end.is_some_and(|end| served_at.is_some_and(|at| at.saturating_add(slack) > end));
        if is_late
            || self
                .max_waiting
                .is_some_and(|max_waiting| ahead.length >= max_waiting)
        {
            return Err(served_at.map(|at| at.saturating_sub(now)));
        }
        let refunds = refunds.unwrap_or_else(|| queues.refunds());
        let (ticket, turn) = queues.enqueue(&key, self.priority, refunds, now);
        Ok(QueuedWaiter {
            ticket,
            by,
            leaves_at: self.leaves_at(by, end),
            turn,
        })
    }

    /// Returns when it leaves: at `end`, or a timer's delay later for a rate's promised turn.
    fn leaves_at(&self, by: &OwnedCharge, end: Option<Micros>) -> Option<Micros> {
        end.map(|end| {
            if end > self.arrived_at && !by.is_concurrency() {
                end.saturating_add(TIMER_SLACK)
            } else {
                end
            }
        })
    }

    /// Tries the alternatives in order. `in_turn` is the charge for which the caller has waited in
    /// a queue until its turn came; `None` if it has not waited.
    async fn try_alternatives(
        &self,
        in_turn: Option<&OwnedCharge>,
        report: &mut WaitReport<'a>,
    ) -> Result<Result<Granted, Denied<'a>>, RateLimitError> {
        let mut soonest: Option<Denied<'a>> = None;
        for alternative in self.alternatives {
            report.set_charges(alternative);
            let granted = self
                .engine
                .acquire_once(with_fresh_permit_ids(alternative, in_turn))
                .await?;
            if granted.decision.is_allowed() {
                return Ok(Ok(granted));
            }
            let denied = Denied::new(granted.decision, alternative, self.arrived_at)?;
            let is_sooner = soonest
                .as_ref()
                .is_none_or(|other| denied.order() < other.order());
            if is_sooner {
                soonest = denied.into();
            }
        }
        soonest.map(Err).ok_or(RateLimitError::InvalidDemand)
    }
}

impl Waiter<'_> {
    fn timed_out(
        &self,
        by: &OwnedCharge,
        retry_after: Option<Micros>,
        decision: Option<Decision>,
    ) -> WaitOutcome {
        let first = self.alternatives.first().map_or(&[][..], Vec::as_slice);
        let by = first.iter().position(|one| one.key().is_same(&by.key()));
        WaitOutcome::TimedOut {
            by: by.unwrap_or(0),
            retry_after,
            decision,
        }
    }
}
