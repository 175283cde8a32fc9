//! Deadlines that a busy process does not miss on behalf of others.
//!
//! A timer and a socket become ready together when a handler has kept this worker busy, and the
//! task that waits for the timer may then run before the tasks that would read the socket. An
//! answer that has been there for long would count as late.

use std::{future::poll_fn, pin::Pin, task::Poll, time::Duration};

use tokio::time::{Instant, timeout_at};

/// A timer that fires later than this was kept waiting by this process: a busy worker, or a CPU
/// quota that has stopped it. Timers of an idle one are one to two milliseconds late.
const PUNCTUAL: Duration = Duration::from_millis(5);
/// The time that the tasks between a socket and a request get once this process runs again.
const GRACE: Duration = Duration::from_millis(5);
/// The number of times they get it. An answer needs three at most: to be read, to be handed out
/// and to be seen. A worker that is never punctual still must come to an end.
const ROUNDS: u32 = 8;

/// Why nothing has come within a deadline.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Expired {
    /// The other side has said nothing.
    Silence,
    /// This process was late itself, so it cannot tell.
    OwnLateness,
}

/// The output of `future`, within the deadline; later only by as much as this process was late.
///
/// # Cancel safety
///
/// The future stays where it is and can be waited for again.
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
            return Err(match was_late {
                true => Expired::OwnLateness,
                false => Expired::Silence,
            });
        }
        was_late = true;
        end = now + GRACE;
    }
    Err(Expired::Silence)
}

/// The output of `work`; `None` if `event` comes first. Both stay where they are: the task of a call
/// is as large as all that it waits for.
pub(super) async fn unless<T>(
    mut event: Pin<&mut impl Future<Output = ()>>,
    mut work: Pin<&mut impl Future<Output = T>>,
) -> Option<T> {
    poll_fn(|context| match work.as_mut().poll(context) {
        Poll::Ready(done) => Poll::Ready(Some(done)),
        Poll::Pending => event.as_mut().poll(context).map(|()| None),
    })
    .await
}

#[cfg(test)]
mod tests;
