//! Blocks after a denial, and limits in shadow mode.

use std::time::Duration;

use actix_throttle::{Config, Identity, Limit, Paths, Rule, Throttle, config::Format, rate_limit};
use actix_web::{get, web::ServiceConfig};

use harness::http::app::{CLIENT, TestApp, get_from};

#[get("/blocked")]
#[rate_limit(times = 2, seconds = 1, block = "4s")]
async fn blocked() -> &'static str {
    "ok"
}

#[get("/escalating")]
#[rate_limit(times = 1, seconds = 1, block = "2s, 5s, 1m")]
async fn escalating() -> &'static str {
    "ok"
}

#[get("/free")]
#[rate_limit(times = 2, seconds = 1)]
async fn free() -> &'static str {
    "ok"
}

/// Only the second limit blocks, and its block denies the whole handler.
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

/// The zone and window of the shadow limit, enforced.
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
async fn exceeding_client_is_blocked_for_the_whole_time() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.statuses("/blocked", 2).await, [200, 200]);
    for (after, wait) in [(0, 4), (1_000, 3), (1_999, 2), (1_000, 1)] {
        test_app.after_millis(after);
        let denied = service.get("/blocked").await;
        assert_eq!((denied.status, denied.retry_after()), (429, Some(wait)));
        assert_eq!(denied.remaining(), Some(0));
        let detail = denied.json()["detail"].to_string();
        assert!(detail.contains("Blocked under the limit"), "{detail}");
    }
    test_app.after_micros(999);
    assert_eq!(service.get("/blocked").await.status, 429);
    test_app.after_micros(1);
    assert_eq!(service.statuses("/blocked", 2).await, [200, 200]);
}

#[actix_web::test]
async fn block_is_for_one_identity_in_one_zone() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.statuses("/blocked", 3).await, [200, 200, 429]);
    assert_eq!(service.statuses("/free", 2).await, [200, 200]);
    let other = service.send(get_from("192.0.2.2", "/blocked")).await;
    assert_eq!((other.status, other.remaining()), (200, Some(1)));
}

#[actix_web::test]
async fn only_the_exceeded_limit_blocks() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    // The short limit denies, which has no block.
    assert_eq!(service.statuses("/stacked", 4).await, [200, 200, 200, 429]);
    test_app.after_seconds(1);
    // The long limit denies, which has one.
    assert_eq!(service.statuses("/stacked", 2).await, [200, 200]);
    let denied = service.get("/stacked").await;
    assert_eq!((denied.status, denied.retry_after()), (429, Some(60)));
    assert_eq!(denied.quota(), Some([5, 0, 60]));
    let elsewhere = service.get("/zone").await;
    assert_eq!(
        (elsewhere.status, elsewhere.retry_after()),
        (429, Some(60)),
        "everything of that identity in that zone"
    );
    test_app.after_seconds(59);
    assert_eq!(service.get("/stacked").await.retry_after(), Some(1));
    test_app.after_seconds(1);
    assert_eq!(service.statuses("/stacked", 3).await, [200, 200, 200]);
    assert_eq!(service.get("/zone").await.status, 200);
}

#[actix_web::test]
async fn shadow_counts_and_never_denies_or_shows() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    for _ in 0..5 {
        let answer = service.get("/shadow").await;
        assert_eq!(answer.status, 200);
        assert!(answer.is_unlimited(), "{answer:?}");
    }
    let limit = Limit::new(2, std::time::Duration::from_secs(5)).zone("http::block::shadow");
    let client = Identity::ip(CLIENT.parse().expect("an address"));
    let peeked = test_app.limiter.peek(&limit.shadow(), &client).await;
    let peeked = peeked.expect("a decision");
    assert_eq!(peeked.limits()[0].remaining(), 0, "it was counted");
    assert!(peeked.limits()[0].is_exceeded());

    let peeked = test_app.limiter.peek(&limit, &client).await;
    assert_eq!(peeked.expect("a decision").limits()[0].remaining(), 2);
    assert_eq!(service.statuses("/enforced", 3).await, [200, 200, 429]);
}

#[actix_web::test]
async fn shadow_beside_a_limit_changes_nothing_for_clients() {
    let service = TestApp::new().await.service(routes).await;
    for path in ["/beside", "/shadow-block"] {
        for remaining in [2, 1, 0] {
            let answer = service.get(path).await;
            assert_eq!(answer.status, 200, "{path}");
            assert_eq!(answer.quota(), Some([3, remaining, 5]), "{path}");
        }
        let denied = service.get(path).await;
        assert_eq!((denied.status, denied.retry_after()), (429, Some(5)));
        let policies = denied.json()["violated-policies"].clone();
        let name = path.trim_start_matches('/').replace('-', "_") + "-2";
        assert_eq!(policies, serde_json::json!([name]));
    }
}

#[actix_web::test]
async fn each_further_offence_blocks_for_the_next_length() {
    let test_app = TestApp::new().await;
    let service = test_app
        .service(|config| {
            config.service(escalating);
        })
        .await;
    for length in [2, 5, 60, 60] {
        assert_eq!(service.statuses("/escalating", 2).await, [200, 429]);
        let denied = service.get("/escalating").await;
        assert_eq!(denied.retry_after(), Some(length));
        assert_eq!(denied.quota(), Some([1, 0, length]));
        test_app.after_seconds(length);
    }
    // A minute without an offence.
    test_app.after_seconds(60);
    assert_eq!(service.statuses("/escalating", 2).await, [200, 429]);
    assert_eq!(service.get("/escalating").await.retry_after(), Some(2));
}

#[actix_web::test]
async fn middleware_and_file_escalate_by_the_same_words() {
    const STEPS: &[Duration] = &[Duration::from_secs(2), Duration::from_secs(5)];
    let limit = Limit::per_second(1).block_steps(STEPS);
    let by_hand = Throttle::new().paths(Paths::all(), [Rule::new(limit)]);
    let text = "[[rules]]\nlimits = [{ rate = '1/s', block = '2s, 5s' }]";
    let config = Config::parse(text, Format::Toml).expect("a valid file");
    for throttle in [
        by_hand.expect("valid rules"),
        Throttle::from_config(&config),
    ] {
        let test_app = TestApp::new().await;
        let service = test_app.behind(throttle, |_| {}).await;
        for length in [2, 5, 5] {
            assert_eq!(service.statuses("/", 2).await, [404, 429]);
            assert_eq!(service.get("/").await.retry_after(), Some(length));
            test_app.after_seconds(length);
        }
    }
}
