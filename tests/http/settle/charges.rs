//! A settlement changes the charge, as the response and the next requests show.

use super::routes;
use harness::http::app::TestApp;

#[actix_web::test]
async fn response_shows_what_was_settled() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/tokens/30/10").await;
    assert_eq!(answer.text(), "30 true");
    assert_eq!(answer.quota(), Some([100, 90, 10]));
    let answer = service.get("/tokens/10/30").await;
    assert_eq!(answer.quota(), Some([100, 60, 40]));
    let answer = service.get("/tokens/10/0").await;
    assert_eq!(answer.quota(), Some([100, 60, 40]));
    let answer = service.get("/tokens/10/10").await;
    assert_eq!(answer.quota(), Some([100, 50, 50]));
}

#[actix_web::test]
async fn debt_says_exactly_when_it_is_paid() {
    let app = TestApp::new().await;
    let service = app.service(routes).await;
    let answer = service.get("/tokens/10/150").await;
    assert_eq!((answer.status, answer.quota()), (200, Some([100, 0, 150])));
    let denied = service.get("/tokens/1/1").await;
    assert_eq!(denied.status, 429);
    assert_eq!(denied.quota(), Some([100, 0, 150]));
    assert_eq!(denied.retry_after(), Some(51));
    assert_eq!(denied.json()["retry_after_ms"], 51_000);
    app.after_millis(50_999);
    assert_eq!(service.get("/tokens/1/1").await.status, 429);
    app.after_millis(1);
    assert_eq!(service.get("/tokens/1/1").await.status, 200);
}

#[actix_web::test]
async fn only_limits_with_settle_are_settled() {
    let app = TestApp::new().await;
    let service = app.service(routes).await;
    let answer = service.get("/stacked/70").await;
    assert_eq!(answer.remaining(), Some(4));
    service.get("/stacked/70").await;
    let denied = service.get("/stacked/1").await;
    assert_eq!(denied.status, 429);
    assert_eq!(
        denied.json()["violated-policies"],
        serde_json::json!(["tokens"])
    );
    app.after_seconds(60);
    // The day has 140 used, and the minute nothing.
    let answer = service.get("/stacked/10").await;
    assert_eq!((answer.status, answer.remaining()), (200, Some(4)));
}

#[actix_web::test]
async fn refund_comes_before_or_after_the_settlement() {
    let service = TestApp::new().await.service(routes).await;
    // Settled first, and refunded at what it was settled.
    assert_eq!(service.get("/failing/500/60").await.remaining(), Some(100));
    assert_eq!(service.get("/failing/200/60").await.remaining(), Some(40));
    // Refunded first: the settlement at the end of the body changes nothing.
    let answer = service.get("/failing/500/0").await;
    assert_eq!((answer.remaining(), answer.text()), (Some(40), "false"));
    let answer = service.get("/failing/200/0").await;
    assert_eq!((answer.remaining(), answer.text()), (Some(30), "true"));
    assert_eq!(service.get("/failing/200/1").await.status, 429);
}

#[actix_web::test]
async fn second_extraction_settles_nothing() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/twice").await;
    assert_eq!(
        (answer.text(), answer.remaining()),
        ("(true, false)", Some(80))
    );
}

#[actix_web::test]
async fn estimate_of_nothing_is_charged_at_the_settlement() {
    let service = TestApp::new().await.service(routes).await;
    for remaining in [70, 40, 10, 0, 0] {
        let answer = service.get("/free").await;
        assert_eq!(
            (answer.text(), answer.remaining()),
            ("true", Some(remaining))
        );
    }
}

#[actix_web::test]
async fn uncharged_request_has_nothing_to_settle() {
    let service = TestApp::new().await.service(routes).await;
    let answer = service.get("/skipped").await;
    assert_eq!((answer.status, answer.text()), (200, "0 true"));
    assert!(answer.is_unlimited());
    assert_eq!(service.get("/bare/5").await.text(), "0 true");
    assert_eq!(service.get("/one").await.remaining(), Some(93));
}
