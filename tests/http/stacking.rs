//! Several limits on one handler.

use std::sync::atomic::{AtomicUsize, Ordering};

use actix_throttle::{HeaderStyle, rate_limit, rate_limit as limited};
use actix_web::{get, web::ServiceConfig};

use harness::http::app::{TestApp, TestResponse};

#[get("/stacked")]
#[rate_limit(times = 3, seconds = 1)]
#[rate_limit(times = 5, seconds = 10)]
async fn stacked() -> &'static str {
    "ok"
}

/// Another attribute stands between the two limits.
#[rate_limit(times = 3, seconds = 1)]
#[get("/apart")]
#[allow(clippy::unused_async)]
#[rate_limit(times = 5, seconds = 10)]
async fn apart() -> &'static str {
    "ok"
}

#[get("/renamed")]
#[limited(times = 2, seconds = 5)]
async fn renamed() -> &'static str {
    "ok"
}

#[get("/renamed-above")]
#[limited(times = 3, seconds = 1)]
#[rate_limit(times = 5, seconds = 10)]
async fn renamed_above() -> &'static str {
    "ok"
}

#[get("/renamed-below")]
#[rate_limit(times = 5, seconds = 10)]
#[limited(times = 3, seconds = 1)]
async fn renamed_below(number: actix_web::web::Query<Vec<(String, u32)>>) -> String {
    BELOW.fetch_add(1, Ordering::SeqCst);
    format!("{:?}", number.into_inner())
}

static BELOW: AtomicUsize = AtomicUsize::new(0);

#[get("/conditional")]
#[rate_limit(times = 5, seconds = 10)]
#[cfg_attr(not(any()), rate_limit(times = 3, seconds = 1))]
async fn conditional() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config
        .service((stacked, apart, renamed, renamed_above))
        .service((renamed_below, conditional));
}

/// Three a second and five in ten seconds. Both hold, and a denial by one does not charge the
/// other.
#[actix_web::test]
async fn both_limits_hold_and_denials_charge_neither() {
    for path in ["/stacked", "/apart", "/renamed-above"] {
        let test_app = TestApp::new().await;
        let service = test_app.service(routes).await;
        for remaining in [2, 1, 0] {
            let answer = service.get(path).await;
            assert_eq!((answer.status, answer.remaining()), (200, Some(remaining)));
        }
        // If these denials were charged to the long limit, it would have no room left.
        for _ in 0..10 {
            let denied = service.get(path).await;
            assert_eq!(denied.status, 429, "{path}");
            assert_eq!(denied.quota(), Some([3, 0, 1]), "{path}");
            assert_eq!(denied.retry_after(), Some(1), "{path}");
        }
        test_app.after_seconds(1);
        assert_eq!(service.get(path).await.quota(), Some([5, 1, 10]), "{path}");
        assert_eq!(service.get(path).await.quota(), Some([5, 0, 10]), "{path}");
        // Denials by the long limit are not charged to the short one.
        for _ in 0..10 {
            let denied = service.get(path).await;
            assert_eq!(denied.status, 429, "{path}");
            assert_eq!(denied.quota(), Some([5, 0, 10]), "{path}");
            assert_eq!(denied.retry_after(), Some(9), "{path}");
        }
        test_app.after_seconds(9);
        assert_eq!(
            service.statuses(path, 4).await,
            [200, 200, 200, 429],
            "{path}"
        );
    }
}

#[actix_web::test]
async fn attribute_under_another_name_limits() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.get("/renamed").await.quota(), Some([2, 1, 5]));
    assert_eq!(service.statuses("/renamed", 2).await, [200, 429]);
}

/// The remaining quotas of the upper limit and of the lower one.
fn left(answer: &TestResponse) -> [u32; 2] {
    let states = answer.header("RateLimit").expect("both limits");
    ["renamed_below", "renamed_below-2"].map(|name| {
        let (_, state) = states.split_once(&format!("\"{name}\";r=")).expect(name);
        let end = state.find([';', ',']).unwrap_or(state.len());
        state[..end].parse().expect("a number")
    })
}

#[actix_web::test]
async fn attributes_under_two_names_are_one_decision() {
    let test_app = TestApp::with(|builder| builder.headers(HeaderStyle::Both)).await;
    let service = test_app.service(routes).await;
    let path = "/renamed-below?n=7";
    let first = service.get(path).await;
    assert_eq!(first.text(), r#"[("n", 7)]"#);
    assert_eq!(first.quota(), Some([3, 2, 1]), "the stricter of both");
    assert_eq!(left(&first), [4, 2]);
    assert_eq!(
        first.header("RateLimit-Policy"),
        Some(r#""renamed_below";q=5;w=10, "renamed_below-2";q=3;w=1"#)
    );
    assert_eq!(service.statuses(path, 2).await, [200, 200]);

    let denied = service.get(path).await;
    assert_eq!(denied.status, 429);
    assert_eq!(denied.quota(), Some([3, 0, 1]), "the one that denied");
    assert_eq!(denied.retry_after(), Some(1));
    assert_eq!(left(&denied), [2, 0], "the other was not charged");
    assert_eq!(BELOW.load(Ordering::SeqCst), 3, "denied means not run");

    test_app.after_seconds(1);
    assert_eq!(service.get(path).await.quota(), Some([5, 1, 10]));
    assert_eq!(service.get(path).await.quota(), Some([5, 0, 10]));
    let denied = service.get(path).await;
    assert_eq!(denied.status, 429);
    assert_eq!(denied.quota(), Some([5, 0, 10]), "the one that denied");
    assert_eq!(denied.retry_after(), Some(9));
    assert_eq!(left(&denied), [0, 1], "the other was not charged");
    assert_eq!(BELOW.load(Ordering::SeqCst), 5);
}

#[actix_web::test]
async fn attribute_out_of_cfg_attr_limits_beside_another() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(
        service.statuses("/conditional", 4).await,
        [200, 200, 200, 429]
    );
    test_app.after_seconds(1);
    assert_eq!(service.statuses("/conditional", 3).await, [200, 200, 429]);
}
