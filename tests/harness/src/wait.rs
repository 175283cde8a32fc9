//! Bounded waiting for a condition.

use std::{
    thread,
    time::{Duration, Instant},
};

/// The pause between two checks. It is short next to any wait, and leaves the processor to the
/// processes waited for.
const PAUSE: Duration = Duration::from_millis(10);

/// Waits until the condition holds, and blocks the thread. Use [`eventually_async`] where the
/// limiter's connection runs on a runtime of the same thread.
///
/// # Panics
///
/// If the condition does not hold within this time; `what` describes it.
pub fn eventually(what: &str, within: Duration, mut condition: impl FnMut() -> bool) {
    let probe = || condition().then_some(()).ok_or_else(String::new);
    if until(within, probe).is_err() {
        panic!("still not after {within:?}: {what}");
    }
}

/// Waits until the condition holds, and lets the runtime work between two checks.
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

/// Calls `probe` until it succeeds. Returns its last error when time is up.
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
