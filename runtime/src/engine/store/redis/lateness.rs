//! Deadlines that tell a silent Redis from a busy process.
//!
//! When a handler has kept this worker busy, a timer and a socket become ready together. The task
//! that waits for the timer may then run before the tasks that read the socket, and a reply that
//! arrived long ago would count as late. [`within`] gives those tasks some time first. The executor
//! and the reconnect task wait with it; it decides nothing about what a late reply means.

use std::{pin::Pin, time::Duration};

use futures_util::future::{Either, select};
use tokio::time::{Instant, timeout_at};

/// The delay from which a timer counts as kept waiting by this process: by a busy worker, or by a
/// CPU quota that has stopped the process. Timers of an idle worker are one to two milliseconds
/// late.
const PUNCTUAL: Duration = Duration::from_millis(5);
/// The extra time for the tasks between a socket and a request, once this process runs again.
const GRACE: Duration = Duration::from_millis(5);
/// The most waits of [`within`], the one for the deadline itself included. A reply needs three
/// extra waits at most: to be read, to be passed on and to be seen. The bound ends the wait on a
/// worker that is never punctual.
const ROUNDS: u32 = 8;

/// The reason why no output has come within a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expired {
    /// The other side has sent nothing.
    Silence,
    /// This process was late itself, so it cannot tell whether the other side was.
    OwnLateness,
}

/// The output of `future` within the deadline, and later only by as much as this process was late.
///
/// # Errors
///
/// Why there is no output: see [`Expired`].
///
/// # Cancel safety
///
/// The future stays with the caller, which can wait for it again.
pub(super) async fn within<T>(
    deadline: Instant,
    mut future: Pin<&mut impl Future<Output = T>>,
) -> Result<T, Expired> {
    let mut end = deadline;
    let mut was_late = false;
    for _ in 0..ROUNDS {
        if let Ok(output) = timeout_at(end, future.as_mut()).await {
            return Ok(output);
        }
        let now = Instant::now();
        if now.duration_since(end) < PUNCTUAL {
            return Err(if was_late {
                Expired::OwnLateness
            } else {
                Expired::Silence
            });
        }
        was_late = true;
        end = now + GRACE;
    }
    Err(Expired::Silence)
}

/// The output of `work`; `None` if `event` comes first.
///
/// # Cancel safety
///
/// Both futures stay with the caller. Moved in here, they would enlarge the task of every call.
pub(super) async fn unless<T>(
    event: Pin<&mut impl Future<Output = ()>>,
    work: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    match select(work, event).await {
        Either::Left((output, _)) => Some(output),
        Either::Right(((), _)) => None,
    }
}

#[cfg(test)]
mod tests;
