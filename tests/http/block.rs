//! Blocks and shadows.

use actix_throttle::{Identity, Limit, rate_limit};
use actix_web::{get, web::ServiceConfig};

use harness::http::support::{CLIENT, World, get_from};

#[get("/blocked")]
#[rate_limit(times = 2, seconds = 1, block = "4s")]
async fn blocked() -> &'static str {
    "ok"
}

#[get("/free")]
#[rate_limit(times = 2, seconds = 1)]
async fn free() -> &'static str {
    "ok"
}

/// Only the second blocks, and that blocks the handler.
#[get("/stacked")]
#[rate_limit(times = 3, seconds = 1)]
#[rate_limit(times = 5, seconds = 10, block = "1m", zone = "http::block::wide")]
async fn stacked() -> &'static str {
    "ok"
}

#[get("/zone")]
#[rate_limit(times = 50, seconds = 7, zone = "http::block::wide")]
async fn in_zone() -> &'static str {
    "ok"
}

#[get("/shadow")]
#[rate_limit(
    times = 2,
    seconds = 5,
    shadow,
    zone = "http::block::shadow",
    name = "s"
)]
async fn shadow() -> &'static str {
    "ok"
}

/// The shadow's zone and window, enforced.
#[get("/enforced")]
#[rate_limit(times = 2, seconds = 5, zone = "http::block::shadow")]
async fn enforced() -> &'static str {
    "ok"
}

#[get("/beside")]
#[rate_limit(times = 1, seconds = 5, shadow)]
#[rate_limit(times = 3, seconds = 5)]
async fn beside() -> &'static str {
    "ok"
}

#[get("/shadow-block")]
#[rate_limit(times = 1, seconds = 5, shadow, block = "1h")]
#[rate_limit(times = 3, seconds = 5)]
async fn shadow_block() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((blocked, free, stacked, in_zone)).service((
        shadow,
        enforced,
        beside,
        shadow_block,
    ));
}

#[actix_web::test]
async fn who_exceeds_is_denied_for_the_whole_time() {
    let world = World::new().await;
    let site = world.site(routes).await;
    assert_eq!(site.statuses("/blocked", 2).await, [200, 200]);
    for (after, wait) in [(0, 4), (1_000, 3), (1_999, 2), (1_000, 1)] {
        world.after_millis(after);
        let denied = site.get("/blocked").await;
        assert_eq!((denied.status, denied.retry_after()), (429, Some(wait)));
        assert_eq!(denied.remaining(), Some(0));
        let detail = denied.json()["detail"].to_string();
        assert!(detail.contains("Blocked"), "{detail}");
    }
    world.after_micros(999);
    assert_eq!(site.get("/blocked").await.status, 429);
    world.after_micros(1);
    assert_eq!(site.statuses("/blocked", 2).await, [200, 200]);
}

#[actix_web::test]
async fn block_is_for_one_identity_in_one_zone() {
    let site = World::new().await.site(routes).await;
    assert_eq!(site.statuses("/blocked", 3).await, [200, 200, 429]);
    assert_eq!(site.statuses("/free", 2).await, [200, 200]);
    let other = site.send(get_from("192.0.2.2", "/blocked")).await;
    assert_eq!((other.status, other.remaining()), (200, Some(1)));
}

#[actix_web::test]
async fn only_the_exceeded_limit_blocks() {
    let world = World::new().await;
    let site = world.site(routes).await;
    // The narrow limit, which has no block.
    assert_eq!(site.statuses("/stacked", 4).await, [200, 200, 200, 429]);
    world.after_seconds(1);
    // The wide one, which has.
    assert_eq!(site.statuses("/stacked", 2).await, [200, 200]);
    let denied = site.get("/stacked").await;
    assert_eq!((denied.status, denied.retry_after()), (429, Some(60)));
    assert_eq!(denied.quota(), Some([5, 0, 60]));
    let elsewhere = site.get("/zone").await;
    assert_eq!(
        (elsewhere.status, elsewhere.retry_after()),
        (429, Some(60)),
        "everything of that identity in that zone"
    );
    world.after_seconds(59);
    assert_eq!(site.get("/stacked").await.retry_after(), Some(1));
    world.after_seconds(1);
    assert_eq!(site.statuses("/stacked", 3).await, [200, 200, 200]);
    assert_eq!(site.get("/zone").await.status, 200);
}

#[actix_web::test]
async fn shadow_counts_and_never_denies_or_shows() {
    let world = World::new().await;
    let site = world.site(routes).await;
    for _ in 0..5 {
        let answer = site.get("/shadow").await;
        assert_eq!(answer.status, 200);
        assert!(answer.is_unlimited(), "{answer:?}");
    }
    let limit = Limit::new(2, std::time::Duration::from_secs(5)).zone("http::block::shadow");
    let client = Identity::ip(CLIENT.parse().expect("an address"));
    let peeked = world.limiter.peek(&limit.shadow(), &client).await;
    let peeked = peeked.expect("a decision");
    assert_eq!(peeked.limits()[0].remaining(), 0, "it was counted");
    assert!(peeked.limits()[0].is_violated());

    let peeked = world.limiter.peek(&limit, &client).await;
    assert_eq!(peeked.expect("a decision").limits()[0].remaining(), 2);
    assert_eq!(site.statuses("/enforced", 3).await, [200, 200, 429]);
}

#[actix_web::test]
async fn shadow_beside_a_limit_changes_nothing_for_clients() {
    let site = World::new().await.site(routes).await;
    for path in ["/beside", "/shadow-block"] {
        for remaining in [2, 1, 0] {
            let answer = site.get(path).await;
            assert_eq!(answer.status, 200, "{path}");
            assert_eq!(answer.quota(), Some([3, remaining, 5]), "{path}");
        }
        let denied = site.get(path).await;
        assert_eq!((denied.status, denied.retry_after()), (429, Some(5)));
        let policies = denied.json()["violated-policies"].clone();
        let name = path.trim_start_matches('/').replace('-', "_") + "-2";
        assert_eq!(policies, serde_json::json!([name]));
    }
}
