//! An outage under load, from its beginning to its end.

use std::time::Duration;

use super::{
    DEADLINE, RECOVERY, builder,
    outage_scenario::OutageScenario,
    status_counts::{SCHEDULING, StatusCounts},
};
use harness::Server;

/// Long enough for several recoveries to be tried in vain.
pub(super) const OUTAGE: Duration = Duration::from_millis(1500);
/// Within which limits are exact again once the server is back.
pub(super) const BACK: Duration = RECOVERY.saturating_add(DEADLINE).saturating_add(SCHEDULING);

/// The trouble breaks what is at this URL, mends it and gives back the server: what is promised of
/// each failure mode must hold, and limits be exact again in time.
pub(super) async fn outage(
    url: String,
    back: Duration,
    trouble: impl FnOnce() -> Server + Send + 'static,
) -> Vec<StatusCounts> {
    let limiter = builder(url).build().await.unwrap();
    let scenario = OutageScenario::start(&limiter);
    scenario.until_exact(BACK).await;
    // On a thread of its own: clients are not to wait for a server to start.
    let server = tokio::task::spawn_blocking(trouble).await.unwrap();
    scenario.until_exact(back).await;
    let all_counts = scenario.finish(&server).await;
    assert!(
        StatusCounts::of(&all_counts, "/closed").count(503) > 0,
        "{all_counts:?}"
    );
    // One process: it knows whom it let in, whoever decided.
    let local = StatusCounts::of(&all_counts, "/local");
    assert!(local.regular(200) <= local.quota(), "{all_counts:?}");
    all_counts
}

/// An outage that leaves nobody to deny anyone.
pub(super) async fn silence(
    url: String,
    back: Duration,
    trouble: impl FnOnce() -> Server + Send + 'static,
) {
    let all_counts = outage(url, back, trouble).await;
    // More than would fit: they went on without a limit, once the denial that was known had been
    // forgotten. A server that hangs holds each of them for a deadline until the circuit is open.
    let open = StatusCounts::of(&all_counts, "/open");
    assert!(open.regular(200) > open.quota(), "{all_counts:?}");
}
