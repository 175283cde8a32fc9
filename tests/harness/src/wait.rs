//! Waiting for what takes its time, never longer than it may.

use std::{
    thread,
    time::{Duration, Instant},
};

/// Between two looks. Short next to anything waited for, long enough to leave the processor to it.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until the condition holds. It blocks the thread: where a limiter's link lives on the same
/// thread's runtime, [`eventually_async`] is the one to take.
///
/// # Panics
///
/// When it does not hold within this time; `what` says what was waited for.
pub fn eventually(what: &str, within: Duration, mut condition: impl FnMut() -> bool) {
    let probe = || condition().then_some(()).ok_or_else(String::new);
    if until(within, probe).is_err() {
        panic!("still not after {within:?}: {what}");
    }
}

/// [`eventually`] that lets the runtime work between two looks.
pub async fn eventually_async(
    what: &str,
    within: Duration,
    mut condition: impl AsyncFnMut() -> bool,
) {
    let deadline = Instant::now() + within;
    while !condition().await {
        assert!(
            Instant::now() < deadline,
            "still not after {within:?}: {what}"
        );
        tokio::time::sleep(PAUSE).await;
    }
}

/// Asks until there is an answer; or else gives why there was none the last time.
pub(super) fn until<T>(
    within: Duration,
    mut probe: impl FnMut() -> Result<T, String>,
) -> Result<T, String> {
    let deadline = Instant::now() + within;
    loop {
        match probe() {
            Ok(value) => return Ok(value),
            Err(reason) if Instant::now() >= deadline => return Err(reason),
            Err(_) => thread::sleep(PAUSE),
        }
    }
}
