//! An outage under load, from its beginning to its end.

use std::time::Duration;

use super::{
    DEADLINE, RECOVERY, builder,
    outage_scenario::OutageScenario,
    status_counts::{SCHEDULING, StatusCounts},
};
use harness::Server;

/// Long enough for several recovery attempts to fail.
pub(super) const OUTAGE: Duration = Duration::from_millis(1500);
/// Bound for limits to be exact again once Redis is back.
pub(super) const BACK: Duration = RECOVERY.saturating_add(DEADLINE).saturating_add(SCHEDULING);

/// Runs a scenario in which `trouble` breaks the server at this URL, repairs it and returns it. The
/// promises of each failure mode must hold, and limits be exact again within `back`.
pub(super) async fn outage(
    url: String,
    back: Duration,
    trouble: impl FnOnce() -> Server + Send + 'static,
) -> Vec<StatusCounts> {
    let limiter = builder(url).build().await.unwrap();
    let scenario = OutageScenario::start(&limiter);
    scenario.until_exact(BACK).await;
    // A blocking thread: clients must not wait for a server to start.
    let server = tokio::task::spawn_blocking(trouble).await.unwrap();
    scenario.until_exact(back).await;
    let all_counts = scenario.finish(&server).await;
    assert!(
        StatusCounts::of(&all_counts, "/closed").count(503) > 0,
        "{all_counts:?}"
    );
    // A single process counts all its admissions locally, whichever store decided.
    let local = StatusCounts::of(&all_counts, "/local");
    assert!(local.regular(200) <= local.quota(), "{all_counts:?}");
    all_counts
}

/// Runs an outage in which Redis decides nothing: requests with mode open are admitted without a
/// limit.
pub(super) async fn silence(
    url: String,
    back: Duration,
    trouble: impl FnOnce() -> Server + Send + 'static,
) {
    let all_counts = outage(url, back, trouble).await;
    // More than the quota: requests failed open once the cached denial had expired. A server that
    // hangs holds each of them for a deadline until the circuit is open.
    let open = StatusCounts::of(&all_counts, "/open");
    assert!(open.regular(200) > open.quota(), "{all_counts:?}");
}
