//! The cost of a request.

use actix_throttle::rate_limit;
use actix_web::{HttpRequest, get, web, web::ServiceConfig};

use harness::http::app::TestApp;

const UPLOAD: u32 = 4;

fn amount(request: &HttpRequest) -> u32 {
    let pairs = web::Query::<Vec<(String, u32)>>::from_query(request.query_string());
    pairs
        .ok()
        .and_then(|pairs| pairs.first().map(|(_, n)| *n))
        .unwrap_or(1)
}

#[get("/cost")]
#[rate_limit(times = 10, seconds = 5, cost = amount)]
async fn by_function() -> &'static str {
    "ok"
}

#[get("/literal")]
#[rate_limit(times = 10, seconds = 5, cost = 3)]
async fn literal() -> &'static str {
    "ok"
}

#[get("/constant")]
#[rate_limit(times = 10, seconds = 5, cost = UPLOAD)]
async fn constant() -> &'static str {
    "ok"
}

#[get("/bucket")]
#[rate_limit(times = 5, seconds = 5, cost = amount, algorithm = "token_bucket", capacity = 20)]
async fn bucket() -> &'static str {
    "ok"
}

#[get("/stacked")]
#[rate_limit(times = 10, seconds = 5, cost = amount)]
#[rate_limit(times = 3, seconds = 6)]
async fn stacked() -> &'static str {
    "ok"
}

fn routes(config: &mut ServiceConfig) {
    config.service((by_function, literal, constant, bucket, stacked));
}

#[actix_web::test]
async fn request_takes_what_it_costs() {
    let service = TestApp::new().await.service(routes).await;
    for (path, remaining) in [
        ("/cost?n=4", 6),
        ("/cost", 5),
        ("/cost?n=5", 0),
        ("/literal", 7),
        ("/literal", 4),
        ("/literal", 1),
        ("/constant", 6),
        ("/constant", 2),
    ] {
        let answer = service.get(path).await;
        assert_eq!((answer.status, answer.remaining()), (200, Some(remaining)));
    }
    for path in ["/cost", "/literal", "/constant"] {
        assert_eq!(service.get(path).await.status, 429, "{path}");
    }
}

#[actix_web::test]
async fn wait_is_until_enough_of_it_has_come_back() {
    let test_app = TestApp::new().await;
    let service = test_app.service(routes).await;
    assert_eq!(service.get("/cost?n=5").await.status, 200);
    test_app.after_seconds(1);
    assert_eq!(service.get("/cost?n=3").await.status, 200);
    test_app.after_seconds(1);
    for (path, wait) in [("/cost?n=3", 3), ("/cost?n=7", 3), ("/cost?n=8", 4)] {
        let denied = service.get(path).await;
        assert_eq!(denied.status, 429, "{path}");
        assert_eq!(denied.quota(), Some([10, 2, 4]), "{path}");
        assert_eq!(denied.retry_after(), Some(wait), "{path}");
    }
    assert_eq!(service.get("/cost?n=2").await.status, 200, "there is room");
}

#[actix_web::test]
async fn cost_of_nothing_is_admitted_uncounted_even_when_all_is_used() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(service.get("/cost?n=0").await.quota(), Some([10, 10, 0]));
    assert_eq!(service.get("/cost?n=10").await.quota(), Some([10, 0, 5]));
    let free = service.get("/cost?n=0").await;
    assert_eq!((free.status, free.quota()), (200, Some([10, 0, 5])));
    assert_eq!(service.get("/cost").await.status, 429);
}

#[actix_web::test]
async fn cost_above_all_that_fits_is_denied_for_good_and_says_so() {
    let service = TestApp::new().await.service(routes).await;
    for (path, quota, name) in [
        ("/cost?n=11", 10, "by_function"),
        ("/cost?n=4294967295", 10, "by_function"),
        ("/bucket?n=21", 20, "bucket"),
    ] {
        let denied = service.get(path).await;
        assert_eq!(denied.status, 429, "{path}");
        assert_eq!(denied.retry_after(), None, "{path}");
        assert_eq!(denied.quota(), Some([quota, quota, 0]), "nothing taken");
        let document = denied.json();
        assert_eq!(document["retry_after_ms"], serde_json::Value::Null);
        assert_eq!(document["violated-policies"], serde_json::json!([name]));
        let detail = document["detail"].as_str().expect("a text");
        assert!(detail.contains("can ever hold"), "{detail}");
        assert!(detail.contains("Waiting will not help"), "{detail}");
    }
    assert_eq!(service.get("/cost?n=10").await.status, 200, "just fits");
    assert_eq!(service.get("/bucket?n=20").await.status, 200, "just fits");
}

#[actix_web::test]
async fn impossible_beside_a_limit_that_is_merely_full_is_impossible() {
    let service = TestApp::new().await.service(routes).await;
    assert_eq!(
        service.statuses("/stacked?n=1", 4).await,
        [200, 200, 200, 429]
    );
    let denied = service.get("/stacked?n=11").await;
    assert_eq!((denied.status, denied.retry_after()), (429, None));
    assert_eq!(denied.quota(), Some([10, 7, 5]), "the impossible one");
    let both = serde_json::json!(["stacked", "stacked-2"]);
    assert_eq!(denied.json()["violated-policies"], both);
}
