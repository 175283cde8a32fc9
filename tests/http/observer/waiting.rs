//! Waits and permits: their beginning, their end, and the time between.

use std::time::Duration;

use actix_throttle::{Algorithm, Concurrency, Limit};
use actix_web::rt::{spawn, task::yield_now};

use super::observed;

#[actix_web::test]
async fn wait_tells_its_end_and_not_each_denial_on_the_way() {
    let (test_app, heard) = observed().await;
    let (limiter, clock) = (test_app.limiter.clone(), &test_app.clock);
    let leaky = Limit::per_second(1)
        .algorithm(Algorithm::LeakyBucket)
        .name("leaky");
    limiter.acquire(&leaky, "ann").await.expect("at once");
    assert_eq!(heard.take(), ["leaky allowed by store: 0 left"]);

    let waits = spawn({
        let limiter = limiter.clone();
        async move { limiter.acquire(&leaky, "ann").await.map(drop) }
    });
    yield_now().await;
    assert_eq!(heard.take(), ["leaky wait began"]);
    clock.advance(Duration::from_secs(1));
    waits.await.expect("no panic").expect("granted");
    let told = [
        "leaky wait granted after 1s",
        "leaky allowed by store: 0 left",
    ];
    assert_eq!(heard.take(), told);

    let half = Duration::from_millis(500);
    let late = limiter.acquire(&leaky, "ann").max_wait(half).await;
    late.expect_err("there is room after a second");
    assert_eq!(heard.take(), ["leaky timed_out by store: 0 left"]);
    let now = limiter.acquire(&leaky, "ann").try_now().await;
    assert!(now.expect("decided").is_none());
    assert_eq!(heard.take(), ["leaky denied by store: 0 left"]);

    let leaves = spawn({
        let limiter = limiter.clone();
        async move { limiter.acquire(&leaky, "ann").await.map(drop) }
    });
    yield_now().await;
    leaves.abort();
    let _ = leaves.await;
    let told = [
        "leaky wait began",
        "leaky wait canceled after 0ns",
        "leaky canceled by local: - left",
    ];
    assert_eq!(heard.take(), told);
}

#[actix_web::test]
async fn permits_are_told_from_grant_to_release() {
    let (test_app, heard) = observed().await;
    let jobs = Concurrency::new(1).name("jobs");
    let semaphore = test_app.limiter.semaphore(&jobs, "ann");
    let guard = semaphore.acquire().await.expect("free");
    assert_eq!(heard.take(), ["jobs held", "jobs allowed by store: 0 left"]);
    assert!(semaphore.try_acquire().await.expect("decided").is_none());
    assert_eq!(heard.take(), ["jobs denied by store: 0 left"]);
    test_app.clock.advance(Duration::from_secs(2));
    drop(guard);
    assert_eq!(heard.take(), ["jobs released after 2s"]);
}
