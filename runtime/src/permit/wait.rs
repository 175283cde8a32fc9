//! Waiting in a line of this process until the store grants what is asked for.

use tokio::runtime::Handle;

use super::turn::{next_waiter, with_fresh_permit_ids};
use crate::{
    algorithm::TIMER_SLACK,
    clock::{Micros, to_micros},
    decision::{Decision, LimitStatus},
    error::RateLimitError,
    limiter::{Granted, MaxWait, OwnedCharge, RateLimiter},
    wait_queue::{Priority, Ticket},
};

/// What came of waiting.
#[derive(Debug)]
pub(crate) enum WaitOutcome {
    Granted(Granted),
    /// Not in time. Nothing was taken.
    TimedOut {
        /// Which of the first way's limits was waited for.
        by: usize,
        /// When asking again may help, as far as that is known.
        retry_after: Option<Micros>,
        /// What the store said last, if it was asked.
        decision: Option<Decision>,
    },
}

/// Waits until one of these ways is granted, the first that can be: each is charged as a whole.
///
/// Who is denied stands in the line of the limit that denies, behind those who came before. Of
/// several ways it is the one with the shortest wait.
pub(crate) async fn wait_for(
    limiter: &RateLimiter,
    alternatives: &[Vec<OwnedCharge>],
    priority: u32,
    most: Option<usize>,
) -> Result<WaitOutcome, RateLimitError> {
    let waiter = Waiter {
        limiter,
        alternatives,
        rank: limiter.wait_queues().register(priority),
        came: limiter.clock().now(),
        most,
    };
    waiter.run().await
}

struct Waiter<'a> {
    limiter: &'a RateLimiter,
    alternatives: &'a [Vec<OwnedCharge>],
    rank: Priority,
    came: Micros,
    /// So many may stand in one line.
    most: Option<usize>,
}

/// A denial, and what it means for whoever may wait.
struct Denied<'a> {
    decision: Decision,
    /// What denies for the longest.
    by: &'a OwnedCharge,
    /// No asking helps before that: what rates and blocks say. A place may come free any time.
    certain: Micros,
    /// Until then it may wait; `None`: for ever.
    end: Option<Micros>,
}

/// A waiter in a line.
struct QueuedWaiter<'a> {
    ticket: Ticket<'a>,
    /// What the line is for.
    by: &'a OwnedCharge,
    /// When the waiter leaves the line without its turn; `None`: never.
    leaves: Option<Micros>,
}

impl<'a> Waiter<'a> {
    async fn run(&self) -> Result<WaitOutcome, RateLimitError> {
        let clock = self.limiter.clock();
        let mut standing = match self.already_waited_for() {
            None => None,
            Some(by) => match self.enqueue(by, by.max_wait.ends_at(self.came)) {
                Ok(standing) => Some(standing),
                Err(retry_after) => return Ok(self.timed_out(by, retry_after, None)),
            },
        };
        let mut last = None;
        loop {
            let mut turn = None;
            if let Some(QueuedWaiter { ticket, by, leaves }) = &standing {
                turn = clock.timeout_at(*leaves, ticket.turn(clock)).await;
                if turn.is_none() {
                    return Ok(self.timed_out(by, None, last));
                }
            }
            let sent = clock.now();
            let in_turn = standing.as_ref().map(|standing| standing.by);
            let denied = match self.try_alternatives(in_turn).await? {
                Ok(granted) => {
                    if let Some(QueuedWaiter { ticket, .. }) = standing {
                        ticket.served(next_waiter(&granted.decision), clock.now());
                    }
                    return Ok(WaitOutcome::Granted(granted));
                }
                Err(denied) => denied,
            };
            let now = clock.now();
            let Denied {
                decision,
                by,
                certain,
                end,
            } = denied;
            let retry_after = decision.retry_after();
            // A turn at the very end is in time. The store has answered after it was asked, and so its
            // wait ends no sooner than one that is counted from then.
            let is_late = end.is_some_and(|end| end <= now || end < sent.saturating_add(certain));
            if decision.exceeds_capacity() || is_late {
                return Ok(self.timed_out(by, retry_after.map(to_micros), Some(decision)));
            }
            needs_runtime()?;
            let key = by.key();
            let stays = standing
                .as_ref()
                .is_some_and(|standing| standing.ticket.is_for(&key));
            if !stays {
                turn = None;
                // Left before the other is joined: nobody stands in two lines.
                drop(standing.take());
                match self.enqueue(by, end) {
                    Ok(joined) => standing = Some(joined),
                    Err(wait) => return Ok(self.timed_out(by, wait, Some(decision))),
                }
            }
            if let Some(QueuedWaiter { ticket, leaves, .. }) = &mut standing {
                *leaves = self.leaves_at(by, end);
                match turn {
                    _ if certain > 0 => ticket.must_wait(certain, now),
                    Some(turn) => ticket.denied(turn, retry_after.map(to_micros), now),
                    // Whoever joins asks once more: something may have come free in between.
                    None => {}
                }
            }
            last = Some(decision);
        }
    }

    /// For what others wait already, if they do for all ways.
    fn already_waited_for(&self) -> Option<&'a OwnedCharge> {
        let lines = self.limiter.wait_queues();
        let mut first = None;
        for alternative in self.alternatives {
            // Who may not wait is told by the store how it stands.
            let waited = alternative
                .iter()
                .find(|one| one.max_wait != MaxWait::None && lines.is_waited_for(&one.key()))?;
            first = first.or(Some(waited));
        }
        first
    }

    /// Lines up; or says when it may help to come again, where that is too late or there is no room.
    fn enqueue(
        &self,
        by: &'a OwnedCharge,
        end: Option<Micros>,
    ) -> Result<QueuedWaiter<'a>, Option<Micros>> {
        needs_runtime().map_err(|_| None)?;
        let (lines, now, key) = (
            self.limiter.wait_queues(),
            self.limiter.clock().now(),
            by.key(),
        );
        let ahead = lines.ahead(&key, self.rank);
        let served_at = ahead
            .certain_from
            .map(|from| from.max(now).saturating_add(by.time_for(ahead.number)));
        let lag = by.lag(ahead.number);
        let is_late =
            end.is_some_and(|end| served_at.is_some_and(|at| at.saturating_add(lag) > end));
        if is_late || self.most.is_some_and(|most| ahead.length >= most) {
            return Err(served_at.map(|at| at.saturating_sub(now)));
        }
        Ok(QueuedWaiter {
            ticket: lines.enqueue(&key, self.rank, now),
            by,
            leaves: self.leaves_at(by, end),
        })
    }

    /// When a waiter that may wait until `end` leaves the line. A turn of a rate that was due by then
    /// comes as late as timers are, and is waited for: it was promised.
    fn leaves_at(&self, by: &OwnedCharge, end: Option<Micros>) -> Option<Micros> {
        end.map(|end| match end > self.came && !by.is_concurrency() {
            true => end.saturating_add(TIMER_SLACK),
            false => end,
        })
    }

    /// Asks for one way after the other; `in_turn` is what was waited for in a line.
    async fn try_alternatives(
        &self,
        in_turn: Option<&OwnedCharge>,
    ) -> Result<Result<Granted, Denied<'a>>, RateLimitError> {
        let mut soonest: Option<Denied<'a>> = None;
        for alternative in self.alternatives {
            let granted = self
                .limiter
                .acquire_once(with_fresh_permit_ids(alternative, in_turn))
                .await?;
            if granted.decision.is_allowed() {
                return Ok(Ok(granted));
            }
            let denied = self.denied(granted.decision, alternative)?;
            let is_sooner = soonest
                .as_ref()
                .is_none_or(|other| denied.rank() < other.rank());
            if is_sooner {
                soonest = denied.into();
            }
        }
        soonest.map(Err).ok_or(RateLimitError::InvalidDemand)
    }

    fn denied(
        &self,
        decision: Decision,
        alternative: &'a [OwnedCharge],
    ) -> Result<Denied<'a>, RateLimitError> {
        let certain = decision
            .violated()
            .filter(|limit| limit.concurrency().is_none() || limit.is_blocked())
            .filter_map(LimitStatus::retry_after)
            .max()
            .map_or(0, to_micros);
        let violated = decision
            .violated()
            .filter_map(|limit| alternative.get(limit.place()));
        let end = violated
            .filter_map(|wanted| wanted.max_wait.ends_at(self.came))
            .min();
        let strictest = decision
            .strictest()
            .and_then(|limit| alternative.get(limit.place()));
        let by = strictest
            .or(alternative.first())
            .ok_or(RateLimitError::InvalidDemand)?;
        Ok(Denied {
            decision,
            by,
            certain,
            end,
        })
    }
}

impl Denied<'_> {
    /// Of several, the least is worth waiting for.
    fn rank(&self) -> (bool, Option<Micros>) {
        let wait = self.decision.retry_after();
        (self.decision.exceeds_capacity(), wait.map(to_micros))
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

impl MaxWait {
    /// Until when whoever came then waits; `None`: for ever.
    pub(crate) fn ends_at(self, came: Micros) -> Option<Micros> {
        match self {
            Self::None => Some(came),
            Self::AtMost(wait) => Some(came.saturating_add(wait)),
            Self::Unbounded => None,
        }
    }
}

/// Waiting needs timers, which panic without a runtime.
fn needs_runtime() -> Result<(), RateLimitError> {
    Handle::try_current()
        .map(drop)
        .map_err(|error| RateLimitError::Unavailable {
            reason: error.to_string(),
            retry_after: None,
        })
}
